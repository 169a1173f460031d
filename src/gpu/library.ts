import attentionLib from '../../kernels/lib/attention.wgsl';
import batchNormNextLib from '../../kernels/lib/batch_norm_next.wgsl';
import batchNormRowsLib from '../../kernels/lib/batch_norm_rows.wgsl';
import blocksLib from '../../kernels/lib/blocks.wgsl';
import blocksBeginLib from '../../kernels/lib/blocks_begin.wgsl';
import blocksMultiplyLib from '../../kernels/lib/blocks_multiply.wgsl';
import blocksStatsLib from '../../kernels/lib/blocks_stats.wgsl';
import blocksStoreLib from '../../kernels/lib/blocks_store.wgsl';
import columnStatsLib from '../../kernels/lib/column_stats.wgsl';
import combineLib from '../../kernels/lib/combine.wgsl';
import conv2dLib from '../../kernels/lib/conv2d.wgsl';
import conv2dDwLib from '../../kernels/lib/conv2d_dw.wgsl';
import conv2dDwOuterLib from '../../kernels/lib/conv2d_dw_outer.wgsl';
import conv2dDwOuterBeginLib from '../../kernels/lib/conv2d_dw_outer_begin.wgsl';
import conv2dDwOuterStoreLib from '../../kernels/lib/conv2d_dw_outer_store.wgsl';
import conv2dDwSpotsLib from '../../kernels/lib/conv2d_dw_spots.wgsl';
import conv2dDxLib from '../../kernels/lib/conv2d_dx.wgsl';
import conv2dDxStepsLib from '../../kernels/lib/conv2d_dx_steps.wgsl';
import conv2dStepsLib from '../../kernels/lib/conv2d_steps.wgsl';
import conv2dSubgroupStoreLib from '../../kernels/lib/conv2d_subgroup_store.wgsl';
import elementsLib from '../../kernels/lib/elements.wgsl';
import erfLib from '../../kernels/lib/erf.wgsl';
import indexLib from '../../kernels/lib/index.wgsl';
import lanesLib from '../../kernels/lib/lanes.wgsl';
import matmulLib from '../../kernels/lib/matmul.wgsl';
import matmulMatrixBeginLib from '../../kernels/lib/matmul_matrix_begin.wgsl';
import matmulMatrixLoadLib from '../../kernels/lib/matmul_matrix_load.wgsl';
import matmulMatrixSampleLib from '../../kernels/lib/matmul_matrix_sample.wgsl';
import matmulStoreLib from '../../kernels/lib/matmul_store.wgsl';
import matmulTiledLoadLib from '../../kernels/lib/matmul_tiled_load.wgsl';
import mmaLib from '../../kernels/lib/mma.wgsl';
import mmaBeginLib from '../../kernels/lib/mma_begin.wgsl';
import mmaEightsLib from '../../kernels/lib/mma_eights.wgsl';
import mmaF32Lib from '../../kernels/lib/mma_f32.wgsl';
import mmaF32BeginLib from '../../kernels/lib/mma_f32_begin.wgsl';
import mmaF32EndLib from '../../kernels/lib/mma_f32_end.wgsl';
import mmaFirstLib from '../../kernels/lib/mma_first.wgsl';
import mmaMultiplyLib from '../../kernels/lib/mma_multiply.wgsl';
import mmaPutLib from '../../kernels/lib/mma_put.wgsl';
import mmaSecondLib from '../../kernels/lib/mma_second.wgsl';
import mmaStageLib from '../../kernels/lib/mma_stage.wgsl';
import mmaStoreLib from '../../kernels/lib/mma_store.wgsl';
import nanLib from '../../kernels/lib/nan.wgsl';
import reduceLib from '../../kernels/lib/reduce.wgsl';
import rngLib from '../../kernels/lib/rng.wgsl';
import rowScoresLib from '../../kernels/lib/row_scores.wgsl';
import rowScoresPairLib from '../../kernels/lib/row_scores_pair.wgsl';
import rowSlotsLib from '../../kernels/lib/row_slots.wgsl';
import rowSumsLib from '../../kernels/lib/row_sums.wgsl';
import rowSumsBeginLib from '../../kernels/lib/row_sums_begin.wgsl';
import rowTilesLib from '../../kernels/lib/row_tiles.wgsl';
import scalarLib from '../../kernels/lib/scalar.wgsl';
import singleLib from '../../kernels/lib/single.wgsl';
import specialLib from '../../kernels/lib/special.wgsl';
import stridedLib from '../../kernels/lib/strided.wgsl';
import subgroupMultiplyLib from '../../kernels/lib/subgroup_multiply.wgsl';
import vec4Lib from '../../kernels/lib/vec4.wgsl';
import windowLib from '../../kernels/lib/window.wgsl';

/** What `#import "name"` may name: every file of `kernels/lib/`. In published kernels they are in place already. */
export const library: Record<string, string> = {
  attention: attentionLib,
  batch_norm_next: batchNormNextLib,
  batch_norm_rows: batchNormRowsLib,
  blocks: blocksLib,
  blocks_begin: blocksBeginLib,
  blocks_multiply: blocksMultiplyLib,
  blocks_stats: blocksStatsLib,
  blocks_store: blocksStoreLib,
  column_stats: columnStatsLib,
  combine: combineLib,
  conv2d: conv2dLib,
  conv2d_dw: conv2dDwLib,
  conv2d_dw_outer: conv2dDwOuterLib,
  conv2d_dw_outer_begin: conv2dDwOuterBeginLib,
  conv2d_dw_outer_store: conv2dDwOuterStoreLib,
  conv2d_dw_spots: conv2dDwSpotsLib,
  conv2d_dx: conv2dDxLib,
  conv2d_dx_steps: conv2dDxStepsLib,
  conv2d_steps: conv2dStepsLib,
  conv2d_subgroup_store: conv2dSubgroupStoreLib,
  elements: elementsLib,
  erf: erfLib,
  index: indexLib,
  lanes: lanesLib,
  matmul: matmulLib,
  matmul_matrix_begin: matmulMatrixBeginLib,
  matmul_matrix_load: matmulMatrixLoadLib,
  matmul_matrix_sample: matmulMatrixSampleLib,
  matmul_store: matmulStoreLib,
  matmul_tiled_load: matmulTiledLoadLib,
  mma: mmaLib,
  mma_begin: mmaBeginLib,
  mma_eights: mmaEightsLib,
  mma_f32: mmaF32Lib,
  mma_f32_begin: mmaF32BeginLib,
  mma_f32_end: mmaF32EndLib,
  mma_first: mmaFirstLib,
  mma_multiply: mmaMultiplyLib,
  mma_put: mmaPutLib,
  mma_second: mmaSecondLib,
  mma_stage: mmaStageLib,
  mma_store: mmaStoreLib,
  nan: nanLib,
  reduce: reduceLib,
  rng: rngLib,
  row_scores: rowScoresLib,
  row_scores_pair: rowScoresPairLib,
  row_slots: rowSlotsLib,
  row_sums: rowSumsLib,
  row_sums_begin: rowSumsBeginLib,
  row_tiles: rowTilesLib,
  scalar: scalarLib,
  single: singleLib,
  special: specialLib,
  strided: stridedLib,
  subgroup_multiply: subgroupMultiplyLib,
  vec4: vec4Lib,
  window: windowLib,
};
