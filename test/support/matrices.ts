import type { Launch, Plan } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import type { Traits } from '../../src/gpu/device.js';
import type { Kernel } from '../../src/gpu/kernel.js';
import { type Played, storedAsF16 } from './bindings.js';

/** An adapter with tensor cores, as far as tables can tell. */
export const withMatrices = (traits: Traits): Traits => ({
  ...traits,
  software: false,
  parallelGroups: 8,
  subgroup: 32,
  subgroupMatrix: true,
  f32Matrices: 5e-5,
  workgroupMemory: 49152,
});

/**
 * Matrices as 32 threads play them: factors are places in the tiles, a thread holds 8 elements of every sum. A step's
 * products are listed and then computed in one loop: compilers would take minutes over a copy for each.
 */
const played = (sums: number, products: number): string => `
alias Left = vec4u; // where it begins, how far its lines are apart, whether they are columns, and in which tile
alias Right = vec4u;
var<private> me: u32;
var<private> sums: array<f32, ${8 * sums}>;
var<private> lefts: array<Left, ${products}>;
var<private> rights: array<Right, ${products}>;
var<private> to: array<u32, ${products}>;
fn multiplyAll() {
  let none = me >> 9u; // which compilers do not know to be 0: they would unroll these loops for minutes
  for (var e = 0u; e < ${8 * products}u + none; e++) {
    let l = lefts[e / 8u];
    let r = rights[e / 8u];
    let row = (me % 32u * 8u + e % 8u) / 16u;
    let column = (me % 32u * 8u + e % 8u) % 16u;
    var total = 0.0;
    for (var k = 0u; k < 16u + none; k++) {
      let a = halfOfTile(l.w, l.x + select(row * l.y + k, k * l.y + row, l.z == 1u));
      let b = halfOfTile(r.w, r.x + select(k * r.y + column, column * r.y + k, r.z == 1u));
      total += a * b;
    }
    sums[to[e / 8u] * 8u + e % 8u] += total;
  }
}
`;

/** What half `i` of a tile is, by the tile's number: tiles hold halves, or 8 of them an element. */
function halfOfTile(tiles: readonly string[], isWide: (tile: string) => boolean): string {
  const half = (tile: string) =>
    isWide(tile) ? `unpack2x16float(${tile}[i / 8u][i / 2u % 4u] >> (i % 2u * 16u)).x` : `f32(${tile}[i])`;
  const [first, ...others] = tiles;
  const rest = others.map((tile, n) => `  if (tile == ${n + 1}u) { v = ${half(tile)}; }\n`).join('');
  return `fn halfOfTile(tile: u32, i: u32) -> f32 {\n  var v = ${half(first)};\n${rest}  return v;\n}\n`;
}

/** The text of a kernel for tensor cores as one that any adapter runs; tiles of halves ask for f16. */
function play(code: string): string {
  const loads = /subgroupMatrixLoad<\w+, (\w+)>\(&(\w+), (.*), (\w+)\);/g;
  const products = /(\w+) = subgroupMatrixMultiplyAccumulate\((\w+), (\w+), \1\);/g;
  const [tiles, sums] = [
    [...new Set([...code.matchAll(loads)].map(([, , tile]) => tile))],
    [...new Set([...code.matchAll(products)].map(([, sum]) => sum))],
  ];
  const count = [...code.matchAll(products)].length;
  const isWide = (tile: string) => code.includes(`var<workgroup> ${tile}: array<vec4u`);
  const times8 = (tile: string, text: string) => (isWide(tile) ? `(${text}) * 8u` : text);
  let n = 0;
  const plain = code
    .replace(/^(enable chromium.*|diagnostic.*|alias (Left|Right|Sum) .*| *var \w+: Sum;)$/gm, '')
    .replace(/^ *(\w+) = Sum\(\);/gm, (_, sum) =>
      sum === sums[0] ? `for (var i = 0u; i < ${8 * sums.length}u + (me >> 9u); i++) { sums[i] = 0.0; }` : '',
    )
    .replace(/^const A_K/m, `${played(sums.length, count)}${halfOfTile(tiles, isWide)}$&`)
    .replace(/^(fn main\([^{]*\) \{)$/m, '$1\n  me = thread;')
    .replace(
      loads,
      (_, order, tile, at, line) =>
        `vec4u(${times8(tile, at)}, ${times8(tile, line)}, ${Number(order === 'col_major')}u, ` +
        `${tiles.indexOf(tile)}u);`,
    )
    .replace(
      products,
      (_, sum, l, r) =>
        `lefts[${n}] = ${l}; rights[${n}] = ${r}; to[${n}] = ${sums.indexOf(sum)}u;` +
        (++n === count ? ' multiplyAll();' : ''),
    )
    .replace(
      /subgroupMatrixStore<row_major>\(&(\w+), (.*), (\w+), (\w+)\);/g,
      (_, to, at, sum, line) =>
        `for (var i = 0u; i < 8u + (me >> 9u); i++) { let e = me % 32u * 8u + i; ` +
        `${to}[${at} + e / 16u * ${line} + e % 16u] = sums[${8 * sums.indexOf(sum)}u + i]; }`,
    );
  // where nothing else is f16, adapters without it pack halves as well
  const packed = plain.replace('bitcast<vec2u>(vec4<f16>(v))', 'vec2u(pack2x16float(v.xy), pack2x16float(v.zw))');
  return /<f16\b/.test(packed) ? plain : packed.replace('enable f16;', '');
}

const players = new WeakMap<Kernel, Played>();

/** A kernel whose tensor cores are played, the same for the same. */
function playing(k: Kernel, played = k): Played {
  const known = players.get(k) ?? {
    ...k,
    name: `${k.name} played`,
    code: play(k.code),
    played,
    f16: Object.assign(new Map(), { get: (mask: number) => playing(storedAsF16(k, mask), k) }),
  };
  players.set(k, known);
  return known;
}

/** A launch whose tensor cores are played; its bindings are checked as for real ones. */
export function playMatrices(made: Launch | Plan): Launch | Plan {
  const one = (l: Launch): Launch => (/_matrix/.test(l.kernel.name) ? { ...l, kernel: playing(l.kernel) } : l);
  return 'launches' in made ? { ...made, launches: made.launches.map(one) } : one(made);
}

/**
 * The device with matrices of f32 multiplied on tensor cores, which threads play, in the smallest block; all else is as
 * on this adapter.
 */
export function withPlayedF32({ gpu }: GpuBackend): GpuBackend {
  const named = (key: string | symbol) => /^matmul (?!.* (f16|exact)$)/.test(String(key));
  const tuned = new Proxy({}, { get: (_, key) => (named(key) ? 'f32 matrix 32×32' : undefined) });
  const traits = { ...withMatrices(gpu.traits), software: gpu.software, parallelGroups: 4, tuned };
  const device = new GpuBackend({ ...gpu, traits });
  const run = device.run.bind(device);
  device.run = (primitive, buffers, params) =>
    run({ ...primitive, gpu: (p, t) => playMatrices(primitive.gpu(p, t)) }, buffers, params);
  return device;
}
