/**
 * `node scripts/walk.mjs`: counts the files that a reader passes from the `pretrain` command to the InfoNCE kernel.
 *
 * How it counts: a tiny MoCo run is trained for real, by the command line, on the software adapter, until the loss is
 * first computed.
 *
 * - **On the way** is every file of src/ with a function on the call stack, through every await back to main.ts, at a
 *   station of a picture's way: where the set is opened, where it goes to the device, where its views are drawn, where
 *   they are made, and where the loss is computed of what the encoder made of them; and the kernels of the loss.
 * - **Read besides** is every file of the rooms above the engine (cli, data, input, moco, eval, train …) of which V8's
 *   coverage saw a function run by then: what functions on the way call and return from. Engine, layers and optimizers
 *   are not counted here.
 *
 * Per step: the same from `Pretraining.run` on. A stack that does not reach back to main.ts, and a station not passed,
 * are errors.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

/** Where the stack is taken: a function whose body begins after `begins`, and what must hold there. */
const stations = [
  {
    name: 'opened',
    file: 'src/data/synthetic.ts',
    begins: 'export function syntheticPictures(options: SyntheticOptions): Pictures {',
    when: 'true',
  },
  {
    name: 'uploaded',
    file: 'src/backend/gpu.ts',
    begins: 'write(storage: Storage, data: TypedArray): void {',
    when: "storage.dtype === 'u8'",
  },
  {
    name: 'drawn',
    file: 'src/ops/augment_params.ts',
    begins: 'export function sampleAugmentation(augmentation: Augmentation, draw: Draw): Float32Array {',
    when: 'true',
  },
  ...[
    ['viewed', 'augment'],
    ['compared', 'info_nce'],
  ].map(([name, op]) => ({
    name,
    file: 'src/backend/gpu.ts',
    begins: 'run<P>(primitive: Primitive<P>, buffers: readonly Storage[], params: P): void {',
    when: `primitive.name === '${op}'`,
  })),
];
const begin = { name: 'step', file: 'src/train/pretrain.ts', begins: 'reported: Promise<void> }> {', when: 'true' };
const ofStep = ['drawn', 'viewed', 'compared'];
const kernels = ['kernels/info_nce_partial.wgsl', 'kernels/info_nce_combine.wgsl'];

/**
 * Puts the taking of stacks into the functions of the stations, on their first line, so that lines stay where they
 * are.
 */
const watching = {
  name: 'stations',
  setup: (to) =>
    to.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const { name, file, begins, when } of [...stations, begin].filter((s) => path === join(root, s.file))) {
        if (!contents.includes(begins))
          throw new Error(
            `walk: ${file} must have a function that begins with ${begins}; got none. Correct the station.`,
          );
        contents = contents.replace(begins, `${begins} if (${when}) (globalThis as any).passed('${name}');`);
      }
      return { contents, loader: 'ts' };
    }),
};

/**
 * Runs in the program: tells each station on stdout, with its stack and those that led to it. Every wait of an async
 * function is known by the stack that it began on and by the wait that this came after, so that no `return` of a
 * promise cuts the way.
 */
function observe(createHook, executionAsyncId, Session) {
  Error.stackTraceLimit = Infinity;
  const begun = new Map();
  createHook({ init: (id) => void begun.set(id, { at: new Error(), after: executionAsyncId() }) }).enable();
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  globalThis.passed = (name) => {
    const stacks = [new Error().stack];
    for (let wait = begun.get(executionAsyncId()); wait; wait = begun.get(wait.after)) stacks.push(wait.at.stack);
    const ran = [];
    if (name === 'step' || name === 'compared')
      session.post('Profiler.takePreciseCoverage', (_, { result }) => {
        for (const { functions } of result.filter((script) => script.url === import.meta.url))
          for (const {
            functionName,
            ranges: [{ startOffset, count }],
          } of functions)
            if (functionName && !functionName.startsWith('<') && count > 0) ran.push(startOffset);
      });
    process.stdout.write(`\0${JSON.stringify({ name, stack: stacks.join('\n'), ran })}\0`);
  };
}

