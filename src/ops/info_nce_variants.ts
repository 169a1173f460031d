import combineSource from '../../kernels/info_nce_combine.wgsl';
import partialSource from '../../kernels/info_nce_partial.wgsl';
import tiledSource from '../../kernels/info_nce_tiled.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { launchOf, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import { canProduct, infoNceTools } from './info_nce_parts.js';
import { byTuning, rowTiles } from './row_tiles.js';

type P = InfoNceParams;
const partial = kernel('info_nce_partial', partialSource);
const tiled = byTuning('info_nce_tiled', tiledSource);
const combine = kernel('info_nce_combine', combineSource);

/** Logits, and the mean of the keys that they weight. */
export const infoNceFlops = ({ N, K, D }: P): number => 4 * N * K * D;

/** Rows of threads in a workgroup of `partial`, each of 4 queries. */
const ROWS = 4;

/** The queue cut into S slices of `chunk` keys, enough to keep the adapter busy with `blocks` workgroups a slice. */
function slices(K: number, blocks: number, parallelGroups: number): { S: number; chunk: number } {
  const tiles = Math.max(1, ceilDiv(K, 64));
  const chunk = 64 * ceilDiv(tiles, Math.min(tiles, ceilDiv(parallelGroups, blocks)));
  return { S: Math.max(1, ceilDiv(K, chunk)), chunk };
}

/** What every slice gives, by a kernel of `blocks` workgroups a slice, and then all slices together. */
function sliced(p: P, traits: Traits, blocks: number, k: Kernel, constants?: Launch['constants']): Plan {
  const { N, K, D, temperature } = p;
  const { S, chunk } = slices(K, blocks, traits.parallelGroups);
  const slice = {
    kernel: k,
    constants,
    params: { N, K, D, S, chunk, inverseT: 1 / temperature },
    groups: blocks * S,
    bind: [0, 1, 2, 6, 7],
    flops: infoNceFlops(p),
  };
  const combined = {
    kernel: combine,
    params: { N, D, S, scale: 1 / (temperature * N) },
    groups: ceilDiv(N * D, 64),
    bind: [1, 6, 7, 3, 4, 5],
  };
  return { scratch: [4 * S * N, S * N * D], launches: [slice, combined] };
}

function partialLaunch(p: P, traits: Traits): Plan {
  const constants = { ROWS, COLUMNS: Math.min(16, ceilDiv(p.D, 16)), STAGED: traits.software ? 0 : 1 };
  return sliced(p, traits, ceilDiv(p.N, 4 * ROWS) * ceilDiv(p.D, 256), partial, constants);
}

/** Tiles for rows of D; their bytes of workgroup memory are of queries, keys, and what passes between threads. */
const tileOf = ({ D }: P, traits: Traits) =>
  rowTiles(D, traits, (rows, columns) => 16 * ((rows + columns) * (D / 4 + 1) + (columns * rows) / 4 + 2 * rows));

function tiledLaunch(p: P, traits: Traits): Plan {
  const tile = tileOf(p, traits)!;
  return sliced(p, traits, ceilDiv(p.N, tile.ROWS), tiled(tile));
}

const canTile = (p: P, traits: Traits): boolean => tileOf(p, traits) !== undefined;

/** From how many scores on two products win over one kernel that keeps none; not measured. */
const MANY = 2 ** 18;

/** On graphics cards by products where there is much work, most of it with the queue: N² other scores are wasted. */
function heuristic(p: P, t: Traits) {
  if (canProduct(p, t) && p.K >= p.N && p.N * p.K >= MANY) return 'product';
  return canTile(p, t) ? 'tiled' : 'partial';
}

export const infoNceVariants = variantTable({
  name: 'info_nce',
  classOf: ({ D }) => `D ${D}`,
  heuristic,
  samples: [{ params: { N: 64, K: 4096, D: 128, temperature: 0.2 }, buffers: [8192, 8192, 524288, 64, 64, 8192] }],
  parts: [
    { when: (t) => !t.software, load: () => import('./info_nce_cards.js').then((m) => m.infoNceCards(infoNceTools)) },
  ],
  variants: [
    {
      name: 'partial',
      why: 'everything, everywhere: 1.40 times jax-js at N 32, D 128, K 65536 on SwiftShader',
      supports: () => true,
      launch: partialLaunch,
    },
    {
      name: 'tiled',
      why: 'graphics cards, rows in workgroup memory: 0.96 ms at N 256, D 128, K 65536 on an H200',
      supports: canTile,
      launch: tiledLaunch,
    },
  ],
});
export const infoNceGpu: (p: P, traits: Traits) => Launch | Plan = launchOf(infoNceVariants);
