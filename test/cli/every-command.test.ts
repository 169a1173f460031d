import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/io/png.js';
import { builtCommand } from '../support/cli.js';

const built = builtCommand('common');
const { folder } = built;

/** Runs the built command, without a terminal. */
function run(args: string[], env: Record<string, string> = {}) {
  const { NO_COLOR, FORCE_COLOR, ...own } = process.env;
  return built.run(args, { env: { ...own, ...env } });
}

const commands = [
  'compare',
  'convert',
  'doctor',
  'embed',
  'export',
  'finetune',
  'knn',
  'linear',
  'pretrain',
  'profile',
  'search',
  'summary',
];
const stack = /\n\s+at /;

describe('every command', () => {
  it('is listed by dawngrad --help, with the exit codes', async () => {
    const { code, out } = await run(['--help']);
    expect([code, [...out.matchAll(/^ {2}(\w+) /gm)].map((m) => m[1])]).toEqual([
      0,
      expect.arrayContaining([...commands, 'experiment']),
    ]);
    for (const exit of [
      '0 done',
      '1 unexpected',
      '2 usage',
      '3 no usable adapter',
      '4 bad data',
      '5 training diverged',
      '130 interrupted',
    ])
      expect(out).toContain(exit);
  });

  it.each([...commands, 'experiment'])(
    '%s has help with examples and the common flags, by --help, -h and dawngrad help',
    async (command) => {
      const [long, short, word] = await Promise.all([
        run([command, '--help']),
        run([command, '-h']),
        run(['help', command]),
      ]);
      expect(long).toMatchObject({ code: 0, err: '' });
      expect(long.out).toMatch(new RegExp(`^dawngrad ${command}[^]*\nExamples\n {2}dawngrad ${command}`));
      for (const flag of ['json', 'quiet', 'verbose', 'help']) expect(long.out).toContain(`--${flag}`);
      expect([short, word]).toEqual([long, long]);
    },
  );

  it.each(commands)('%s names the nearest flag for a mistyped one', async (command) => {
    expect(await run([command, '--jsno'])).toMatchObject({
      code: 2,
      out: '',
      err: `Error: ${command}: every flag must be known; got --jsno. Did you mean --json?\n`,
    });
  });

  it.each([
    ['pretrian', 'pretrain'],
    ['docter', 'doctor'],
    ['sumary', 'summary'],
    ['exprot', 'export'],
  ])('%s is taken for a mistyped %s', async (typed, meant) => {
    expect(await run([typed])).toMatchObject({ code: 2, err: expect.stringContaining(`Did you mean ${meant}?`) });
  });
});

