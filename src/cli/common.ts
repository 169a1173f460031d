import type { Backend } from '../backend/backend.js';
import { device } from '../backend/device.js';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import type { AdapterChoice } from '../gpu/adapter.js';
import type { Flag, Parsed } from './args.js';
import { colour } from './colour.js';
import { fitted } from './screen.js';

/** Flags that every command has. */
export const commonFlags: readonly Flag[] = [
  { name: 'json', kind: 'switch', help: 'the result as one JSON object on stdout' },
  { name: 'quiet', kind: 'switch', help: 'nothing on stderr but errors' },
  { name: 'verbose', kind: 'switch', help: 'more on stderr, and the stack of an error' },
  { name: 'help', kind: 'switch', help: 'this text; -h too' },
];

/** The flag of every command that computes. */
export const adapterFlag: Flag = { name: 'adapter', kind: 'text', help: 'any, hardware or software (any)' };

/** Opens the device that --adapter asks for. */
export const openDevice = ({ flags }: Pick<Parsed, 'flags'>): Promise<Backend> => device({ adapter: flags.get('adapter') as AdapterChoice | undefined });

/** On what a command computes. */
export const whereabouts = (on: Backend): string =>
  (on instanceof GpuBackend && on.gpu.software ? `No GPU is used: computing in software on ${on.name}.` : `Computing on ${on.name}.`);

/** Where a command's words go: the result to stdout, for people or as JSON; all else to stderr, as much as is wanted. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;

  /** @throws ConfigError for --quiet and --verbose at once. */
  constructor({ flags }: Parsed) {
    this.json = flags.has('json');
    this.quiet = flags.has('quiet');
    this.verbose = flags.has('verbose');
    if (this.quiet && this.verbose) throw new ConfigError('--quiet: it and --verbose exclude each other; got both. Leave one out.');
  }

  /** What the command was called for: `value` with --json, else `text`. */
  result(text: string, value: object): void {
    console.log(this.json ? JSON.stringify(value, null, 2) : fitted(text, process.stdout));
  }

  /** What happens meanwhile. */
  tell(text: string): void {
    if (!this.quiet) process.stderr.write(`${fitted(text, process.stderr)}\n`);
  }

  warn(text: string): void {
    this.tell(`${colour(process.stderr).yellow('Warning:')} ${text}`);
  }

  /** What only --verbose tells. */
  detail(text: string): void {
    if (this.verbose) this.tell(text);
  }
}
