import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** What bench/pytorch.py measures on this machine's card, a line a precision; or why it does not. */
export const pytorch = (root: string): Promise<string[]> =>
  new Promise((resolve) => {
    execFile('python3', [join(root, 'bench/pytorch.py')], { encoding: 'utf8' }, (error, out) => {
      const lines = out.trim().split('\n').filter(Boolean);
      resolve(
        error
          ? [`PyTorch did not run: ${error.message.trim().split('\n').at(-1)}`]
          : lines.map((line) => `PyTorch, the same MoCo step, ${line}`),
      );
    });
  });
