/** dawngrad: tensors, autograd, layers and MoCo on WebGPU, in Node and in browsers. */
import './ops/methods.js';

export { loadCheckpoint, saveCheckpoint } from './checkpoints/checkpoint.js';
export { buildClassifier, type ClassifierOptions } from './checkpoints/classifier.js';
export { buildEncoder, type EncoderFile, encoderOf } from './checkpoints/encoder.js';
export { encoderWeights, torchWeights, type Weights } from './checkpoints/layout.js';
export { onnxFolder } from './checkpoints/onnx.js';
export { checkUnchanged } from './checkpoints/unchanged.js';
export { CIFAR10_CLASSES, parseCifar10 } from './data/cifar.js';
export { alignClasses } from './data/classes.js';
export { parseIdx } from './data/idx.js';
export { loadPictures } from './data/load-pictures.js';
export type { PictureSet, PictureSource, Pictures, Pixels, StreamedPictures } from './data/picture-source.js';
export { limitPerClass, pictureAt, selectClasses, splitHeldOut, subset } from './data/pictures.js';
export { syntheticPictures } from './data/synthetic.js';
export * from './engine.js';
export { embedPictures, pixelFeatures } from './eval/embed.js';
export { type FeatureMap, mapFeatures } from './eval/feature-map.js';
export { type Features, knnAccuracy, knnSweep, nearestNeighbours } from './eval/knn.js';
export { type LinearConfig, linearRecipes } from './eval/linear-config.js';
export type { LinearRecord } from './eval/linear-fit.js';
export { type LinearData, type LinearResult, linearProbe } from './eval/linear-probe.js';
export type { Sweep, SweptRate } from './eval/linear-sweep.js';
export { type Pca, pca } from './eval/pca.js';
export { type EmbeddingTable, embeddingsCsv, projectorFiles } from './io/embeddings.js';
export { encodeNpy } from './io/npy.js';
export { dataUri, encodePng } from './io/png.js';
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.js';
export { decodeTorch } from './io/torch.js';
export { TorchTensor } from './io/torch-tensor.js';
export { demoConfig, type PretrainConfig } from './moco/config.js';
export { createMethod } from './moco/create.js';
export { EndToEnd } from './moco/end-to-end.js';
export { MemoryBank } from './moco/memory-bank.js';
export type { Method, Part, Rates } from './moco/method.js';
export { MoCo, type MoCoOptions } from './moco/moco.js';
export { MoCoV3 } from './moco/moco-v3.js';
export { presetOf, presets } from './moco/presets.js';
export { type ReportData, renderReport } from './report/run-report.js';
export { noCache, type ResultCache } from './studies/cache.js';
export { type FourWay, type FourWayConfig, fourWay, standing } from './studies/four-way.js';
export { type Mechanisms, type MechanismsConfig, mechanisms } from './studies/mechanisms.js';
export { Pretraining } from './train/pretrain.js';
export type { PretrainHooks } from './train/records.js';
export {
  type ClassifierEpoch,
  type ClassifierHooks,
  type SupervisedConfig,
  supervisedRecipe,
  trainClassifier,
} from './train/supervised.js';
