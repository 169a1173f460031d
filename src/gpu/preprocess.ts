import attentionLib from '../../kernels/lib/attention.wgsl';
import batchNormNextLib from '../../kernels/lib/batch_norm_next.wgsl';
import batchNormRowsLib from '../../kernels/lib/batch_norm_rows.wgsl';
import columnStatsLib from '../../kernels/lib/column_stats.wgsl';
import combineLib from '../../kernels/lib/combine.wgsl';
import conv2dLib from '../../kernels/lib/conv2d.wgsl';
import conv2dDwLib from '../../kernels/lib/conv2d_dw.wgsl';
import conv2dDwOuterLib from '../../kernels/lib/conv2d_dw_outer.wgsl';
import conv2dDwOuterBeginLib from '../../kernels/lib/conv2d_dw_outer_begin.wgsl';
import conv2dDwOuterStoreLib from '../../kernels/lib/conv2d_dw_outer_store.wgsl';
import conv2dDwTileDyLib from '../../kernels/lib/conv2d_dw_tile_dy.wgsl';
import conv2dDxLib from '../../kernels/lib/conv2d_dx.wgsl';
import conv2dSubgroupStoreLib from '../../kernels/lib/conv2d_subgroup_store.wgsl';
import conv2dTileStoreLib from '../../kernels/lib/conv2d_tile_store.wgsl';
import elementsLib from '../../kernels/lib/elements.wgsl';
import erfLib from '../../kernels/lib/erf.wgsl';
import indexLib from '../../kernels/lib/index.wgsl';
import lanesLib from '../../kernels/lib/lanes.wgsl';
import matmulLib from '../../kernels/lib/matmul.wgsl';
import matmulStoreLib from '../../kernels/lib/matmul_store.wgsl';
import matmulTiledLib from '../../kernels/lib/matmul_tiled.wgsl';
import matmulTiledSumsLib from '../../kernels/lib/matmul_tiled_sums.wgsl';
import matrixLib from '../../kernels/lib/matrix.wgsl';
import matrixBeginLib from '../../kernels/lib/matrix_begin.wgsl';
import matrixMultiplyLib from '../../kernels/lib/matrix_multiply.wgsl';
import matrixStageLib from '../../kernels/lib/matrix_stage.wgsl';
import matrixStoreLib from '../../kernels/lib/matrix_store.wgsl';
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
import tileLib from '../../kernels/lib/tile.wgsl';
import tileBeginLib from '../../kernels/lib/tile_begin.wgsl';
import tileMultiplyLib from '../../kernels/lib/tile_multiply.wgsl';
import tileStatsLib from '../../kernels/lib/tile_stats.wgsl';
import vec4Lib from '../../kernels/lib/vec4.wgsl';
import windowLib from '../../kernels/lib/window.wgsl';
import { ConfigError } from '../core/errors.js';

/** What `#import "name"` may name: every file of `kernels/lib/`. */
const library: Record<string, string> = {
  attention: attentionLib,
  batch_norm_next: batchNormNextLib,
  batch_norm_rows: batchNormRowsLib,
  column_stats: columnStatsLib,
  combine: combineLib,
  conv2d: conv2dLib,
  conv2d_dw: conv2dDwLib,
  conv2d_dw_outer: conv2dDwOuterLib,
  conv2d_dw_outer_begin: conv2dDwOuterBeginLib,
  conv2d_dw_outer_store: conv2dDwOuterStoreLib,
  conv2d_dw_tile_dy: conv2dDwTileDyLib,
  conv2d_dx: conv2dDxLib,
  conv2d_subgroup_store: conv2dSubgroupStoreLib,
  conv2d_tile_store: conv2dTileStoreLib,
  elements: elementsLib,
  erf: erfLib,
  index: indexLib,
  lanes: lanesLib,
  matmul: matmulLib,
  matmul_store: matmulStoreLib,
  matmul_tiled: matmulTiledLib,
  matmul_tiled_sums: matmulTiledSumsLib,
  matrix: matrixLib,
  matrix_begin: matrixBeginLib,
  matrix_multiply: matrixMultiplyLib,
  matrix_stage: matrixStageLib,
  matrix_store: matrixStoreLib,
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
  tile: tileLib,
  tile_begin: tileBeginLib,
  tile_multiply: tileMultiplyLib,
  tile_stats: tileStatsLib,
  vec4: vec4Lib,
  window: windowLib,
};

