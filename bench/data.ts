import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { device } from '../src/backend/device.js';
import { openSource } from '../src/data/open-pictures.node.js';
import { inMemory, type PictureSource } from '../src/data/picture-source.js';
import { subset } from '../src/data/pictures.js';
import { syntheticPictures } from '../src/data/synthetic.js';
import { demoConfig } from '../src/moco/config.js';
import { Pretraining } from '../src/train/pretrain.js';
import type { PretrainHooks, StepRecord, StepTiming } from '../src/train/records.js';

const [WIDTH, HEIGHT, DRAWN] = [400, 300, 256];
const [COUNT, STEPS, ROUNDS] = [512, 8, 2];
/** Steps of a run before those that are timed, in which pictures of further steps are decoded too. */
const FIRST = 7;

/** A run on pictures from one place, and its milliseconds a step. */
interface Way {
  name: string;
  training: Pretraining;
  dataMs: number[];
  stepMs: number[];
}

/**
 * Time of data beside time of a step, for the pictures of `folder` in memory and streamed; without it, JPEGs of
 * 400×300.
 *
 * @param size pixels of a view; pictures are decoded at 8/7 of it, at 64 at least, and no larger than they are.
 */
export async function measureData(folder?: string, size = 32): Promise<string> {
  const made = folder ?? (await writePictures());
  try {
    await device();
    const [kept, streamed] = [
      await openSource(made, { views: size, cropMin: 0.2, stream: false }),
      await openSource(made, { views: size, cropMin: 0.2, stream: true }),
    ];
    const way = (name: string, source: PictureSource, ahead?: number): Way => {
      const config = { ...demoConfig, size, epochs: 1000, K: 128, heldOut: 0 };
      return {
        name,
        training: new Pretraining(config, { train: source, heldOut: subset(source, []) }, { ahead }),
        dataMs: [],
        stepMs: [],
      };
    };
    const ways = [
      way('in memory', kept),
      ...[0, 2, 4].map((ahead) => way(`streamed, ${ahead} ahead`, streamed, ahead)),
    ];
    for (let round = 0; round <= ROUNDS; round++)
      for (const w of ways) await (round === 0 ? w.training.run(after(3)) : time(w));
    return [
      ...table(ways),
      '',
      `Decoding alone: ${(await decodingRate(streamed)).toFixed(0)} pictures/s of ${kept.width}×${kept.height}.`,
    ].join('\n');
  } finally {
    if (folder === undefined) rmSync(made, { recursive: true });
  }
}

/** Stops a run after some steps, and tells how long each took. */
function after(steps: number, tell?: (done: number, timing: StepTiming) => void): PretrainHooks {
  const stop = new AbortController();
  let done = 0;
  const onStep = (_: StepRecord, timing: StepTiming) => {
    done++;
    tell?.(done, timing);
    if (done >= steps) stop.abort();
  };
  return { signal: stop.signal, onStep };
}

/** Runs some steps on from where the run stands. */
async function time({ training, dataMs, stepMs }: Way): Promise<void> {
  await training.run(
    after(FIRST + STEPS, (done, timing) => {
      if (done <= FIRST) return;
      dataMs.push(timing.dataMs);
      stepMs.push(timing.stepMs);
    }),
  );
}

function table(ways: Way[]): string[] {
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const whole = mean(ways[0].stepMs);
  return [
    '| pictures | data, ms | step, ms | pictures/s against memory |',
    '|---|--:|--:|--:|',
    ...ways.map(
      ({ name, dataMs, stepMs }) =>
        `| ${name} | ${mean(dataMs).toFixed(1)} | ${mean(stepMs).toFixed(0)} | ${(whole / mean(stepMs)).toFixed(2)} |`,
    ),
  ];
}

/** Pictures a second when nothing else is done. */
async function decodingRate(source: PictureSource): Promise<number> {
  if (inMemory(source)) return Infinity;
  const all = Uint32Array.from({ length: Math.min(COUNT, source.count) }, (_, i) => i);
  const began = performance.now();
  await source.load(all);
  return (1000 * all.length) / (performance.now() - began);
}

/** Drawn pictures as JPEGs in a new folder. */
async function writePictures(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'dawngrad-data-'));
  const { data } = syntheticPictures({ count: COUNT, size: DRAWN, seed: 1 });
  const bytes = DRAWN * DRAWN * 3;
  for (let i = 0; i < COUNT; i++) {
    const raw = { width: DRAWN, height: DRAWN, channels: 3 } as const;
    await sharp(data.subarray(i * bytes, (i + 1) * bytes), { raw })
      .resize(WIDTH, HEIGHT, { fit: 'fill' })
      .jpeg({ quality: 90 })
      .toFile(join(folder, `${i}.jpg`));
  }
  return folder;
}
