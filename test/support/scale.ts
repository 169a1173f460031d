/**
 * The host's side of a run on 200,000 pictures of 8 by 8, stage by stage, as a program of its own: prints what each
 * took, and the most memory that the process had. Arguments: a folder for its files.
 */
import { appendFileSync, closeSync, linkSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { device } from '../../src/backend/device.js';
import { labelsOf, planFolder } from '../../src/data/folder-plan.node.js';
import type { Pictures } from '../../src/data/picture-source.js';
import { limitPerClass, selectClasses, splitHeldOut } from '../../src/data/pictures.js';
import { FeatureSubset } from '../../src/eval/feature-subset.js';
import { featureSpread } from '../../src/eval/monitors.js';
import { rawPixelAccuracy } from '../../src/eval/raw-pixels.js';
import { Sampler } from '../../src/input/sampler.js';
import { readLines, writeAtomic } from '../../src/io/atomic.node.js';
import { csvLines, projectorLines } from '../../src/io/embeddings.js';
import { npyParts } from '../../src/io/npy.js';
import { encodePng } from '../../src/io/png.js';
import { safetensorsParts } from '../../src/io/safetensors.js';
import { summaryEvent } from '../../src/io/tensorboard.js';
import { EventFile } from '../../src/io/tensorboard.node.js';
import { tfRecord } from '../../src/io/tfrecord.js';
import { demoConfig, viewsOf } from '../../src/moco/config.js';
import type { Encoder } from '../../src/nn/models.js';
import { Module } from '../../src/nn/module.js';
import { avgPool } from '../../src/ops/avg_pool.js';
import { reshape } from '../../src/ops/reshape.js';
import { sheet } from '../../src/report/contact-sheet.js';
import { galleryRows } from '../../src/report/nearest-gallery.js';
import { renderReport } from '../../src/report/run-report.js';
import { thumbnails } from '../../src/report/thumbnails.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';

const [COUNT, CLASSES, SIDE, STEPS, EVENTS] = [200_000, 50, 8, 300_000, 600_000];
const SIZE = SIDE * SIDE * 3;

const seconds: Record<string, number> = {};
const found: Record<string, unknown> = {};
const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;

async function stage<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  const from = cpu();
  const result = await work();
  seconds[name] = Number((cpu() - from).toFixed(2));
  return result;
}

/** Seconds of a fixed piece of plain JavaScript, which tell how fast the machine is. */
function calibrate(): number {
  const from = cpu();
  const list = new Float64Array(2 ** 20);
  for (let round = 0; round < 200; round++)
    for (let i = 0; i < list.length; i++) list[i] = Math.sqrt(list[i] + i * round);
  return cpu() - from;
}

/** Folders of hard links to one small picture each: no file system allows as many to one file as there are pictures. */
async function makeFolder(root: string): Promise<void> {
  const png = await encodePng(new Uint8Array(SIZE).fill(99), SIDE, SIDE);
  for (let c = 0; c < CLASSES; c++) {
    const folder = join(root, `class${c}`);
    mkdirSync(folder, { recursive: true });
    const first = join(folder, '0.png');
    writeFileSync(first, png);
    for (let i = 1; i < COUNT / CLASSES; i++) linkSync(first, join(folder, `${i}.png`));
  }
}

/** What an encoder makes of a picture: means of its quarters. */
class Quarters extends Module {
  readonly features = 12;

  forward(x: Tensor): Tensor {
    return this.embed(x);
  }

  embed(x: Tensor): Tensor {
    return reshape(avgPool(x, { kernel: SIDE / 2, stride: SIDE / 2 }), [x.shape[0], this.features]);
  }
}

/** A line of metrics.jsonl a step, with one spike, and a last line that is cut. */
function writeMetrics(file: string, upTo: number): void {
  const handle = openSync(file, 'w');
  for (let from = 0; from < STEPS; from += 10_000) {
    const lines = Array.from({ length: Math.min(10_000, upTo - from) }, (_, i) => {
      const step = from + i + 1;
      const loss = step === 123_456 ? 99 : 5 + Math.exp(-step / 1e5);
      return JSON.stringify({
        step,
        epoch: Math.ceil(step / 1000),
        loss,
        contrastTop1: step / STEPS,
        contrastTop5: 0.5,
        lr: 0.03,
        m: 0.99,
        queueFill: 1,
        keyAge: 64,
        gradNorm: 1,
        picturesPerSecond: 5000,
        dataMs: 1,
        stepMs: 100,
      });
    });
    writeSync(handle, `${lines.join('\n')}\n`);
  }
  writeSync(handle, '{"step":1,"lo');
  closeSync(handle);
}

