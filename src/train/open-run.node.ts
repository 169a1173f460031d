import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readRunFile } from '../checkpoints/run-files.js';
import { check, text } from '../core/check.js';
import { DawngradError, FormatError } from '../core/errors.js';
import { version } from '../core/version.js';
import { replaceFile } from '../io/atomic.node.js';
import { checkInfo, checkpoints, Run, type RunInfo, type Which } from './run.node.js';

/** @throws FormatError when a folder holds a run, so that no other can start there. */
export function checkFree(folder: string): void {
  if (existsSync(join(folder, 'config.json')))
    throw new FormatError(
      `${folder}: a new run must have a folder of its own; got one that holds a run. ` +
        `Continue it with --resume ${folder}, or choose another --out.`,
    );
  const stray = [...Object.values(checkpoints).map((name) => `${name}.safetensors`), 'metrics.jsonl'];
  const found = stray.find((name) => existsSync(join(folder, name)));
  if (found !== undefined)
    throw new FormatError(
      `${folder}: a new run must have a folder of its own; got one that holds ${found}. ` +
        'Move that away, or choose another --out.',
    );
}

/**
 * Makes the folder of a new run, by this version of the library, and takes it for this process alone.
 * @param first what is to be there before the folder counts as a run.
 * @throws FormatError when it already holds a run, or another process has it.
 */
export async function startRun(
  folder: string,
  about: Omit<RunInfo, 'version'>,
  first?: (run: Run) => Promise<void>,
): Promise<Run> {
  check('startRun', 'the folder', folder, text);
  checkInfo('startRun', about);
  const info = { ...about, version };
  checkFree(folder);
  mkdirSync(folder, { recursive: true });
  const run = new Run(folder, info);
  run.open();
  try {
    checkFree(folder); // nobody else has begun one
    const file = run.file('config.json');
    await first?.(run);
    await replaceFile(file, `${JSON.stringify({ ...info, seed: info.config.seed }, null, 2)}\n`);
  } catch (error) {
    run.close();
    throw error;
  }
  return run;
}

/**
 * Opens the run that a path names: its folder, or one of its checkpoints (RUN/best, RUN/best.safetensors; RUN/previous
 * for the last but one; RUN/last or RUN/checkpoint.safetensors for the last one, as the folder alone).
 * @throws FormatError when it holds none.
 */
export function openRun(path: string): Run {
  check('openRun', 'the path', path, text);
  const within = checkpointIn(path);
  return within ? openFolder(dirname(path), within) : openFolder(path);
}

/** The same, or undefined if the path names something else. @throws FormatError for a damaged run. */
export function findRun(path: string): Run | undefined {
  return checkpointIn(path) || existsSync(join(path, 'config.json')) ? openRun(path) : undefined;
}

/** Which checkpoint of a run a path names, if it is one within a run's folder. */
function checkpointIn(path: string): Which | undefined {
  const name = basename(path);
  const which = (Object.keys(checkpoints) as Which[]).find(
    (w) => name === w || name === `${checkpoints[w]}.safetensors`,
  );
  if (which === undefined || existsSync(join(path, 'config.json'))) return undefined;
  try {
    openFolder(dirname(path));
    return which;
  } catch (error) {
    if (error instanceof DawngradError) return undefined; // a checkpoint of that name elsewhere
    throw error;
  }
}

function openFolder(folder: string, which?: Which): Run {
  const file = join(folder, 'config.json');
  if (!existsSync(file))
    throw new FormatError(
      `${folder}: a run's folder must hold config.json; got none. Name the folder that a run was written to.`,
    );
  return new Run(folder, readRunFile(readFileSync(file, 'utf8'), file), which);
}
