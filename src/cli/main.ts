#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ConfigError, DawngradError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { compare } from './compare.js';
import { colour } from './colour.js';
import { convert } from './convert.js';
import { doctor } from './doctor.js';
import { embed } from './embed.js';
import { experiment } from './experiment.js';
import { exportEncoder } from './export.js';
import { finetune } from './finetune.js';
import { knn } from './knn.js';
import { linear } from './linear.js';
import { pretrain } from './pretrain.js';
import { search } from './search.js';
import { summary } from './summary.js';

type Command = (argv: string[], version: string) => Promise<number>;

/** Every command: how it is called, and what it does. */
const commands: Record<string, [run: Command, usage: string, what: string]> = {
  pretrain: [pretrain, '[DATA]', 'train an encoder on unlabelled pictures by MoCo v1, v2, v3 and their rivals'],
  compare: [compare, 'RUN RUN …', 'set runs side by side: what differs, what they reached, their curves'],
  knn: [knn, 'RUN [DATA]', 'accuracy of weighted k-NN on held-out pictures, for several k and T'],
  linear: [linear, 'RUN [DATA]', 'accuracy of a linear classifier on frozen features, as papers measure encoders'],
  finetune: [finetune, 'RUN DATA', 'train a classifier, all of it, from a pretrained encoder'],
  experiment: [experiment, 'NAME [DATA]', "four-way: four classifiers; mechanisms: MoCo beside its rivals, over K and m"],
  embed: [embed, 'DATA', 'write the features of pictures: .npy, .safetensors, .csv or for the embedding projector'],
  search: [search, 'PICTURE DATA', "find the pictures most similar to one, by an encoder's features"],
  convert: [convert, 'IN OUT', 'read a PyTorch or safetensors checkpoint; write safetensors, or a run to go on with'],
  export: [exportEncoder, 'IN OUT', 'write an encoder as ONNX, or as a folder for transformers.js'],
  summary: [summary, '', 'print the layers of a model with shapes, parameters and operations'],
  doctor: [doctor, '', 'test and measure the adapters of this machine; tell what to install'],
};

const usages = Object.entries(commands).map(([name, [, usage, what]]) => [`${name} ${usage}`, what]);

const help = `dawngrad <command> [flags]

Commands
${usages.map(([usage, what]) => `  ${usage.padEnd(24)}${what}`).join('\n')}

dawngrad <command> --help tells the flags of a command; dawngrad --version the version.
Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 no usable adapter, 4 bad data or checkpoint,
130 interrupted after saving.`;

const version = (): string => (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'help' && rest.length > 0) return main([...rest, '--help']);
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
  return commands[name][0](rest, version());
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof DawngradError;
    process.stderr.write(`${expected && !process.argv.includes('--verbose') ? `${colour(process.stderr).red('Error:')} ${error.message}` : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(expected ? error.exitCode : 1);
  },
);