async function main(root: string): Promise<void> {
  const calibration = calibrate();
  await makeFolder(join(root, 'pictures'));
  await device({ adapter: 'software' });

  const { names, classes } = await stage('list', () =>
    planFolder(join(root, 'pictures'), { limitPerClass: COUNT / CLASSES }),
  );
  const data = new Uint8Array(COUNT * SIZE);
  const labels = labelsOf(names, classes!);
  for (let i = 0; i < COUNT; i++)
    data
      .fill(40 + ((labels[i] * 37) % 180), i * SIZE, i * SIZE + SIZE)
      .fill((labels[i] * 71 + (i % 7)) % 256, i * SIZE, i * SIZE + SIZE / 2);
  const pictures: Pictures = { data, count: COUNT, height: SIDE, width: SIDE, names, labels, classes, skipped: [] };
  const sets = await stage('split', () => {
    limitPerClass(selectClasses(pictures, classes!.slice(0, 40)), 1000, 1);
    return splitHeldOut(pictures, 0.002, 1);
  });
  found.counts = [names.length, sets.train.count, sets.heldOut.count];

  const config = { ...demoConfig, size: SIDE, batch: 512, splits: 2, K: 4096, epochs: 2, knn: 50, heldOut: 0.002 };
  await stage('samples of an epoch', async () => {
    const sampler = new Sampler(sets.train, { ...config, views: viewsOf(config), more: () => ({}) });
    for (let step = 0; step < sampler.batches.stepsPerEpoch + 2; step++) await sampler.sample(step);
  });
  const encoder: Encoder = new Quarters();
  const subset = new FeatureSubset(encoder, sets, config, { ahead: 2 });
  found.subset = subset.train.count;
  found.rawPixels = await stage('raw pixels', () => rawPixelAccuracy(subset, config));
  found.knn = await stage('k-NN', () => subset.knn());
  const features = await subset.features();
  found.spread = featureSpread(features.train);
  found.gallery = (await stage('gallery', () => galleryRows(subset.heldOut, features))).length;

  const run = await startRun(join(root, 'run'), {
    adapter: '',
    command: '',
    data: 'drawn',
    choice: {},
    config,
  });
  const training = new Pretraining(config, sets);
  await stage('steps, save, resume', async () => {
    await training.trial();
    writeMetrics(run.file('metrics.jsonl'), STEPS - 5);
    await run.save(training, { step: STEPS - 5 });
    writeMetrics(run.file('metrics.jsonl'), STEPS);
    await run.resume(training);
  });
  const { steps } = await stage('read metrics', () => run.history());
  found.steps = [steps.length, steps.at(-1)!.step, Math.max(...steps.map((s) => s.run?.loss?.most ?? s.loss))];
  found.lines = await stage('lines', () => {
    let lines = 0;
    for (const _ of readLines(run.file('metrics.jsonl'))) lines++;
    return lines;
  });
  const html = await stage('report', () =>
    renderReport({
      title: '',
      command: '',
      config: { ...config },
      adapter: '',
      version: '',
      seed: 1,
      steps,
      knn: [],
      baselines: { k: 1, T: 1 },
      chanceLoss: 8,
      queueSize: 4096,
      gallery: [],
      notes: [],
      elapsedSeconds: 1,
    }),
  );
  found.report = html.length;

  await stage('event file', async () => {
    const board = new EventFile(run.folder, 0);
    await board.written();
    const block: Uint8Array[] = [];
    for (let step = 0; step < 2000; step++)
      block.push(
        tfRecord(
          summaryEvent(1, step, {
            'train/loss': { scalar: 1 },
            'train/lr': { scalar: 1 },
            'train/contrastTop1': { scalar: 1 },
            'train/gradNorm': { scalar: 1 },
          }),
        ),
      );
    for (let from = 0; from < EVENTS; from += block.length) appendFileSync(board.path, Buffer.concat(block));
    const { size } = statSync(board.path);
    appendFileSync(board.path, block[0].subarray(0, 30));
    const again = new EventFile(run.folder, 1);
    await again.written();
    found.events = [size > 2 ** 26, statSync(board.path).size - size];
  });
  await stage('tables', async () => {
    const [count, size] = [COUNT, 12];
    const table = {
      values: new Float32Array(count * size).fill(0.123456),
      count,
      size,
      names,
      labels: Array.from(labels, (l) => classes![l]),
    };
    await writeAtomic(join(root, 'e.csv'), csvLines(table));
    for (const [name, lines] of projectorLines(table, { height: SIDE, width: SIDE }))
      await writeAtomic(join(root, name), lines);
    await writeAtomic(join(root, 'e.npy'), npyParts(table.values, [count, size]));
    await writeAtomic(
      join(root, 'e.safetensors'),
      safetensorsParts(new Map([['embeddings', { dtype: 'F32' as const, shape: [count, size], data: table.values }]]), {
        filenames: JSON.stringify(names),
      }),
    );
  });
  await stage('sprite', async () => {
    const { data: small, ...each } = await thumbnails(
      pictures,
      new Uint32Array(COUNT).map((_, i) => i),
      SIDE,
    );
    const all = sheet(small, each, 448);
    found.sprite = (await encodePng(all.data, all.width, all.height)).length > 0;
  });
  const total = cpu();
  console.log(JSON.stringify({ seconds, found, total, calibration, peak: process.resourceUsage().maxRSS * 1024 }));
}

await main(process.argv[2]);
process.exit(0); // the device would keep it alive
