import { describe, expect, it } from 'vitest';
import type { Launch, Plan, Primitive } from '../../src/backend/backend.js';
import type { Variant } from '../../src/backend/variants.js';
import type { FloatType, TypedArray } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import type { Traits } from '../../src/gpu/device.js';
import { attentionGradPrimitive, attentionPrimitive } from '../../src/ops/attention.js';
import { attentionGradMatrices, attentionMatrices } from '../../src/ops/attention_matrices.js';
import { attentionTools } from '../../src/ops/attention_parts.js';
import type { AttentionParams } from '../../src/reference/attention.js';
import { attention, attentionGrad } from '../../src/reference/index.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on } from '../support/devices.js';
import { playMatrices, withMatrices } from '../support/matrices.js';
import { assertClose } from '../support/op.js';
import { workgroupOf } from '../support/workgroup.js';

/** Lavapipe's compiler takes minutes for a wide head: the first pass over the tests has it. */
declare const TEST_RUNS: number;
const size = TEST_RUNS >= 1 ? 64 : 32;

/** One pair of subgroups, which adapters can play: the same text, and compiled once for all sequences. */
const tools = { ...attentionTools, matrixBlock: (of: string) => ({ pairs: 1, deep: of === 'dkv' ? 16 : 32 }) };
const [forward] = attentionMatrices(tools);
const [backward] = attentionGradMatrices(tools);
const [backwardByHead] = attentionGradMatrices({ ...tools, headsAtOnce: () => 1 });

type Fill = (i: number, d: number, head: number) => number;
interface Case {
  readonly T: number;
  readonly heads?: number;
  readonly D?: number;
  readonly scale?: number;
  /** Of a query, key, value and gradient of y by its row, column and head; default normal numbers. */
  readonly q?: Fill;
  readonly k?: Fill;
  readonly v?: Fill;
  readonly dy?: Fill;
}

/** Normal numbers that are exact in f16. */
function normal(name: string): Fill {
  const rng = new Rng(1, name);
  return () => Math.round(256 * rng.normal()) / 256;
}

function inputsOf({ T, heads = 2, D = size, scale = D ** -0.5, ...of }: Case) {
  const width = heads * D;
  const row = (parts: readonly Fill[]) =>
    Float64Array.from({ length: T * parts.length * width }, (_, e) => {
      const [i, at] = [Math.floor(e / (parts.length * width)), e % (parts.length * width)];
      return parts[Math.floor(at / width)](i, at % D, Math.floor((at % width) / D));
    });
  const { q = normal('q'), k = normal('k'), v = normal('v'), dy = normal('dy') } = of;
  const p: AttentionParams = {
    ...{ batch: 1, H: heads, D, Nq: T, Nk: T, scale, half: 1 },
    ...{ qRow: 3 * width, kvRow: 3 * width, kStart: width },
  };
  return { p, qkv: row([q, k, v]), dy: row([dy]) };
}

/** What a variant writes, after inputs of halves or floats. */
async function computed(
  primitive: Primitive<AttentionParams>,
  variant: Variant<AttentionParams>,
  p: AttentionParams,
  inputs: readonly (readonly [ArrayLike<number>, FloatType])[],
  outputs: readonly (readonly [number, FloatType])[],
): Promise<Float64Array[]> {
  const device = await gpu();
  const read = on(device, () =>
    tidy(() => {
      const made = outputs.map(([length, dtype]) => empty([length], dtype));
      const gpu = () => playMatrices(variant.launch(p, withMatrices(device.traits)));
      const given = inputs.map(([values, dtype]) => tensor(Array.from(values), [values.length], dtype));
      run({ ...primitive, gpu }, given, made, p);
      return made.map((y) => y.data());
    }),
  );
  return (await Promise.all(read)).map((d) => Float64Array.from(d as TypedArray));
}