/** Values for a kernel's `const NAME = 4u; // @tune` lines, which size what an `override` cannot. */
export type Tuning = Readonly<Record<string, number>>;

/**
 * Turns a kernel file into plain WGSL. `#import "name"` inserts a library file; `// @tune` constants take their tuned
 * values; `#if NAME` … `#else` … `#endif` keeps the first lines where the tuned constant NAME is not 0 and the second
 * where it is; `#for i in 0..4` … `#end` repeats its lines with `$i` replaced (a one-letter name; the end may be a
 * tuned constant). Blocks nest.
 */
export function preprocess(name: string, source: string, tuning: Tuning = {}): string {
  const lines = tuned(name, imported(name, source), tuning).split('\n');
  return expand(name, lines, 0, lines.length).join('\n');
}

const imported = (name: string, source: string): string =>
  source.replace(/^#import "(\w+)".*$/gm, (_, file: string) => {
    if (!library[file])
      throw new ConfigError(
        `kernel ${name}: #import names a file of kernels/lib; got "${file}". Known: ` +
          `${Object.keys(library).join(', ')}.`,
      );
    return library[file];
  });

/** Sets the `// @tune` constants and writes their values into `#for` and `#if` lines. */
function tuned(name: string, source: string, tuning: Tuning): string {
  let text = source;
  for (const key of Object.keys(tuning))
    if (!new RegExp(`^const ${key} = \\d+u; // @tune`, 'm').test(text))
      throw new ConfigError(
        `kernel ${name}: tuning sets a \`const … // @tune\` line; got ${key}. Add the line or drop the name.`,
      );
  for (const [line, key, value] of source.matchAll(/^const (\w+) = (\d+)u; \/\/ @tune/gm)) {
    const v = tuning[key] ?? Number(value);
    text = text
      .replace(line, `const ${key} = ${v}u; // @tune`)
      .replace(new RegExp(`^(\\s*#(?:for \\w in \\d+\\.\\.|if ))${key}$`, 'gm'), `$1${v}`);
  }
  return text;
}

function expand(name: string, lines: string[], from: number, to: number): string[] {
  const out: string[] = [];
  for (let i = from; i < to; i++) {
    const loop = /^\s*#for (\w) in (\d+)\.\.(\d+)\s*$/.exec(lines[i]);
    const choice = /^\s*#if (\w+)\s*$/.exec(lines[i]);
    if (loop) {
      const { end } = blockOf(name, lines, i, to);
      const body = expand(name, lines, i + 1, end);
      const mark = new RegExp(`\\$${loop[1]}`, 'g');
      for (let v = Number(loop[2]); v < Number(loop[3]); v++) out.push(...body.map((l) => l.replace(mark, String(v))));
      i = end;
    } else if (choice) {
      if (!/^\d+$/.test(choice[1]))
        throw new ConfigError(
          `kernel ${name}: #if must name a tuned constant; got ${choice[1]}. Add its \`// @tune\` line.`,
        );
      const { end, other } = blockOf(name, lines, i, to);
      out.push(...(Number(choice[1]) ? expand(name, lines, i + 1, other) : expand(name, lines, other + 1, end)));
      i = end;
    } else out.push(lines[i]);
  }
  return out;
}

/** Where the block that starts at a line ends, and where its `#else` stands (at the end where it has none). */
function blockOf(name: string, lines: string[], start: number, to: number): { end: number; other: number } {
  const kinds: string[] = [];
  let other: number | undefined;
  for (let i = start; i < to; i++) {
    const word = /^\s*#(for|if|else|endif|end)\b/.exec(lines[i])?.[1];
    if (word === 'for' || word === 'if') kinds.push(word);
    else if (word === 'else' && kinds.length === 1) other = i;
    else if ((word === 'end' || word === 'endif') && kinds.pop() !== (word === 'end' ? 'for' : 'if')) break;
    if (kinds.length === 0) return { end: i, other: other ?? i };
  }
  const rule = 'every #for must have its #end and every #if its #endif';
  throw new ConfigError(`kernel ${name}: ${rule}; got none for line ${start + 1}. Add it.`);
}
