/**
 * The engine alone: tensors, autograd, every operation, layers and optimizers on WebGPU, without MoCo and without
 * methods of tensors, so that a page holds only what it uses.
 */

export type { DispatchRecord } from './backend/backend.js';
export { type Backend, backend, useBackend } from './backend/backend.js';
export { type Ceiling, measureCeiling } from './backend/ceiling.js';
export { type DeviceOptions, device } from './backend/device.js';
export type { Measured } from './backend/measure-variants.js';
export { type TuningTable, tune } from './backend/tune.js';
export { type Compiled, compile } from './compile/compile.js';
export { HostArray, type Input, type Inputs, type OnDevice } from './compile/inputs.js';
export { chromeTrace, profile } from './compile/profile.js';
export type { DType, TypedArray } from './core/dtype.js';
export * from './core/errors.js';
export { Rng } from './core/rng.js';
export type { Shape } from './core/shape.js';
export { GELU, ReLU } from './nn/activations.js';
export { BatchNorm } from './nn/batch-norm.js';
export { convBn } from './nn/conv-bn.js';
export { Conv2d } from './nn/conv2d.js';
export { manualSeed } from './nn/init.js';
export { LayerNorm } from './nn/layer-norm.js';
export { Linear, Sequential } from './nn/linear.js';
export { buildModel, type Encoder, models } from './nn/models.js';
export { Module } from './nn/module.js';
export { AvgPool2d, Flatten, GlobalAvgPool2d, MaxPool2d } from './nn/pooling.js';
export { positionEmbedding } from './nn/position-embedding.js';
export { ResNet, type ResNetOptions, resnet, resnetNames } from './nn/resnet.js';
export { type LayerSummary, type Summary, summary } from './nn/summary.js';
export { VisionTransformer, type VisionTransformerOptions, vit, vitNames } from './nn/vit.js';
export { type AdamWOptions, type AdamWState, adamw } from './ops/adamw.js';
export { at, type Booleans, type Index, mask } from './ops/at.js';
export { type AttentionOptions, attention, attentionQkv } from './ops/attention.js';
export { attentionUnfused } from './ops/attention_unfused.js';
export { type AugmentOptions, augment, normalizePictures } from './ops/augment.js';
export {
  type Augmentation,
  cifarAugmentation,
  mocoV1Augmentation,
  mocoV2Augmentation,
  sampleAugmentation,
} from './ops/augment_params.js';
export { avgPool, globalAvgPool } from './ops/avg_pool.js';
export { bankWrite } from './ops/bank_write.js';
export { batchNorm, type TileStatistics } from './ops/batch_norm.js';
export { add, div, greater, maximum, mul, sub } from './ops/binary.js';
export { cast } from './ops/cast.js';
export { type Conv2dOptions, conv2d, type StatisticsRequest } from './ops/conv2d.js';
export { crossEntropy } from './ops/cross_entropy.js';
export { ema } from './ops/ema.js';
export { gather } from './ops/gather.js';
export { type InfoNce, infoNce } from './ops/info_nce.js';
export { l2Normalize } from './ops/l2_normalize.js';
export { type LarsOptions, type LarsTable, lars, larsTable } from './ops/lars.js';
export { layerNorm } from './ops/layer_norm.js';
export { linear } from './ops/linear.js';
export { type LossScaleOptions, lossScale } from './ops/loss_scale.js';
export { type MatmulOptions, matmul } from './ops/matmul.js';
export { maxPool } from './ops/max_pool.js';
export { mse } from './ops/mse.js';
export { pick } from './ops/pick.js';
export { type Precision, withPrecision } from './ops/precision.js';
export { queueWrite } from './ops/queue_write.js';
export { argmax, max, mean, sum, variance } from './ops/reduce.js';
export { reshape } from './ops/reshape.js';
export { restore } from './ops/restore.js';
export { rowDot } from './ops/row_dot.js';
export { type Checked, selfCheck } from './ops/self_check.js';
export { type SgdOptions, sgd } from './ops/sgd.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { concat, expand, slice, transpose } from './ops/strided.js';
export { clamp, exp, gelu, log, neg, relu, sigmoid, sqrt, tanh } from './ops/unary.js';
export type { Guard } from './ops/update.js';
export { where } from './ops/where.js';
export { AdamW } from './optim/adamw.js';
export { LARS } from './optim/lars.js';
export { LossScale } from './optim/loss-scale.js';
export type { LearningRate, Optimizer } from './optim/optimizer.js';
export { cosine, momentumCosine, scaledRate, stepDecay, warmupCosine } from './optim/schedule.js';
export { SGD } from './optim/sgd.js';
export { backward, noGrad, record, zeroGrad } from './tensor/autograd.js';
export { full, ones, scalar, zeros } from './tensor/fill.js';
export { dependsOn, onReplay } from './tensor/replay.js';
export { empty, parameter, state, Tensor, tensor } from './tensor/tensor.js';
export { tidy } from './tensor/tidy.js';