/** Runs the program; returns the stations that it passed, in order, with their stacks. */
async function walk() {
  const folder = mkdtempSync(join(tmpdir(), 'dawngrad-walk-'));
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const program = join(root, 'node_modules/.cache/dawngrad-walk.mjs'); // where its packages are found
  try {
    await build({
      entryPoints: [join(root, 'src/cli/main.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      sourcemap: 'inline',
      external: ['webgpu', 'sharp', '@sparticuz/chromium'],
      loader: { '.wgsl': 'text' },
      logLevel: 'error',
      plugins: [watching],
      banner: {
        js: `import { createHook, executionAsyncId } from 'node:async_hooks'; import { Session } from 'node:inspector'; (${observe})(createHook, executionAsyncId, Session);`,
      },
    });
    const flags = [
      '--count',
      '32',
      '--size',
      '16',
      '--batch',
      '8',
      '--K',
      '16',
      '--dim',
      '8',
      '--epochs',
      '1',
      '--held-out',
      '0',
    ];
    const run = [
      'pretrain',
      ...flags,
      '--adapter',
      'software',
      '--quiet',
      '--no-tensorboard',
      '--out',
      join(folder, 'run'),
    ];
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--enable-source-maps', program, ...run], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(`walk: the run must end well; got code ${status}. ${stderr}`);
    const fileAt = sourcesOf(readFileSync(program, 'utf8'));
    return stdout
      .split('\0')
      .filter((text) => text.startsWith('{"name"'))
      .map((text) => JSON.parse(text))
      .map((s) => ({ ...s, ran: s.ran.map(fileAt) }));
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(program, { force: true });
  }
}

/** A function that tells of which file of the repository a place in the bundle came. */
function sourcesOf(code) {
  const payload = JSON.parse(
    Buffer.from(/sourceMappingURL=data:application\/json;base64,(.*)/.exec(code)[1], 'base64').toString(),
  );
  const [map, starts] = [new SourceMap(payload), [0]];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return /src\/[\w./-]+\.ts$/.exec(map.findEntry(line, offset - starts[line]).originalSource ?? '')?.[0];
  };
}

/** The frames of a stack in src/, outermost first. */
function framesOf({ name, stack }) {
  const frames = stack.split('\n').flatMap((line) => {
    const file = /src\/[\w./-]+\.ts(?=:\d)/.exec(line)?.[0];
    return file ? [{ file, line }] : [];
  });
  if (frames.at(-1)?.file !== 'src/cli/main.ts')
    throw new Error(`walk: the stack at '${name}' must reach back to src/cli/main.ts; got\n${stack}`);
  return frames.reverse();
}

const passed = await walk();
const first = passed.slice(0, passed.findIndex((s) => s.name === 'compared') + 1);
const stacks = first.map((s) => ({ ...s, frames: framesOf(s) }));
for (const { name } of stations)
  if (!stacks.some((s) => s.name === name)) throw new Error(`walk: the run must pass '${name}'; got none.`);

const above = /^src\/(cli|data|input|moco|eval|checkpoints|train|report|studies)\//;
/** Prints the files on some stacks, and those that ran besides. */
function tell(what, frames, ran) {
  const way = [...new Set(frames.map((f) => f.file)), ...kernels];
  const besides = [...new Set(ran)].filter((file) => above.test(file) && !way.includes(file)).sort();
  console.log(`${what}: ${way.length} files on the way, ${besides.length} read besides.`);
  console.log([...way, ...besides.map((file) => `(${file})`)].map((file) => `  ${file}`).join('\n'));
}

tell(
  'From the pretrain command to the InfoNCE kernel',
  stacks.filter((s) => s.name !== 'step').flatMap((s) => s.frames),
  stacks.flatMap((s) => s.ran),
);
const inRun = ({ frames }) =>
  frames.slice(frames.findIndex((f) => f.file === 'src/train/pretrain.ts' && /\brun\b/.test(f.line)));
const steps = stacks
  .filter((s) => ofStep.includes(s.name))
  .flatMap((s) => inRun(s).filter((f) => !f.file.startsWith('src/cli/')));
tell('Per step', steps, stacks.at(-1).ran);
