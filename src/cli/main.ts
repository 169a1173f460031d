#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ConfigError, DawngradError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { convert } from './convert.js';
import { embed } from './embed.js';
import { exportEncoder } from './export.js';
import { pretrain } from './pretrain.js';
import { profile } from './profile.js';

const commands: Record<string, (argv: string[], version: string) => Promise<number>> = { convert, embed, export: exportEncoder, pretrain, profile };

const help = `dawngrad <command> [flags]

Commands
  pretrain [DATA]   train an encoder on unlabelled pictures by MoCo v1, v2, v3 and their rivals
  convert IN OUT    read a PyTorch or safetensors checkpoint; write safetensors, or a run to go on with
  embed DATA        write the features of pictures: .npy, .safetensors, .csv or for the embedding projector
  profile [DATA]    time every dispatch of a training step, and write a trace
  export IN OUT     write an encoder as ONNX, or as a folder for transformers.js

dawngrad <command> --help tells the flags of a command; dawngrad --version the version.
Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 no usable adapter, 4 bad data or checkpoint,
130 interrupted after saving.`;

const version = (): string => (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    console.log(version());
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    const near = nearest(name, Object.keys(commands));
    throw new ConfigError(`dawngrad: the first word is a command; got ${name}. ${near ? `Did you mean ${near}?` : 'See dawngrad --help.'}`);
  }
  return commands[name](rest, version());
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof DawngradError;
    process.stderr.write(`${expected ? `Error: ${error.message}` : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(expected ? error.exitCode : 1);
  },
);
