import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Random } from './random.js';
import type { Tally, Trial } from './trial.js';

interface Ended {
  code: number | null;
  signal: string | null;
  out: string;
  ms: number;
}

interface How {
  saveEvery: number;
  /** Around which file operation it kills itself. */
  at?: number;
  /** After how many milliseconds it gets the signal. */
  after?: number;
  signal?: NodeJS.Signals;
}

/** The training of `run-child.ts` as a process of its own, killed around a file operation, or after a time. */
class Child {
  readonly #script: string;

  constructor(script: string) {
    this.#script = script;
  }

  run(folder: string, { saveEvery, at, after, signal = 'SIGKILL' }: How): Promise<Ended> {
    const env = { ...process.env, ...(at !== undefined && { KILL_AT: String(at) }) };
    const began = performance.now();
    const child: ChildProcess = spawn(process.execPath, [this.#script, folder, String(saveEvery)], { env });
    const timer = after === undefined ? undefined : setTimeout(() => child.kill(signal), after);
    let out = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (out += text));
    return new Promise((resolve) =>
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, out, ms: performance.now() - began });
      }),
    );
  }
}

/** What must be the same in every run: its last and best checkpoints, and what was measured. */
function outcome(folder: string): Record<string, string> {
  const metrics = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { picturesPerSecond: _, dataMs: __, stepMs: ___, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify(rest);
    });
  const bytes = (name: string) => readFileSync(join(folder, `${name}.safetensors`), 'latin1');
  return { metrics: metrics.join('\n'), checkpoint: bytes('checkpoint'), best: bytes('best') };
}

/** The first of the metrics that is another. */
function firstOther(what: string, got: string, want: string): string {
  if (what !== 'metrics') return '';
  const lines = want.split('\n');
  const at = lines.findIndex((line, i) => line !== got.split('\n')[i]);
  return `; line ${at + 1} must be ${lines[at]}; got ${got.split('\n')[at]}`;
}

const FILES = /^(config\.json|metrics\.jsonl|(checkpoint|previous|best)\.safetensors|report\.html|events\.out\..*)$/;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SAVES = [10, 1e-6]; // minutes: at epochs' ends alone, and whenever no save is under way

async function started() {
  const root = mkdtempSync(join(tmpdir(), 'dawngrad-kills-'));
  const script = join(process.cwd(), `node_modules/.cache/dawngrad-trials/run-child-${process.pid}.mjs`);
  await build({
    entryPoints: [join(process.cwd(), 'test/trials/run-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    loader: { '.wgsl': 'text' },
    logLevel: 'error',
    define: { TEST_SEED: 'undefined', TEST_RUNS: '1' },
    external: ['webgpu', 'sharp', '@sparticuz/chromium', 'esbuild', 'puppeteer-core'],
  });
  const child = new Child(script);
  const straight = join(root, 'straight');
  const whole = await child.run(straight, { saveEvery: SAVES[0] });
  if (whole.code !== 0) throw new Error(`the run that is not killed must end; got ${whole.out}`);
  const right = outcome(straight);
  const moments = Number(/moments (\d+)/.exec(whole.out)?.[1]);

  async function round(seed: number, tally: Tally): Promise<void> {
    const r = new Random(seed);
    const folder = join(root, String(seed));
    const saveEvery = r.pick(SAVES);
    const inTime = r.once(2);
    const kills = 1 + r.below(3); // the second and third in a resume
    for (let i = 0; i < kills; i++) {
      const asked = inTime ? r.pick(SIGNALS) : 'SIGKILL';
      const how = inTime
        ? { after: r.below(Math.ceil(whole.ms)), signal: asked }
        : { at: 1 + r.below(Math.ceil(1.5 * moments)) };
      const resumes = existsSync(join(folder, 'config.json'));
      const { code, signal, out } = await child.run(folder, { saveEvery, ...how });
      const where = `${inTime ? 'at a random time' : 'by file operation'}${resumes ? ' in a resume' : ''}`;
      if (signal === 'SIGKILL') tally.count(`killed ${where}`);
      else if (code === 130 || signal === asked) tally.count(`asked to stop ${where}`);
      else if (code !== 0) tally.lose(`ended with ${code}: ${out}`);
    }
    const { code, out } = await child.run(folder, { saveEvery });
    if (code !== 0) return tally.lose(`could not go on: ${code}: ${out}`);
    const got = outcome(folder);
    for (const [what, want] of Object.entries(right))
      if (got[what] !== want) tally.lose(`${what}: other bits${firstOther(what, got[what], want)}`);
    const left = readdirSync(folder).filter((name) => !FILES.test(name));
    if (left.length > 0) tally.lose(`left over: ${left.join(', ')}`);
    rmSync(folder, { recursive: true });
  }

  return {
    round,
    close: () => {
      rmSync(root, { recursive: true, force: true });
      rmSync(script, { force: true });
    },
  };
}

export default {
  promise:
    'a training killed or asked to stop at any moment, in a start, step, save or resume, goes on to the same bits.',
  rounds: 2,
  start: started,
} satisfies Trial;
