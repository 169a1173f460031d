import { ConfigError } from '../core/errors.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { checkMechanisms, mechanisms, type MechanismsConfig } from '../studies/mechanisms.js';
import { mechanismsReport, mechanismsText } from '../studies/mechanisms-report.js';
import type { Parsed } from './args.js';
import type { Experiment } from './study.js';

const configOf = ({ flags }: Parsed, size: number): MechanismsConfig => {
  const value = <T>(name: string, otherwise: T) => (flags.get(name) as T | undefined) ?? otherwise;
  const batch = value('batch', 32);
  const base: PretrainConfig = {
    ...demoConfig, size, batch, model: value('model', demoConfig.model), epochs: value('epochs', 12),
    seed: value('seed', 1), K: value('K', 128), m: value('m', 0.99),
  };
  const config: MechanismsConfig = {
    base, Ks: numbers('Ks', value('Ks', ['32', '64', '128', '256'])), momenta: numbers('momenta', value('momenta', ['0', '0.9', '0.99', '0.999', '0.9999'])),
    endToEndLimit: value('end-to-end-limit', 64), seeds: value('seeds', 1),
  };
  checkMechanisms(config);
  return config;
};

function numbers(name: string, given: string[]): number[] {
  const list = given.map(Number);
  if (list.length === 0 || !list.every(Number.isFinite)) throw new ConfigError(`--${name}: it takes numbers; got ${given.join()}. Write them with commas between.`);
  return list;
}

/** `dawngrad experiment mechanisms`. */
export const mechanismsCommand: Experiment = {
  help: `dawngrad experiment mechanisms [DATA] [flags]

Pretrains by the end-to-end mechanism, by a memory bank and by MoCo with dictionaries of several sizes K, and by
MoCo with several momenta m, and measures each encoder by weighted k-NN on held-out pictures: figure 3 and the
momentum table of MoCo's paper, at a size that fits the machine. End-to-end, K is the batch.

Examples
  dawngrad experiment mechanisms
  dawngrad experiment mechanisms cifar/train --classes airplane,automobile,bird,cat --limit 200 --seeds 3
  dawngrad experiment mechanisms photos --Ks 64,256,1024 --epochs 50`,
  flags: [
    { name: 'Ks', kind: 'list', help: 'sizes of the dictionary (32,64,128,256)' },
    { name: 'momenta', kind: 'list', help: 'momenta of the key encoder (0,0.9,0.99,0.999,0.9999)' },
    { name: 'end-to-end-limit', kind: 'number', help: 'largest batch of the end-to-end mechanism (64)' },
    { name: 'K', kind: 'number', help: 'keys in the queue where m is compared (128)' },
    { name: 'm', kind: 'number', help: 'momentum where K is compared (0.99)' },
    { name: 'epochs', kind: 'number', help: 'epochs of each pretraining (12)' },
    { name: 'batch', kind: 'number', help: 'pictures a step of MoCo and the memory bank (32)' },
    { name: 'model', kind: 'text', help: `the encoder (${demoConfig.model})` },
  ],
  config: configOf,
  async run(args, { sets, size, kept, made, pictures, tell }) {
    const results = await mechanisms(sets, configOf(args, size), kept, tell);
    return { results, html: mechanismsReport(results, { ...made, pictures }), text: mechanismsText(results) };
  },
};
