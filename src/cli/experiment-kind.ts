import type { PretrainConfig } from '../moco/config.js';
import type { ResultCache } from '../studies/cache.js';
import type { Sets } from '../studies/four-way.js';
import type { Made } from '../studies/four-way-report.js';
import type { Flag, Parsed } from './args.js';

/** An experiment of the command line. */
export interface Experiment {
  help: string;
  flags: readonly Flag[];
  /** Its configuration, checked as far as that needs no pictures, and what pictures it is for. */
  plan(args: Parsed): Plan;
  run(args: Parsed, setting: Setting): Promise<{ results: object; html: string; text: string }>;
}

/** What an experiment does, and the pictures it needs. */
export interface Plan extends Pick<PretrainConfig, 'size' | 'seed' | 'cropMin'> {
  config: object;
}

/** Everything around an experiment. */
export interface Setting {
  sets: Sets;
  cache: ResultCache;
  made: Made;
  /** The pictures in a sentence. */
  pictures: string;
  log(text: string): void;
}
