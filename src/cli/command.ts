import type { Flag, Parsed } from './args.js';

/** A command of the command line; what all of them share, main.ts does. */
export interface Command {
  flags: readonly Flag[];
  /** What --help prints. */
  help: string | ((args: Parsed) => string);
  /** Returns the exit code. */
  run(args: Parsed, call: Call): Promise<number>;
}

/** A word before the names of several commands. */
export interface Group {
  help: string;
  commands: Readonly<Record<string, Command | Group>>;
}

/** How a command was called, as results record it. */
export interface Call {
  version: string;
  /** The command as a shell takes it. */
  command: string;
}