/** y, lse and dqkv of a case, and as the mirrors have them in double precision. */
async function outcome(c: Case, stored: FloatType = 'f32', grad = backward) {
  const { p, qkv, dy } = inputsOf(c);
  const rows = p.Nq * p.H;
  const want = [new Float64Array(rows * p.D), new Float64Array(rows), new Float64Array(qkv.length)];
  attention([qkv, qkv, want[0], want[1]] as unknown as TypedArray[], p);
  const dkv = new Float64Array(qkv.length);
  attentionGrad([qkv, qkv, want[0], want[1], dy, want[2], dkv] as unknown as TypedArray[], p);
  dkv.forEach((v, i) => (want[2][i] += v));
  const [y, lse] = await computed(
    attentionPrimitive,
    forward,
    p,
    [
      [qkv, stored],
      [qkv, stored],
    ],
    [
      [rows * p.D, stored],
      [rows, 'f32'],
    ],
  );
  const given = [
    [qkv, stored],
    [qkv, stored],
    [want[0], stored],
    [want[1], 'f32'],
    [dy, stored],
  ] as const;
  const [dq, dkvGot] = await computed(attentionGradPrimitive, grad, p, given, [
    [qkv.length, stored],
    [qkv.length, stored],
  ]);
  // each writes its own columns
  const width = p.H * p.D;
  const dqkv = dq.map((v, i) => (i % (3 * width) < width ? v : dkvGot[i]));
  return { p, want, got: [y, lse, dqkv], largest: dy.reduce((most, v) => Math.max(most, Math.abs(v)), 0) };
}

/** The parts dq, dk and dv of dqkv. */
const parts = (dqkv: Float64Array, { H, D }: AttentionParams) =>
  [0, 1, 2].map((part) => dqkv.filter((_, i) => Math.floor((i % (3 * H * D)) / (H * D)) === part));

async function check(c: Case, stored?: FloatType, grad?: typeof backward): Promise<void> {
  const { p, want, got, largest } = await outcome(c, stored, grad);
  assertClose('y', got[0], want[0], { relative: 2 ** -9 });
  assertClose('lse', got[1], want[1], { relative: 2 ** -16, absolute: 2 ** -12 });
  const [grads, exact] = [parts(got[2], p), parts(want[2], p)];
  const within = { relative: 2 ** -8, absolute: 1e-5 * largest };
  for (const i of [0, 1, 2]) assertClose(['dq', 'dk', 'dv'][i], grads[i], exact[i], within);
}

describe('what attention on tensor cores asks of an adapter', () => {
  const card = (workgroupMemory: number) => ({ ...withMatrices({} as Traits), f16: true, workgroupMemory });
  const problem = (D: number, batch: number, T: number): AttentionParams => {
    const width = 6 * D;
    const rows = { qRow: 3 * width, kvRow: 3 * width, kStart: width };
    return { batch, H: 6, D, Nq: T, Nk: T, ...rows, scale: 1, half: 1 };
  };
  const variants = [attentionMatrices(attentionTools)[0], attentionGradMatrices(attentionTools)[0]];
  const planOf = (made: Launch | Plan): Plan => ('launches' in made ? made : { scratch: [], launches: [made] });

  it.each([
    [32, 32768, true],
    [64, 32768, true],
    [96, 32768, false],
    [64, 49152, true],
    [96, 49152, true],
    [128, 49152, true],
    [160, 65536, false],
    [48, 49152, false],
  ])('workgroups for heads of %i fit into %i bytes: %o', (D, memory, fits) => {
    for (const T of [17, 197]) {
      const p = problem(D, 2, T);
      expect(variants.map((v) => v.supports(p, card(memory)))).toEqual([fits, fits]);
      for (const { kernel } of fits ? variants.flatMap((v) => planOf(v.launch(p, card(memory))).launches) : []) {
        const { threads, bytes } = workgroupOf(kernel);
        expect(threads, kernel.name).toBeLessThanOrEqual(256);
        expect(bytes, kernel.name).toBeLessThanOrEqual(memory);
      }
    }
  });

  it.each([
    [256, 197],
    [256, 785],
    [1, 197],
    [3, 4096],
  ])('dS of %i sequences of %i is in memory in equal parts that every adapter binds', (batch, T) => {
    const { scratch, launches } = planOf(variants[1].launch(problem(64, batch, T), card(49152)));
    expect(4 * scratch[2]).toBeLessThanOrEqual(2 ** 27);
    const heads = launches.filter((l) => l.kernel.file === 'attention_dq_matrix').map((l) => l.params.heads as number);
    expect(heads.reduce((a, n) => a + n)).toBe(6 * batch);
    expect(4 * scratch[2]).toBe(heads[0] * 2 * T * 32 * Math.ceil(T / 32));
    expect(heads[0] - heads[heads.length - 1]).toBeLessThan(heads.length);
  });

  it('sequences whose dS of one head is too large are not served', () =>
    expect(variants.map((v) => v.supports(problem(64, 1, 8192 + 32), card(49152)))).toEqual([true, false]));
});

