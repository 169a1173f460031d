import dwMatrixSource from '../../kernels/conv2d_dw_matrix.wgsl';
import dxMatrixSource from '../../kernels/conv2d_dx_matrix.wgsl';
import matrixSource from '../../kernels/conv2d_matrix.wgsl';
import type { Variant } from '../backend/variants.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import { dwTiles, dxTiles, yTiles } from './conv2d_cards.js';
import type { Conv2dTools } from './conv2d_parts.js';
import { byWhole } from './matmul_matrices.js';

// The variants of a convolution and of its two gradients for tensor cores.

type Rows = readonly Variant<Conv2dParams, 'matrix'>[];

export function conv2dMatrices(tools: Conv2dTools): Rows {
  const { canMatrix, kernel, pixelsOf } = tools;
  const matrix = byWhole(tools, 'conv2d_matrix', matrixSource, { B_T: 1 });
  const stats = kernel('conv2d_matrix', matrixSource, { B_T: 1, WHOLE: 0, STATS: 1 });
  const { launch, statistics } = yTiles(tools);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 81 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: canMatrix,
      launch: (p) => launch(matrix(pixelsOf(p), p.O / p.groups), 128, p),
      epilogue: { statistics: statistics(stats, 128, 64) },
    },
  ];
}

export function conv2dDxMatrices(tools: Conv2dTools): Rows {
  const { canMatrix, classPixels } = tools;
  const matrix = byWhole(tools, 'conv2d_dx_matrix', dxMatrixSource, {});
  const launch = dxTiles(tools);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 48 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: canMatrix,
      launch: (p) => launch(matrix(classPixels(p), p.C / p.groups), 128, p),
    },
  ];
}

export function conv2dDwMatrices(tools: Conv2dTools): Rows {
  const matrix = byWhole(tools, 'conv2d_dw_matrix', dwMatrixSource, { A_T: 1 });
  const launch = dwTiles(tools);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 55 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: tools.canMatrix,
      launch: (p, t) => launch(matrix(p.O / p.groups, (p.R * p.S * p.C) / p.groups), 128)(p, t),
    },
  ];
}