describe('what goes to stderr', () => {
  it('errors have a stack with --verbose only', async () => {
    const [plain, verbose] = await Promise.all([
      run(['export', 'nowhere', 'x.onnx']),
      run(['export', 'nowhere', 'x.onnx', '--verbose']),
    ]);
    expect([plain.code, verbose.code]).toEqual([4, 4]);
    expect(plain.err).not.toMatch(stack);
    expect(verbose.err).toMatch(stack);
  });

  it('--quiet and --verbose exclude each other', async () => {
    expect(await run(['export', 'a', 'b', '--quiet', '--verbose'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--quiet: it and --verbose exclude each other'),
    });
  });

  it('is coloured where a terminal or FORCE_COLOR wants it, and never with NO_COLOR', async () => {
    const by = async (env: Record<string, string>) => (await run(['pretrian'], env)).err.includes('\x1b[');
    expect(
      await Promise.all([
        by({}),
        by({ FORCE_COLOR: '1' }),
        by({ FORCE_COLOR: '1', NO_COLOR: '1' }),
        by({ FORCE_COLOR: '0' }),
      ]),
    ).toEqual([false, true, false, false]);
  });
});

describe('--json', () => {
  const tiny = ['--count', '60', '--size', '16', '--epochs', '1', '--batch', '16', '--K', '32', '--knn', '5'];
  const json = async (args: string[], env = {}): Promise<{ code: number | null; value: unknown; err: string }> => {
    const { code, out, err } = await run([...args, '--json'], env);
    return { code, value: JSON.parse(out), err };
  };

  beforeAll(async () => {
    mkdirSync(join(folder, 'photos'));
    for (let i = 0; i < 3; i++)
      writeFileSync(
        join(folder, `photos/${i}.png`),
        await encodePng(
          Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (i * 37 + j * (i + 1)) % 256),
          16,
          16,
        ),
      );
  });

  it('pretrain, export, convert and embed print one object; --quiet nothing else', async () => {
    const accuracy = expect.toSatisfy((v: number) => v >= 0 && v <= 1);
    expect(await json(['pretrain', ...tiny, '--out', 'run', '--quiet'])).toEqual({
      code: 0,
      err: '',
      value: {
        run: 'run',
        step: 3,
        totalSteps: 3,
        loss: expect.any(Number),
        contrastTop1: accuracy,
        chanceLoss: expect.closeTo(Math.log(33), 5),
        chanceTop1: 1 / 33,
        knn: { chance: accuracy, rawPixels: accuracy, randomEncoder: accuracy, trained: accuracy },
      },
    });
    expect(await json(['export', 'run', 'encoder.onnx'])).toEqual({
      code: 0,
      err: '',
      value: { out: 'encoder.onnx', files: ['encoder.onnx'] },
    });
    expect(await json(['convert', 'run/checkpoint.safetensors', 'copy.safetensors'])).toMatchObject({
      code: 0,
      value: { out: 'copy.safetensors', tensors: expect.any(Number), values: expect.any(Number) },
    });
    expect(await json(['embed', 'photos', '--checkpoint', 'run', '--out', 'a.npy'])).toEqual({
      code: 0,
      err: '',
      value: { out: 'a.npy', pictures: 3, features: 64, files: ['a.npy', 'a.names.txt'] },
    });
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['a.names.txt', 'a.npy', 'copy.safetensors', 'encoder.onnx', 'run']),
    );
  });

  it('pretrain --dry-run tells memory and time; --verbose how kernels are chosen', async () => {
    const { code, value, err } = await json(['pretrain', ...tiny, '--dry-run', '--verbose']);
    expect([code, value]).toMatchObject([
      0,
      {
        method: 'moco',
        model: 'resnet-tiny',
        parameters: expect.any(Number),
        memory: expect.any(Number),
        totalSteps: 3,
      },
    ]);
    expect(err).toMatch(/Kernels are chosen by \{.*"software":true/);
  });

  it('doctor finds an adapter that computes right', async () => {
    const { code, value } = await json(['doctor']);
    expect(code).toBe(0);
    const { adapters, packages } = value as { adapters: { works: boolean }[]; packages: object };
    expect(packages).toMatchObject({ webgpu: expect.stringMatching(/^\d/) });
    expect(adapters.filter((a) => a.works)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          checks: expect.arrayContaining([expect.objectContaining({ passed: true })]),
          products: 'f32',
          speed: { gigabytesPerSecond: expect.any(Number), gflops: expect.any(Number) },
          limits: expect.objectContaining({ maxBufferSize: expect.any(Number) }),
        }),
      ]),
    );
  });

  it('doctor ends with 3 where no driver works, and says which was named', async () => {
    const { code, value } = await json(['doctor'], { VK_ICD_FILENAMES: join(folder, 'nowhere.json') });
    expect([code, value]).toMatchObject([
      3,
      {
        works: false,
        adapters: [
          { choice: 'hardware', works: false },
          { choice: 'software', works: false, reason: expect.stringContaining('nowhere.json') },
        ],
      },
    ]);
  });

  it('summary needs no adapter', async () => {
    const [{ code, value }, text] = await Promise.all([
      json(['summary', '--model', 'resnet18', '--size', '32', '--dim', '10']),
      run(['summary', '--model', 'resnet18', '--size', '32', '--dim', '10']),
    ]);
    expect([code, value]).toMatchObject([
      0,
      { input: [1, 32, 32, 3], output: [1, 10], parameters: 11_173_962, macs: 555_422_720 },
    ]); // kuangliu/pytorch-cifar's ResNet18
    expect(text.out).toMatch(
      new RegExp(
        /^layer +kind +output +parameters +MFLOP/.source +
          /\nconv1 +Conv2d +\[1, 32, 32, 64\] +1,728 +3\.54\n[^]*: 11,173,962 parameters, 1\.11 GFLOP \(0\.56 GMAC\)\n$/
            .source,
      ),
    );
    expect(await run(['summary', '--stem', 'cifr'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean cifar?'),
    });
  });
});

describe('dawngrad doctor --tune', () => {
  it('says that what another version measured is passed over', async () => {
    const name = JSON.parse((await run(['doctor', '--json'])).out).adapters.find(
      (a: { works: boolean }) => a.works,
    ).name;
    const cache = join(folder, 'stale');
    mkdirSync(join(cache, 'dawngrad'), { recursive: true });
    writeFileSync(
      join(cache, 'dawngrad', 'tuning.json'),
      JSON.stringify({ [name]: { version: '0.0.9', variants: {} } }),
    );
    const { code, out } = await run(['doctor'], { XDG_CACHE_HOME: cache });
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          /^  tuned +what dawngrad 0\.0\.9 measured is passed over/.source +
            /, since kernels may have changed; measure anew: dawngrad doctor --tune 30$/.source,
          'm',
        ),
      ),
    ]);
  });

  it('tells what it measured of each adapter in its time', async () => {
    const { code, out } = await run(['doctor', '--tune', '0.001', '--json'], { XDG_CACHE_HOME: folder });
    const { adapters } = JSON.parse(out);
    expect([
      code,
      adapters.filter((a: { works: boolean }) => a.works).map((a: { tuned: object[] }) => a.tuned),
    ]).toEqual([0, expect.arrayContaining([[]])]);
    expect(await run(['doctor', '--tune', '0'])).toMatchObject({
      code: 2,
      err: 'Error: --tune: it must be a number of seconds above 0; got 0. Write --tune 30.\n',
    });
  });
});
