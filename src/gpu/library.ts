import attentionLib from '../../kernels/lib/attention.wgsl';
import attentionTiledLib from '../../kernels/lib/attention_tiled.wgsl';
import columnStatsLib from '../../kernels/lib/column_stats.wgsl';
import combineLib from '../../kernels/lib/combine.wgsl';
import conv2dLib from '../../kernels/lib/conv2d.wgsl';
import conv2dDwLib from '../../kernels/lib/conv2d_dw.wgsl';
import conv2dDwOuterLib from '../../kernels/lib/conv2d_dw_outer.wgsl';
import conv2dDxLib from '../../kernels/lib/conv2d_dx.wgsl';
import conv2dDxTapLib from '../../kernels/lib/conv2d_dx_tap.wgsl';
import elementsLib from '../../kernels/lib/elements.wgsl';
import erfLib from '../../kernels/lib/erf.wgsl';
import indexLib from '../../kernels/lib/index.wgsl';
import lanesLib from '../../kernels/lib/lanes.wgsl';
import matmulLib from '../../kernels/lib/matmul.wgsl';
import matmulTiledLoadLib from '../../kernels/lib/matmul_tiled_load.wgsl';
import matrixLib from '../../kernels/lib/matrix.wgsl';
import matrixBeginLib from '../../kernels/lib/matrix_begin.wgsl';
import matrixMultiplyLib from '../../kernels/lib/matrix_multiply.wgsl';
import matrixStageLib from '../../kernels/lib/matrix_stage.wgsl';
import matrixStoreLib from '../../kernels/lib/matrix_store.wgsl';
import mmaLib from '../../kernels/lib/mma.wgsl';
import mmaMultiplyLib from '../../kernels/lib/mma_multiply.wgsl';
import mmaStoreLib from '../../kernels/lib/mma_store.wgsl';
import nanLib from '../../kernels/lib/nan.wgsl';
import reduceLib from '../../kernels/lib/reduce.wgsl';
import rngLib from '../../kernels/lib/rng.wgsl';
import rowScoresLib from '../../kernels/lib/row_scores.wgsl';
import rowScoresPairLib from '../../kernels/lib/row_scores_pair.wgsl';
import rowTilesLib from '../../kernels/lib/row_tiles.wgsl';
import scalarLib from '../../kernels/lib/scalar.wgsl';
import singleLib from '../../kernels/lib/single.wgsl';
import specialLib from '../../kernels/lib/special.wgsl';
import tileLib from '../../kernels/lib/tile.wgsl';
import multiplyLib from '../../kernels/lib/tile_multiply.wgsl';
import stageLib from '../../kernels/lib/tile_stage.wgsl';
import statsLib from '../../kernels/lib/tile_stats.wgsl';
import vec4Lib from '../../kernels/lib/vec4.wgsl';
import walkLib from '../../kernels/lib/walk.wgsl';
import windowLib from '../../kernels/lib/window.wgsl';

/** What `#import "name"` may name: every file of `kernels/lib/`. In published kernels they are in place already. */
export const library: Record<string, string> = {
  attention: attentionLib,
  attention_tiled: attentionTiledLib,
  column_stats: columnStatsLib,
  combine: combineLib,
  conv2d: conv2dLib,
  conv2d_dw: conv2dDwLib,
  conv2d_dw_outer: conv2dDwOuterLib,
  conv2d_dx: conv2dDxLib,
  conv2d_dx_tap: conv2dDxTapLib,
  elements: elementsLib,
  erf: erfLib,
  index: indexLib,
  lanes: lanesLib,
  nan: nanLib,
  matmul: matmulLib,
  matmul_tiled_load: matmulTiledLoadLib,
  matrix: matrixLib,
  matrix_begin: matrixBeginLib,
  matrix_multiply: matrixMultiplyLib,
  matrix_stage: matrixStageLib,
  matrix_store: matrixStoreLib,
  mma: mmaLib,
  mma_multiply: mmaMultiplyLib,
  mma_store: mmaStoreLib,
  reduce: reduceLib,
  rng: rngLib,
  row_scores: rowScoresLib,
  row_scores_pair: rowScoresPairLib,
  row_tiles: rowTilesLib,
  scalar: scalarLib,
  single: singleLib,
  special: specialLib,
  tile: tileLib,
  tile_multiply: multiplyLib,
  tile_stage: stageLib,
  tile_stats: statsLib,
  vec4: vec4Lib,
  walk: walkLib,
  window: windowLib,
};
