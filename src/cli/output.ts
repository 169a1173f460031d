import { visible } from '../core/visible.js';
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
    // JSON reads the spelt-out characters back as they were
    console.log(this.json ? visible(JSON.stringify(value, null, 2)) : fitted(text, process.stdout));
  }

  /** A result with colours in it, and no names but our own. */
  painted(text: string, value: object): void {
    if (this.json) this.result(text, value);
    else console.log(fitted('', process.stdout, text));
  }

  /** What happens meanwhile. @param before may hold colours. */
  log(text: string, before?: string): void {
    if (!this.quiet) process.stderr.write(`${fitted(text, process.stderr, before)}\n`);
  }

  warn(text: string): void {
    this.log(text, `${colour(process.stderr).yellow('Warning:')} `);
  }

  /** What only --verbose tells. */
  detail(text: string): void {
    if (this.verbose) this.log(text);
  }
}
