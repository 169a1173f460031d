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
 * Matrices as 32 threads play them: factors are places in the tiles, a thread holds 8 elements of every sum. Products
 * up to the next barrier or store are listed and then computed in one loop: compilers would take minutes over a copy
 * for each. A factor that outlives its tile is kept in a place of its own.
 */
const played = (sums: number, products: number, kept: number): string => `
alias Left = vec4u; // where it begins, how far its lines are apart, whether they are columns, and in which tile
alias Right = vec4u;
var<private> me: u32;
var<private> sums: array<f32, ${8 * sums}>;
var<private> lefts: array<Left, ${products}>;
var<private> rights: array<Right, ${products}>;
var<private> to: array<u32, ${products}>;
fn multiplyAll(count: u32) {
  let none = me >> 9u; // which compilers do not know to be 0: they would unroll these loops for minutes
  for (var e = 0u; e < 8u * count + none; e++) {
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
fn zero(sum: u32) { for (var i = 0u; i < 8u; i++) { sums[sum * 8u + i] = 0.0; } }
fn four(at: u32) -> vec4f { return vec4f(sums[at], sums[at + 1u], sums[at + 2u], sums[at + 3u]); }
${
  kept === 0
    ? ''
    : `var<workgroup> kept: array<u32, THREADS / KEEPERS * ${128 * kept}u>;
var<private> keeps: array<vec4u, ${kept}>;
fn keepAll() {
  let first = me / KEEPERS * ${256 * kept}u;
  for (var e = 0u; e < ${8 * kept}u + (me >> 9u); e += 2u) {
    let f = keeps[e / 8u];
    let i = me % 32u * 8u + e % 8u;
    let at = f.x + i / 16u * f.y + i % 16u;
    let halves = vec2f(halfOfTile(f.w, at), halfOfTile(f.w, at + 1u));
    kept[(first + e / 8u * 256u + i) / 2u] = pack2x16float(halves);
  }
}
fn keptAs(place: u32) -> vec4u {
  return vec4u(me / KEEPERS * ${256 * kept}u + place * 256u, 16u, keeps[place].z, KEPT);
}
`
}`;

/** What half `i` of a tile is, by the tile's number: tiles hold halves, 8 of them an element, or are `kept`. */
function halfOfTile(tiles: readonly string[], isWide: (tile: string) => boolean): string {
  const word = (word: string) => `unpack2x16float(${word} >> (i % 2u * 16u)).x`;
  const half = (tile: string) =>
    tile === 'kept' ? word('kept[i / 2u]') : isWide(tile) ? word(`${tile}[i / 8u][i / 2u % 4u]`) : `f32(${tile}[i])`;
  const [first, ...others] = tiles;
  const rest = others.map((tile, n) => `  if (tile == ${n + 1}u) { v = ${half(tile)}; }\n`).join('');
  return `fn halfOfTile(tile: u32, i: u32) -> f32 {\n  var v = ${half(first)};\n${rest}  return v;\n}\n`;
}

const load = /(?:let )?\b(\w+) = subgroupMatrixLoad<\w+, (\w+)>\(&(\w+), (.*), (\w+)\);/;
const product = /(\w+) = subgroupMatrixMultiplyAccumulate\((\w+), (\w+), \1\);/;
const store = /subgroupMatrixStore<row_major>\(&(\w+), (.*), (\w+), (\w+)\);/;
const ends = /subgroupMatrixStore|workgroupBarrier|workgroupUniformLoad/;

/** Workgroup memory holds anything at first: NaN where it is words or floats, so that what is read unwritten shows. */
function poisoned(code: string): string {
  const threads = /@workgroup_size\((.*)\)/.exec(code)![1];
  const memory = [...code.matchAll(/^var<workgroup> (\w+): array<(vec4[uf]), (.*)>;/gm)];
  const fill = memory.map(([, name, type, size]) => {
    const nan = `bitcast<${type}>(vec4u(0x7fff7fffu + (me >> 9u)))`;
    return `for (var i = thread; i < ${size} + (me >> 9u); i += ${threads}) { ${name}[i] = ${nan}; }`;
  });
  return code.replace('me = thread;', `me = thread;\n  ${fill.join('\n  ')}\n  workgroupBarrier();`);
}

/** Whether the factor that is loaded in line `at` is still used when its tile may hold something else. */
function isKept(lines: readonly string[], at: number): boolean {
  const [, name] = load.exec(lines[at])!;
  const barrier = lines.findIndex((line, i) => i > at && line.includes('workgroupBarrier'));
  const use = lines.findIndex((line, i) => i > at && product.exec(line)?.slice(2).includes(name));
  return barrier > 0 && barrier < use;
}

