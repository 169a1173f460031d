/** dawngrad: tensors, autograd, layers and MoCo on WebGPU, in Node and in browsers. */
export * from './core/errors.js';
export type { DType, TypedArray } from './core/dtype.js';
export type { Shape } from './core/shape.js';
export { Rng } from './core/rng.js';
export { device, type DeviceOptions } from './backend/device.js';
export { type Backend, backend, useBackend } from './backend/backend.js';
export { empty, parameter, state, Tensor, tensor } from './tensor.js';
export { full, ones, scalar, zeros } from './fill.js';
export { step } from './step.js';
export { backward, noGrad, record, zeroGrad } from './autograd.js';

export { add, div, greater, maximum, mul, sub } from './ops/binary.js';
export { where } from './ops/where.js';
export { clamp, exp, gelu, log, neg, relu, sigmoid, sqrt, tanh } from './ops/unary.js';
export { argmax, max, mean, sum, variance } from './ops/reduce.js';
export { matmul, type MatmulOptions } from './ops/matmul.js';
export { conv2d, type Conv2dOptions } from './ops/conv2d.js';
export { batchNorm } from './ops/batch_norm.js';
export { maxPool } from './ops/max_pool.js';
export { avgPool, globalAvgPool } from './ops/avg_pool.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { crossEntropy } from './ops/cross_entropy.js';
export { l2Normalize } from './ops/l2_normalize.js';
export { rowDot } from './ops/row_dot.js';
export { concat, expand, slice, transpose } from './ops/strided.js';
export { reshape } from './ops/reshape.js';
export { gather } from './ops/gather.js';
export { cast } from './ops/cast.js';
export { type InfoNce, infoNce } from './ops/info_nce.js';
export { queueWrite } from './ops/queue_write.js';
export { ema } from './ops/ema.js';
export { sgd, type SgdOptions } from './ops/sgd.js';
export { augment, type AugmentOptions, normalizePictures } from './ops/augment.js';
export { type Augmentation, cifarAugmentation, drawAugmentation, mocoV1Augmentation, mocoV2Augmentation } from './ops/augment_params.js';

export { copyState, Module } from './nn/module.js';
export { Conv2d } from './nn/conv2d.js';
export { Linear, Relu, Sequential } from './nn/linear.js';
export { BatchNorm } from './nn/batch_norm.js';
export { ResNet, resnet, resnetNames, type ResNetOptions } from './nn/resnet.js';
export { FlatParameters } from './optim/flat.js';
export { SGD } from './optim/sgd.js';
export { cosine } from './optim/schedule.js';

export { MoCo, type MoCoOptions, type Views } from './moco/moco.js';
export { demoConfig, type PretrainConfig } from './moco/config.js';
export { type PretrainHooks, Pretraining } from './moco/pretrain.js';
export { embedPictures, pixelFeatures } from './moco/embed.js';
export { type Features, knnAccuracy, nearestNeighbours } from './moco/knn.js';
export { loadCheckpoint, saveCheckpoint } from './moco/checkpoint.js';

export { limitPerClass, type Pictures, selectClasses, splitHeldOut, subset } from './data/pictures.js';
export { drawPictures } from './data/drawn.js';
export { CIFAR10_CLASSES, parseCifar10 } from './data/cifar.js';
export { parseIdx } from './data/idx.js';
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.js';
export { dataUri, encodePng } from './io/png.js';
export { renderReport, type ReportData } from './io/report.js';
