import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const cli = new URL('../../dist/cli.js', import.meta.url).pathname;

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

interface Options {
  env?: NodeJS.ProcessEnv;
  /** Told what stderr holds so far, and how to interrupt. */
  onErr?: (text: string, kill: () => void) => void;
}

/** The built command, run in a folder of its own that is removed after the tests. */
export function builtCommand(name: string): {
  folder: string;
  run: (args: string[], options?: Options) => Promise<Ended>;
} {
  const folder = mkdtempSync(join(tmpdir(), `dawngrad-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (args: string[], { env, onErr }: Options = {}) =>
    new Promise<Ended>((resolve) => {
      const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env });
      const ended = { out: '', err: '' };
      child.stdout.on('data', (d) => (ended.out += d));
      child.stderr.on('data', (d) => {
        ended.err += d;
        onErr?.(ended.err, () => child.kill('SIGINT'));
      });
      child.on('close', (code) => resolve({ code, ...ended }));
    });
  return { folder, run };
}