/** Lines of a kernel for tensor cores as threads play them, and what these ask for. */
function playLines(lines: readonly string[], isWide: (tile: string) => boolean, isVec4: (tile: string) => boolean) {
  const tiles = [...new Set([...lines.flatMap((line) => load.exec(line)?.[3] ?? []), 'kept'])];
  const sums = [...new Set(lines.flatMap((line) => product.exec(line)?.[1] ?? []))];
  const keeping = lines.flatMap((line, at) => (load.test(line) && isKept(lines, at) ? [at] : []));
  const times8 = (tile: string, text: string) => (isWide(tile) ? `(${text}) * 8u` : text);
  let [listed, most] = [0, 0];
  const loaded = (at: number, [all, name, order, tile, from, by]: readonly string[]) => {
    const place = `${times8(tile, from)}, ${times8(tile, by)}`;
    const factor = `vec4u(${place}, ${Number(order === 'col_major')}u, ${tiles.indexOf(tile)}u)`;
    const kept = keeping.indexOf(at);
    if (kept < 0) return `${all.startsWith('let') ? 'let ' : ''}${name} = ${factor};`;
    const last = kept === keeping.length - 1 ? ' keepAll();' : '';
    return `keeps[${kept}] = ${factor};${last} let ${name} = keptAs(${kept}u);`;
  };
  const multiplied = (at: number, [, sum, l, r]: readonly string[]) => {
    const next = lines.find((line, i) => i > at && (product.test(line) || ends.test(line)));
    const text = `lefts[${listed}] = ${l}; rights[${listed}] = ${r}; to[${listed}] = ${sums.indexOf(sum)}u;`;
    most = Math.max(most, ++listed);
    if (next && product.test(next)) return text;
    const count = listed;
    listed = 0;
    return `${text} multiplyAll(${count}u);`;
  };
  const stored = ([, to, from, sum, by]: readonly string[]) => {
    const first = 8 * sums.indexOf(sum);
    return isVec4(to)
      ? `{ let e = me % 32u * 8u; let o = ${from} + e / 16u * ${by} + e % 16u / 4u; ` +
          `${to}[o] = four(${first}u); ${to}[o + 1u] = four(${first + 4}u); }`
      : `for (var i = 0u; i < 8u + (me >> 9u); i++) { let e = me % 32u * 8u + i; ` +
          `${to}[${from} + e / 16u * ${by} + e % 16u] = sums[${first}u + i]; }`;
  };
  const text = lines.map((line, at) =>
    line
      .replace(/^(enable chromium.*|diagnostic.*|alias (Left|Right|Sum) .*| *var \w+: Sum;)$/, '')
      .replace(/(?:var )?(\w+) = Sum\(\);/, (_, sum) => `zero(${sums.indexOf(sum)}u);`)
      .replace(load, (...found) => loaded(at, found))
      .replace(product, (...found) => multiplied(at, found))
      .replace(store, (...found) => stored(found)),
  );
  // what the place of a factor does not tell the roles of two subgroups apart by, both keep once
  const keepers = keeping.some((at) => /\brole\b/.test(lines[at])) ? 32 : 64;
  return { text: text.join('\n'), tiles, sums: sums.length, most, kept: keeping.length, keepers };
}

/** The text of a kernel for tensor cores as one that any adapter runs; tiles of halves ask for f16. */
function play(code: string): string {
  const isArray = (type: string) => (name: string) => code.includes(`var<workgroup> ${name}: array<${type}`);
  const made = playLines(code.split('\n'), isArray('vec4u'), isArray('vec4f'));
  const tiles = made.kept ? made.tiles : made.tiles.slice(0, -1);
  const player = played(made.sums, made.most, made.kept)
    .replace('KEPT', `${tiles.length - 1}u`)
    .replaceAll('KEEPERS', `${made.keepers}u`);
  const text = poisoned(made.text.replace(/^fn main\([^{]*\) \{$/m, '$&\n  me = thread;'));
  const plain = `${text}\n${player}${halfOfTile(tiles, isArray('vec4u'))}`;
  // where nothing else is f16, adapters without it pack halves as well
  const packed = plain.replace('bitcast<vec2u>(vec4<f16>(v))', 'vec2u(pack2x16float(v.xy), pack2x16float(v.zw))');
  return /<f16\b/.test(packed) ? plain : packed.replace('enable f16;', '');
}

/** A launch whose tensor cores are played; its bindings are checked as for real ones. */
export function playMatrices(made: Launch | Plan): Launch | Plan {
  const playing = (k: Kernel, played = k): Played => ({
    ...k,
    name: `${k.name} played`,
    code: play(k.code),
    played,
    f16: Object.assign(new Map(), { get: (mask: number) => playing(storedAsF16(k, mask), k) }),
  });
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
