import { release } from 'node:os';
import { type Ceiling, measureCeiling } from '../backend/ceiling.js';
import { device } from '../backend/device.js';
import type { GpuBackend } from '../backend/gpu.js';
import type { Measured } from '../backend/measure-variants.js';
import { tune } from '../backend/tune.js';
import { staleTuning } from '../backend/tuning.node.js';
import { ConfigError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { visible, visibleName } from '../core/visible.js';
import { multipliedIn } from '../ops/precision.js';
import { type Checked, selfCheck } from '../ops/self_check.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { colour } from './colour.js';
import type { Call, Command } from './command.js';
import { commonFlags, ownFlags } from './flags.js';
import { advice } from './install-advice.js';
import { Output } from './output.js';
import { inspectSystem, optionalPackages, type System } from './system.js';

const flags: readonly Flag[] = [
  ...ownFlags({
    tune: {
      kind: 'number',
      help: 'seconds: time the ways to compute on each adapter for so long at most; the fastest serve from now on',
      rule: { is: 'a number of seconds above 0', holds: (v) => v > 0 },
      todo: 'Write --tune 30.',
    },
  }),
  ...commonFlags,
];

const help = `dawngrad doctor [flags]

Looks for a hardware and a software adapter, runs kernels on each against plain loops, measures it, and tells
what to install where one is missing. The exit code is 0 if an adapter works, else 3.

Examples
  dawngrad doctor
  dawngrad doctor --json | jq '.adapters[].name'
  dawngrad doctor --tune 30

${describeFlags(flags)}`;

const NO_ADAPTER = 3;

/** An adapter that was found: what it is, whether it computes right, and how fast. */
interface Patient {
  readonly choice: 'hardware' | 'software';
  readonly name: string;
  readonly works: boolean;
  readonly checks: readonly Checked[];
  /** How matrices of f32 are multiplied: see `multipliedIn`. */
  readonly products: string;
  readonly speed: { readonly gigabytesPerSecond: number; readonly gflops: number };
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** What --tune measured. */
  readonly tuned?: readonly Measured[];
  /** The version of the library whose saved measurements are passed over. */
  readonly stale?: string;
}

/** What was looked for and not found, or fails. */
interface Absent {
  readonly choice: 'hardware' | 'software';
  readonly works: false;
  readonly reason: string;
}

/** `dawngrad doctor`. */
export const doctor: Command = { flags, help, run: runDoctor };

async function runDoctor(args: Parsed, { version }: Call): Promise<number> {
  if (args.positional.length > 0)
    throw new ConfigError(`doctor: it takes flags only; got ${args.positional.join(' ')}. Write dawngrad doctor.`);
  const seconds = args.flags.get('tune') as number | undefined;
  const out = new Output(args);
  const system = inspectSystem();
  const adapters: (Patient | Absent)[] = [];
  for (const choice of ['hardware', 'software'] as const) {
    out.detail(`Looking for a ${choice} adapter.`);
    adapters.push(
      await examine(choice, seconds).catch((e: Error): Absent => ({ choice, works: false, reason: e.message })),
    );
  }
  const works = (choice: string) => adapters.some((a) => a.choice === choice && a.works);
  const todo = advice(system, { hardware: works('hardware'), software: works('software') });
  const value = {
    version,
    node: process.version,
    os: release(),
    ...system,
    works: works('hardware') || works('software'),
    adapters,
    advice: todo,
  };
  const packages = optionalPackages.map((name) => `${name} ${system.packages[name] ?? 'missing'}`).join(', ');
  const about = [`dawngrad ${version}, Node ${process.version}, ${nameOf(system)}`, `Packages: ${packages}`];
  out.painted(
    [
      about.join('\n'),
      ...adapters.map(describe),
      ...(todo.length ? [['To do', ...todo.map((t) => `  ${t}`)].join('\n')] : []),
    ].join('\n\n'),
    value,
  );
  return value.works ? 0 : NO_ADAPTER;
}

const nameOf = ({ platform, arch, distribution }: System): string => `${distribution?.name ?? platform} ${arch}`;

async function examine(choice: Patient['choice'], seconds?: number): Promise<Patient> {
  const on = (await device({ adapter: choice })) as GpuBackend;
  const { device: opened } = on.gpu;
  const checks = await selfCheck(on);
  const { bytes, flops }: Ceiling = await measureCeiling(on);
  const tuned: Measured[] = [];
  if (seconds !== undefined) await tune(on, 1000 * seconds, (m) => tuned.push(m));
  const stale = await staleTuning(on.name);
  const limits: Record<string, number> = {};
  for (const name in opened.limits)
    if (typeof opened.limits[name as keyof GPUSupportedLimits] === 'number')
      limits[name] = opened.limits[name as 'maxBufferSize'];
  return {
    choice,
    name: on.name,
    works: checks.every((c) => c.passed),
    checks,
    limits,
    products: multipliedIn('f32', on),
    speed: { gigabytesPerSecond: bytes / 1e9, gflops: flops / 1e9 },
    features: [...opened.features].sort(),
    ...(seconds === undefined ? {} : { tuned }),
    ...(stale === undefined ? {} : { stale }),
  };
}

function describe(adapter: Patient | Absent): string {
  const { bold, red, green } = colour(process.stdout);
  const heading = adapter.choice === 'hardware' ? 'Hardware adapter' : 'Software adapter';
  if (!('checks' in adapter)) return `${bold(heading)}: none\n  ${visible(adapter.reason)}`;
  const { name, checks, products, speed, features, limits, tuned, stale } = adapter;
  const rows: [string, string][] = [
    ...checks.map((c): [string, string] => [
      c.passed ? green('right') : red('wrong'),
      `${c.name}: ${c.error.toExponential(0)} off plain loops`,
    ]),
    ['products', `of matrices are ${products}`],
    ['speed', `${speed.gigabytesPerSecond.toPrecision(3)} GB/s copied, ${speed.gflops.toPrecision(3)} GFLOP/s of f32`],
    [
      'limits',
      `buffer ${binary(limits.maxBufferSize)}, binding ${binary(limits.maxStorageBufferBindingSize)}, ` +
        `workgroup ${limits.maxComputeInvocationsPerWorkgroup} threads with ` +
        `${binary(limits.maxComputeWorkgroupStorageSize)}`,
    ],
    ['features', features.join(', ') || 'none beyond the core'],
    ...tuning(tuned, stale).map((text): [string, string] => ['tuned', text]),
  ];
  return [
    `${bold(heading)}: ${visibleName(name)}`,
    ...rows.map(([left, right]) => `  ${left}${' '.repeat(Math.max(0, 8 - plain(left)))}  ${right}`),
  ].join('\n');
}

/** What was measured now, and what of another version is not used. */
function tuning(tuned: Patient['tuned'], stale: Patient['stale']): string[] {
  if (stale !== undefined)
    return [
      `what dawngrad ${stale} measured is passed over, since kernels may have changed; measure anew: ` +
        `dawngrad doctor --tune 30`,
    ];
  if (tuned?.length === 0) return ['nothing in this time; give more'];
  const found = ({ variant, heuristic, speedup }: Measured) =>
    variant === heuristic ? 'as the heuristic says' : `${speedup.toFixed(2)} × as fast as ${heuristic}`;
  return (tuned ?? []).map((m) => `${m.key}: ${m.variant}, ${found(m)}`);
}

/** Characters that show. */
const plain = (text: string): number => text.replace(/\x1b\[\d+m/g, '').length;
