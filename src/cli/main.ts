#!/usr/bin/env node
import { ConfigError, DawngradError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { version } from '../core/version.js';
import { visible } from '../core/visible.js';
import { commandLine, parseArgs } from './args.js';
import { checkFlags } from './check-flags.js';
import { colour } from './colour.js';
import type { Command, Group } from './command.js';
import { compare } from './compare.js';
import { convert } from './convert.js';
import { doctor } from './doctor.js';
import { embed } from './embed.js';
import { experiment } from './experiment.js';
import { exportEncoder } from './export.js';
import { finetune } from './finetune.js';
import { knn } from './knn.js';
import { linear } from './linear.js';
import { pretrain } from './pretrain.js';
import { profile } from './profile.js';
import { search } from './search.js';
import { summary } from './summary.js';
import { fitted } from './terminal.js';

/** Every command: how it is called, and what it does. */
const table: Record<string, [command: Command | Group, usage: string, what: string]> = {
  pretrain: [pretrain, '[DATA]', 'train an encoder on unlabelled pictures by MoCo v1, v2, v3 and their rivals'],
  compare: [compare, 'RUN RUN …', 'set runs side by side: what differs, what they reached, their curves'],
  knn: [knn, 'RUN [DATA]', 'accuracy of weighted k-NN on held-out pictures, for several k and T'],
  linear: [linear, 'RUN [DATA]', 'accuracy of a linear classifier on frozen features, as papers measure encoders'],
  finetune: [finetune, 'RUN DATA', 'train a classifier, all of it, from a pretrained encoder'],
  experiment: [
    experiment,
    'NAME [DATA]',
    'four-way: four classifiers; mechanisms: MoCo beside its rivals, over K and m',
  ],
  embed: [embed, 'DATA', 'write the features of pictures: .npy, .safetensors, .csv or for the embedding projector'],
  search: [search, 'PICTURE DATA', "find the pictures most similar to one, by an encoder's features"],
  convert: [convert, 'IN OUT', 'read a PyTorch or safetensors checkpoint; write safetensors, or a run to go on with'],
  export: [exportEncoder, 'IN OUT', 'write an encoder as ONNX, or as a folder for transformers.js'],
  profile: [profile, '[DATA]', 'time every dispatch of a training step; write a trace for Chrome'],
  summary: [summary, '', 'print the layers of a model with shapes, parameters and operations'],
  doctor: [doctor, '', 'test and measure the adapters of this machine; tell what to install'],
};

const usages = Object.entries(table).map(([name, [, usage, what]]) => [`${name} ${usage}`, what]);

const help = `dawngrad <command> [flags]

Commands
${usages.map(([usage, what]) => `  ${usage.padEnd(24)}${what}`).join('\n')}

dawngrad <command> --help tells the flags of a command; dawngrad --version the version.
Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 no usable adapter, 4 bad data or checkpoint,
5 training diverged, 130 interrupted after saving.`;

const dawngrad: Group = {
  help,
  commands: Object.fromEntries(Object.entries(table).map(([name, [command]]) => [name, command])),
};

async function main(argv: string[]): Promise<number> {
  if (argv[0] !== '--version') return dispatch('', dawngrad, argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv);
  console.log(version);
  return 0;
}

/** Runs the command that the next words name, or prints its help. */
async function dispatch(path: string, named: Command | Group, argv: string[]): Promise<number> {
  if ('commands' in named) return choose(path, named, argv);
  const args = parseArgs(path, argv, named.flags);
  if (!args.flags.has('help')) {
    checkFlags(args, named.flags);
    return named.run(args, { version, command: commandLine(path, argv) });
  }
  console.log(typeof named.help === 'string' ? named.help : named.help(args));
  return 0;
}

async function choose(path: string, { help, commands }: Group, [name, ...rest]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(help);
    return name === undefined ? 2 : 0;
  }
  if (Object.hasOwn(commands, name)) return dispatch(`${path} ${name}`.trim(), commands[name], rest);
  const near = nearest(name, Object.keys(commands));
  const advice = near ? `Did you mean ${near}?` : `See ${`dawngrad ${path}`.trim()} --help.`;
  throw new ConfigError(
    `${path || 'dawngrad'}: the ${path ? 'next' : 'first'} word is a command; got ${name}. ${advice}`,
  );
}

// a reader that goes away ends no training
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof DawngradError;
    const brief = expected && !process.argv.includes('--verbose');
    const text = brief
      ? fitted(error.message, process.stderr, `${colour(process.stderr).red('Error:')} `)
      : visible(error instanceof Error ? error.stack! : String(error));
    process.stderr.write(`${text}\n`);
    process.exit(expected ? error.exitCode : 1);
  },
);
