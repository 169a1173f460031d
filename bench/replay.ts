import { useBackend } from '../src/backend/backend.js';
import { GpuBackend } from '../src/backend/gpu.js';
import { loadVariants } from '../src/backend/variants.js';
import { compile } from '../src/compile/compile.js';
import { openGpu } from '../src/gpu/device.js';
import { AHEAD } from '../src/gpu/recording.js';
import { demoConfig } from '../src/moco/config.js';
import { createMethod } from '../src/moco/create.js';
import { mul } from '../src/ops/binary.js';
import { state, type Tensor, tensor } from '../src/tensor/tensor.js';
import { tidy } from '../src/tensor/tidy.js';
import { onNull } from './adapter.js';
import { values } from './values.js';

const CHAIN = 4000;
const [N, SIDE] = [16, 32];
/**
 * For how long each piece of work is repeated. A sample is the mean of as many calls as a replay encodes for at once;
 * the first half warms up.
 */
const SECONDS = 12;
type Given = Record<string, Float32Array | Uint32Array>;
type Work = (inputs: Record<string, Tensor>) => Tensor;

/** Replay beside the same work done eagerly, and the compilation of a step's kernels in parallel beside one by one. */
export async function measureReplay(): Promise<string> {
  const chain = ({ x }: Record<string, Tensor>) => {
    let y = x;
    for (let i = 0; i < CHAIN; i++) y = mul(y, y);
    return y;
  };
  const rows = async () => {
    const on = await open();
    return [
      await row(on, `${CHAIN} products of 64`, chain, { x: new Float32Array(64).fill(1) }),
      await row(on, `MoCo step, resnet-tiny, ${N} of ${SIDE}²`, mocoStep(), inputs(N)),
      await row(on, `MoCo step, resnet18, 4 of 8²`, mocoStep('resnet18', 4, 8), inputs(4)),
    ];
  };
  const head = [
    '| work | dispatches | replay: encode, submit | eager: encode, submit | whole, eager / replay |',
    '|---|--:|--:|--:|--:|',
  ];
  const alone = [
    "Dawn's null device, where the host has the processor to itself:",
    '',
    ...head,
    ...(await onNull(rows)),
    '',
  ];
  return [...alone, 'This adapter:', '', ...head, ...(await rows()), '', ...(await compilation())].join('\n');
}

async function open(): Promise<GpuBackend> {
  await loadVariants();
  const on = new GpuBackend(await openGpu());
  useBackend(on);
  return on;
}

/** What a step of n pictures takes. */
function inputs(n: number): Given {
  const order = Uint32Array.from({ length: n }, (_, i) => (i + 3) % n);
  const unshuffle = Uint32Array.from(order, (_, i) => order.indexOf(i));
  return { index: order, shuffle: order, unshuffle, lr: Float32Array.of(0.01), m: Float32Array.of(0.99) };
}

function mocoStep(model = 'resnet-tiny', n = N, side = SIDE): Work {
  const method = createMethod({ ...demoConfig, model, batch: n }, n);
  const [x1, x2] = [1, 2].map((seed) => state(tensor(values([n, side, side, 3], seed), [n, side, side, 3])));
  return ({ index, shuffle, unshuffle, lr, m }) => method.step([{ x1, x2, index, shuffle, unshuffle }], { lr, m });
}

/**
 * Microseconds a dispatch on the host, the least of samples: encoding and submitting; and the ratio of times until the
 * device is done.
 */
async function row({ gpu: { device } }: GpuBackend, name: string, work: Work, given: Given): Promise<string> {
  const replay = compile(work);
  const tensors = () => Object.fromEntries(Object.entries(given).map(([name, values]) => [name, tensor(values)]));
  const ways = [() => replay(given), () => tidy(() => work(tensors()))];
  const best = ways.map(() => ({ encode: Infinity, submit: Infinity, whole: Infinity }));
  const submit = device.queue.submit.bind(device.queue);
  let spent = 0;
  device.queue.submit = (buffers) => {
    const from = performance.now();
    submit(buffers);
    spent += performance.now() - from;
  };
  const end = performance.now() + 1000 * SECONDS;
  for (let sample = 0; sample < 4 || performance.now() < end; sample++)
    for (const [i, way] of ways.entries()) {
      const sum = { encode: 0, submit: 0, whole: 0 };
      for (let call = 0; call < AHEAD; call++) {
        spent = 0;
        const from = performance.now();
        way();
        sum.encode += performance.now() - from - spent;
        sum.submit += spent;
        await device.queue.onSubmittedWorkDone();
        sum.whole += performance.now() - from;
      }
      const warm = sample > 1 && performance.now() > end - 500 * SECONDS;
      if (warm)
        for (const k of ['encode', 'submit', 'whole'] as const) best[i][k] = Math.min(best[i][k], sum[k] / AHEAD);
    }
  device.queue.submit = submit;
  const each = (ms: number) => ((1000 * ms) / replay.dispatches).toFixed(2);
  const [r, e] = best;
  return (
    `| ${name} | ${replay.dispatches} | ${each(r.encode)}, ${each(r.submit)} µs | ${each(e.encode)}, ` +
    `${each(e.submit)} µs | ${(e.whole / r.whole).toFixed(2)} |`
  );
}

/** Seconds of the first call on new devices, each way before and after the other. */
async function compilation(): Promise<string[]> {
  const seconds = async (parallel: boolean) => {
    const { gpu } = await open();
    useBackend(new GpuBackend({ ...gpu, software: !parallel }));
    const first = compile(mocoStep());
    const from = performance.now();
    const loss = parallel ? await first.async(inputs(N)) : first(inputs(N));
    await loss.data();
    return (performance.now() - from) / 1000;
  };
  const took: [boolean, number][] = [];
  for (const parallel of [true, false, false, true]) took.push([parallel, await seconds(parallel)]);
  const list = (way: boolean) =>
    took.flatMap(([parallel, s]) => (parallel === way ? [s.toFixed(1)] : [])).join(' and ');
  return [
    `First MoCo step: ${list(true)} s (first and last) with pipelines made in parallel, ${list(false)} s one by one.`,
  ];
}
