import { checkFourWay, fourWay, type FourWayConfig } from '../studies/four-way.js';
import { fourWayReport, fourWayText } from '../studies/four-way-report.js';
import type { Precision } from '../ops/precision.js';
import type { Parsed } from './args.js';
import type { Experiment } from './study.js';

const configOf = ({ flags }: Parsed, size: number): FourWayConfig => {
  const value = <T>(name: string, otherwise: T) => (flags.get(name) as T | undefined) ?? otherwise;
  const config: FourWayConfig = {
    resnet: value('resnet', 'resnet-tiny'), vit: value('vit', 'vit-mini'), epochs: value('epochs', 50), pretrainEpochs: value('pretrain-epochs', 50),
    batch: value('batch', 32), size, cropMin: value('crop-min', 0.4), seeds: value('seeds', 3), seed: value('seed', 1),
    precision: flags.get('precision') as Precision | undefined,
  };
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
  flags: [
    { name: 'epochs', kind: 'number', help: 'epochs of each classifier (50)' },
    { name: 'pretrain-epochs', kind: 'number', help: 'epochs of each pretraining (50)' },
    { name: 'batch', kind: 'number', help: 'pictures a step, in both (32)' },
    { name: 'resnet', kind: 'text', help: 'the ResNet (resnet-tiny)' },
    { name: 'vit', kind: 'text', help: 'the vision transformer (vit-mini: patches of 8, for pictures of 32)' },
    { name: 'crop-min', kind: 'number', help: 'smallest part of a picture that a classifier is shown (0.4)' },
    { name: 'precision', kind: 'text', help: 'of all trainings: f32, or f16, activations as halves and the loss scaled (f32)' },
  ],
  config: configOf,
  async run(args, { sets, size, kept, made, tell }) {
    const results = await fourWay(sets, configOf(args, size), kept, tell);
    return { results, html: fourWayReport(results, sets, made), text: fourWayText(results, sets) };
  },
};
