import type { Sets } from '../studies/four-way.js';
import type { Made } from '../studies/four-way-report.js';
import type { Kept } from '../studies/cache.js';
import type { Flag, Parsed } from './args.js';

/** An experiment of the command line. */
export interface Experiment {
  help: string;
  flags: readonly Flag[];
  /** Its configuration, for data that is split by `--held-out` and `--seed`; checked, as far as that needs no pictures. */
  config(args: Parsed, size: number): object;
  run(args: Parsed, setting: Setting): Promise<{ results: object; html: string; text: string }>;
}

/** Everything around an experiment. */
export interface Setting {
  sets: Sets;
  size: number;
  kept: Kept;
  made: Made;
  /** The pictures in a sentence. */
  pictures: string;
  tell(text: string): void;
}