describe('attention on tensor cores, as threads play them', () => {
  it.each([1, 15, 16, 17, 33, 70])('%i rows', (T) => check({ T, heads: T > 33 ? 1 : 2 }));

  const first: Fill = (_, d) => +(d === 0);
  // 0 where the weight is: gradients would be small differences of halves of dS else
  const along =
    (of: number): Fill =>
    (i, d) =>
      d === 0 ? 3 * (i - of) : 0;
  it.each<[string, Case]>([
    ['all are equal', { T: 20, q: () => 0 }],
    [
      'one key stands out by 100',
      { T: 70, scale: 1, q: (_, d) => +(d < 2), k: (i, d) => (i === 50 && d === 0 ? 100 : 0) },
    ],
    ['they grow by 1.5 a key', { T: 70, scale: 0.5, q: first, k: along(69) }],
    ['they shrink', { T: 70, scale: -0.5, q: first, k: along(0) }],
    ['only some rows have such', { T: 70, scale: 1, q: (i, d) => (d === 0 ? i % 3 : 0), k: (i) => (i > 60 ? 20 : 0) }],
  ])('scores of which %s', (_, c) => check({ heads: 1, ...c }));

  it.each([2 ** -20, 2 ** 12])('gradients of %f keep their digits', (size) => {
    const dy = normal('dy');
    // halves of 2^-20 are multiples of 2^-24
    return check({ T: 33, heads: 1, dy: (i, d, h) => (size * Math.round(16 * dy(i, d, h))) / 16 });
  });

  it('values and gradients whose products no half holds', () => {
    const [v, dy] = [normal('v'), normal('dy')];
    return check({ T: 33, heads: 1, v: (i, d, h) => 2 ** 12 * v(i, d, h), dy: (i, d, h) => 2 ** 8 * dy(i, d, h) });
  });

  it('a gradient of as many heads at a time as memory is kept for', () =>
    check({ T: 17, heads: 3 }, 'f32', backwardByHead));

  it('stored as halves, where there are any', async () => {
    const stored = (await gpu()).f16 ? 'f16' : 'f32';
    await check({ T: 33 }, stored);
  });

  it('gives the same bits again', async () => {
    const c = { T: 40 };
    expect((await outcome(c)).got).toEqual((await outcome(c)).got);
  });

  it('what NaN and infinity reach is neither finite, and nothing else', async () => {
    const [v, bad] = [normal('v'), 5];
    const { p, got } = await outcome({ T: 17, heads: 1, q: (i, d) => (i === bad && d === 3 ? NaN : v(i, d, 0)) });
    const rows = Array.from({ length: p.Nq }, (_, i) =>
      got[0].slice(i * p.D, (i + 1) * p.D).map((v) => +Number.isFinite(v)),
    );
    expect(rows.map((row) => row.every((v) => v === 1))).toEqual(rows.map((_, i) => i !== bad));
    expect(rows[bad].some((v) => v === 1)).toBe(false);
    const [dq, dk, dv] = parts(got[2], p);
    expect([dk, dv].map((g) => g.some(Number.isFinite))).toEqual([false, false]);
    expect(dq.filter(Number.isFinite).length).toBe((p.Nq - 1) * p.D);
  });
});
