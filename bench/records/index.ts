import type { Bench } from '../record.js';
import * as adaptive from './adaptive.js';
import * as attention from './attention.js';
import * as augment from './augment.js';
import * as batchNorm from './batch_norm.js';
import * as conv2d from './conv2d.js';
import * as elementwise from './elementwise.js';
import * as layerNorm from './layer_norm.js';
import * as losses from './losses.js';
import * as matmul from './matmul.js';
import * as moco from './moco_step.js';
import * as pooling from './pooling.js';
import * as resnet from './resnet_step.js';
import * as softmax from './softmax.js';
import * as strided from './strided.js';
import * as sums from './sums.js';
import * as updates from './updates.js';

/** In the order of the table. */
export const benches: readonly Bench[] = [
  matmul.bench,
  conv2d.forward,
  conv2d.dX,
  conv2d.dW,
  batchNorm.bench,
  layerNorm.bench,
  attention.bench,
  losses.softmax,
  losses.infoNceBench,
  elementwise.addition,
  elementwise.scaling,
  elementwise.reluBench,
  elementwise.geluBench,
  sums.sums,
  sums.maxima,
  sums.places,
  softmax.bench,
  pooling.largest,
  pooling.means,
  strided.transposes,
  strided.slices,
  strided.concats,
  updates.optimizer,
  adaptive.larsBench,
  adaptive.adamBench,
  updates.momentumBench,
  augment.bench,
  resnet.bench,
  moco.bench,
];
