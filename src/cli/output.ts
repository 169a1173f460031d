import type { Parsed } from './args.js';
import { colour } from './colour.js';
import { fitted } from './terminal.js';

/** What a command prints: the result to stdout, for people or as JSON; all else to stderr, as much as is wanted. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;

  constructor({ flags }: Parsed) {
    this.json = flags.has('json');
    this.quiet = flags.has('quiet');
    this.verbose = flags.has('verbose');
  }

  /** What the command was called for: `value` with --json, else `text`. */
  result(text: string, value: object): void {
    console.log(this.json ? JSON.stringify(value, null, 2) : fitted(text, process.stdout));
  }

  /** What happens meanwhile. */
  log(text: string): void {
    if (!this.quiet) process.stderr.write(`${fitted(text, process.stderr)}\n`);
  }

  warn(text: string): void {
    this.log(`${colour(process.stderr).yellow('Warning:')} ${text}`);
  }

  /** What only --verbose tells. */
  detail(text: string): void {
    if (this.verbose) this.log(text);
  }
}
