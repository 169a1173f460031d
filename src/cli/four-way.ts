import { defaultsOf } from '../core/settings.js';
import { demoConfig } from '../moco/config.js';
import { checkFourWay, type FourWayConfig, fourWay, fourWaySettings } from '../studies/four-way.js';
import { fourWayReport, fourWayText } from '../studies/four-way-report.js';
import type { Parsed } from './args.js';
import type { Experiment } from './experiment-kind.js';
import { settingFlags, settingsFrom } from './flags.js';

const configOf = (args: Parsed): FourWayConfig => {
  const config = settingsFrom(args, fourWaySettings, defaultsOf(fourWaySettings));
  checkFourWay(config);
  return config;
};

/** `dawngrad experiment four-way`. */
export const fourWayCommand: Experiment = {
  help: `dawngrad experiment four-way [DATA] [flags]

Trains a ResNet and a vision transformer as classifiers, each from scratch and from an encoder that MoCo
pretrained on the same training pictures without labels (the ResNet by MoCo v2, the transformer by v3), over
several seeds. Reports accuracy, its spread, and how smooth the curves of held-out accuracy are.

Examples
  dawngrad experiment four-way
  dawngrad experiment four-way cifar/train --classes airplane,automobile,bird,cat --limit 100
  dawngrad experiment four-way photos --resnet resnet18 --vit vit-tiny --epochs 50 --pretrain-epochs 200`,
  flags: settingFlags(fourWaySettings),
  plan(args) {
    const config = configOf(args);
    return { ...config, cropMin: Math.min(config.cropMin, demoConfig.cropMin), config };
  },
  async run(args, { sets, cache, made, log }) {
    const results = await fourWay(sets, configOf(args), cache, log);
    return { results, html: fourWayReport(results, sets, made), text: fourWayText(results, sets) };
  },
};
