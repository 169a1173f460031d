import type { Traits } from '../src/gpu/device.js';
import type { Dispatch } from '../src/gpu/recording.js';
import type { PretrainConfig } from '../src/moco/config.js';
import { presets } from '../src/moco/presets.js';
import { captureStep } from './capture.js';
import { DISPATCH_US, designs, kindOf, type Rate, type Rates, today } from './model-rates.js';

/** Dispatches of one kernel for one primitive, and the work of all of them. */
export interface Work {
  readonly op: string;
  readonly kernel: string;
  readonly count: number;
  readonly bytes: number;
  readonly flops: number;
}

/** Milliseconds of a step by kind, the longest first. */
export interface Prediction {
  readonly ms: number;
  readonly dispatches: number;
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly ms: number }[];
}

export interface Step {
  readonly config: PretrainConfig;
  /** Milliseconds on an NVIDIA H200: of dawngrad at commit 6ecaadb and of PyTorch 2.11, the same day. */
  readonly was: number;
  readonly pytorch: string;
}

/** The steps that were profiled on an NVIDIA H200. */
export const steps: Readonly<Record<string, Step>> = {
  'ResNet-50 f32': { config: presets['v2-r50'], was: 395, pytorch: 'fp32 316, TF32 156' },
  'ResNet-50 f16': {
    config: { ...presets['v2-r50'], precision: 'f16' },
    was: 209,
    pytorch: 'fp16 62, bf16 81',
  },
  'CIFAR ResNet-18 f32': { config: presets['cifar-r18'], was: 100, pytorch: 'fp32 72, TF32 30' },
  'ViT-S f32': { config: { ...presets['v3-vit-s'], batch: 256 }, was: 889, pytorch: 'fp32 573, TF32 281' },
  'ViT-S f16': {
    config: { ...presets['v3-vit-s'], batch: 256, precision: 'f16' },
    was: 452,
    pytorch: 'bf16 121, fp16 122',
  },
};

/** An H200 as Dawn describes it. */
export const h200: Traits = {
  software: false,
  parallelGroups: 512,
  f16: true,
  subgroup: 32,
  subgroupMatrix: true,
  workgroupMemory: 49152,
  tuned: {},
};

/** A dispatch's work: the bytes of its bindings, each read or written once, and the operations its launch carries. */
export const workOf = ({ op, kernel, slices, flops = 0 }: Dispatch): Work => ({
  op,
  kernel: kernel.name,
  count: 1,
  bytes: slices.reduce((sum, s) => sum + s.bytes, 0),
  flops,
});

/** The work of a step by primitive and kernel. */
export function summed(works: readonly Work[]): Work[] {
  const by = new Map<string, Work>();
  for (const w of works) {
    const key = `${w.op} ${w.kernel}`;
    const { count, bytes, flops } = by.get(key) ?? { count: 0, bytes: 0, flops: 0 };
    by.set(key, { ...w, count: count + w.count, bytes: bytes + w.bytes, flops: flops + w.flops });
  }
  return [...by.values()];
}

/** Microseconds of work at a rate, without its dispatches. Without operations it goes by bytes, at 2.5 TB/s at most. */
function microseconds({ count, bytes, flops }: Work, { per, rate, bytes: memory }: Rate): number {
  if (per === 'us') return count * rate;
  if (per === 'TB/s') return bytes / rate / 1e6;
  if (flops === 0) return bytes / (memory ?? 2.5) / 1e6;
  return Math.max(flops / rate / 1e6, memory ? bytes / memory / 1e6 : 0);
}

/** What works take, one after the other. */
export function predict(works: readonly Work[], rates: Rates): Prediction {
  const by = new Map<string, { kind: string; count: number; ms: number }>();
  for (const w of works) {
    const kind = kindOf(w.op, w.kernel);
    const row = by.get(kind) ?? { kind, count: 0, ms: 0 };
    row.count += w.count;
    row.ms += (microseconds(w, rates[kind]) + w.count * DISPATCH_US) / 1000;
    by.set(kind, row);
  }
  const kinds = [...by.values()].sort((a, b) => b.ms - a.ms);
  const sum = (key: 'ms' | 'count') => kinds.reduce((s, k) => s + k[key], 0);
  return { ms: sum('ms'), dispatches: sum('count'), kinds };
}

/** What `npm run bench -- --model h200` prints: each step by today's rates and by those of the designs. */
export async function modelReport(json: boolean): Promise<string> {
  const captured: Record<string, Work[]> = {};
  for (const [name, { config }] of Object.entries(steps)) {
    captured[name] = (await captureStep(config, h200)).map(workOf);
    process.stderr.write(`${name}: ${captured[name].length} dispatches\n`);
  }
  if (json) return JSON.stringify(Object.fromEntries(Object.entries(captured).map(([n, w]) => [n, summed(w)])));
  const table = [
    '| step, ms | dispatches | measured | today’s rates | designs | PyTorch |',
    '|---|--:|--:|--:|---|---|',
    ...Object.entries(captured).map(([name, works]) => line(name, works)),
  ];
  const parts = Object.entries(captured).flatMap(([name, works]) => ['', ...partsOf(name, works)]);
  return [...table, ...parts, '', ...ratesTable()].join('\n');
}

const precisionOf = (name: string) => (steps[name].config.precision === 'f16' ? 'f16' : 'f32');
const designsFor = (name: string) => Object.entries(designs).filter(([, d]) => d.precision === precisionOf(name));

function line(name: string, works: readonly Work[]): string {
  const { was, pytorch } = steps[name];
  const told = designsFor(name).map(([design, { rates }]) => `${design} ${predict(works, rates).ms.toFixed(0)}`);
  const now = predict(works, today[precisionOf(name)]);
  return `| ${name} | ${now.dispatches} | ${was} | ${now.ms.toFixed(0)} | ${told.join(', ')} | ${pytorch} |`;
}

function partsOf(name: string, works: readonly Work[]): string[] {
  const now = predict(works, today[precisionOf(name)]);
  const others = designsFor(name).map(([design, { rates }]) => ({ design, ...predict(works, rates) }));
  const of = (p: Prediction, kind: string) => (p.kinds.find((k) => k.kind === kind)?.ms ?? 0).toFixed(1);
  return [
    `| ${name}, ms by kind | dispatches | today | ${others.map((o) => o.design).join(' | ')} |`,
    `|---|--:|--:|${others.map(() => '--:|').join('')}`,
    ...now.kinds.map(
      ({ kind, count, ms }) =>
        `| ${kind} | ${count} | ${ms.toFixed(1)} | ${others.map((o) => of(o, kind)).join(' | ')} |`,
    ),
  ];
}

/** Every rate with its source, so that a reader sees what was measured and what is assumed. */
function ratesTable(): string[] {
  const all = [
    ...Object.entries(today).map(([precision, rates]) => [`today, ${precision}`, rates] as const),
    ...Object.entries(designs).map(([name, { rates }]) => [`design, ${name}`, rates] as const),
  ];
  return [
    '| rates | kind | rate | measured | source |',
    '|---|---|--:|---|---|',
    ...all.flatMap(([name, rates]) =>
      Object.entries(rates).map(
        ([kind, { per, rate, bytes, source, assumed }]) =>
          `| ${name} | ${kind} | ${rate} ${per}${bytes ? `, ${bytes} TB/s` : ''} | ${assumed ? 'assumed' : 'yes'} ` +
          `| ${source} |`,
      ),
    ),
  ];
}
