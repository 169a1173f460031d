import { defaultsOf } from '../core/settings.js';
import { demoConfig } from '../moco/config.js';
import {
  checkMechanisms,
  type MechanismsConfig,
  mechanisms,
  mechanismsBase,
  mechanismsSettings,
} from '../studies/mechanisms.js';
import { mechanismsReport, mechanismsText } from '../studies/mechanisms-report.js';
import type { Parsed } from './args.js';
import type { Experiment } from './experiment-kind.js';
import { settingFlags, settingsFrom } from './flags.js';

const configOf = (args: Parsed): MechanismsConfig => {
  const base = settingsFrom(args, mechanismsBase, demoConfig);
  const config = { base, ...settingsFrom(args, mechanismsSettings, defaultsOf(mechanismsSettings)) };
  checkMechanisms(config);
  return config;
};

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
  flags: settingFlags({ ...mechanismsSettings, ...mechanismsBase }),
  plan(args) {
    const config = configOf(args);
    return { ...config.base, config };
  },
  async run(args, { sets, cache, made, pictures, log }) {
    const results = await mechanisms(sets, configOf(args), cache, log);
    return { results, html: mechanismsReport(results, { ...made, pictures }), text: mechanismsText(results) };
  },
};
