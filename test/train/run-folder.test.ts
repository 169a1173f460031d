import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { FormatError } from '../../src/core/errors.js';
import { Lock } from '../../src/io/lock.node.js';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import { checkFree, openRun, startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import type { Run } from '../../src/train/run.node.js';
import { Saver } from '../../src/train/saver.node.js';
import { reference } from '../support/devices.js';
import { base, pictures } from '../support/short_run.js';

let before: Backend | undefined;
const root = mkdtempSync(join(tmpdir(), 'dawngrad-folder-'));
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => {
  useBackend(before);
  rmSync(root, { recursive: true });
});

const config = { ...base, dim: 4, hidden: 4, size: 4 };
const info = { adapter: '', command: '', data: 'synthetic', choice: {}, config };
let runs = 0;
const start = (): Promise<Run> => startRun(join(root, `run-${runs++}`), info);
const training = (sets = pictures, changed = {}) => new Pretraining({ ...config, ...changed }, sets);

/** A process that has ended, and one that has not. */
const DEAD = { pid: 2 ** 22 + 1, host: hostname(), began: '' };
const ALIVE = { pid: process.ppid, host: hostname(), began: '' };
const token = '00000000-0000-4000-8000-000000000000';

describe("a run's folder belongs to one process", () => {
  it('another that lives keeps it, here and on another host, whether a run is started or resumed', async () => {
    const run = await start();
    run.close();
    const lock = join(run.folder, 'run.lock');
    expect(existsSync(lock)).toBe(false);
    for (const holder of [ALIVE, { ...DEAD, host: 'elsewhere' }]) {
      writeFileSync(lock, JSON.stringify({ ...holder, token }));
      await expect(openRun(run.folder).resume(training())).rejects.toThrow(
        new RegExp(`must belong to one process at a time; got one that process ${holder.pid}`),
      );
      rmSync(join(run.folder, 'config.json'));
      await expect(startRun(run.folder, info)).rejects.toMatchObject({ name: 'FormatError', exitCode: 4 });
      expect(readFileSync(lock, 'utf8')).toContain(token);
      rmSync(lock);
      (await startRun(run.folder, info)).close();
    }
  });

  it('one that is dead gives it up, with all it left behind; so does one that only has its number', async () => {
    const run = await start();
    run.close();
    const others = ['.checkpoint.safetensors.00000000.7.0.abcdef.tmp', '.mine.tmp']; // of another host, of others
    for (const name of others) writeFileSync(join(run.folder, name), '');
    for (const holder of [DEAD, { ...ALIVE, began: '1' }, { ...DEAD, pid: -1 }]) {
      writeFileSync(join(run.folder, 'run.lock'), JSON.stringify({ ...holder, token }));
      writeFileSync(join(run.folder, `run.lock.${token}`), JSON.stringify({ ...DEAD, token }));
      await openRun(run.folder).resume(training());
      expect(readdirSync(run.folder).sort()).toEqual([...others, 'config.json', 'run.lock'].sort());
      Lock.take(run.folder, 'run.lock').release(true);
    }
  });

  it('temporary files of dead processes go, those of living ones stay', async () => {
    const run = await start();
    await run.save(training(), { step: 0 });
    const written = join(run.folder, 'x');
    const { temporaryOf } = await import('../../src/io/atomic.node.js');
    const [of, living] = [temporaryOf(written), temporaryOf(written)];
    writeFileSync(of.replace(`.${process.pid}.`, `.${DEAD.pid}.`), '');
    writeFileSync(living.replace(`.${process.pid}.`, `.${ALIVE.pid}.`), '');
    run.close();
    openRun(run.folder).open();
    expect(readdirSync(run.folder).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
  });

  it('that is removed under a run is an error, not a stump', async () => {
    for (const anew of [false, true]) {
      const run = await start();
      await run.save(training(), { step: 0 });
      run.log({ step: 1, loss: 1 } as never);
      await run.written();
      rmSync(run.folder, { recursive: true });
      if (anew) mkdirSync(run.folder);
      run.log({ step: 2, loss: 1 } as never);
      await expect(run.save(training(), { step: 2 })).rejects.toThrow(/must stay in its place.*removed or renamed/);
      expect(anew ? readdirSync(run.folder) : existsSync(run.folder)).toEqual(anew ? [] : false);
    }
  });

  it('a new run does not begin among the files of something else', () => {
    const folder = join(root, 'weights');
    mkdirSync(folder);
    writeFileSync(join(folder, 'best.safetensors'), '');
    expect(() => checkFree(folder)).toThrow(/got one that holds best\.safetensors/);
  });
});

describe('a run goes on', () => {
  it('from nothing, where it was killed before its first save, and not where its checkpoint is gone', async () => {
    const run = await start();
    const again = training();
    await openRun(run.folder).check();
    await openRun(run.folder).resume(again);
    expect(again.position.step).toBe(0);
    run.log({ step: 1, loss: 1 } as never);
    await run.written();
    await expect(openRun(run.folder).resume(again)).rejects.toThrow(/got none there/);
  });

  it('with its configuration, pictures and metrics, or not at all', async () => {
    const run = await start();
    run.log({ step: 1, loss: 1 } as never);
    await run.save(training(), { step: 1 });
    run.log({ step: 2, loss: 1 } as never);
    await run.written();
    const resumed = (sets = pictures, changed = {}) => openRun(run.folder).resume(training(sets, changed));
    await expect(resumed(pictures, { lr: 0.5 })).rejects.toThrow(/got lr 0\.5 in config\.json where it had 0\.1/);
    const { train, heldOut } = pictures;
    const others: [string, object][] = [
      ['names', { names: train.names.with(3, 'other') }],
      ['labels', { labels: train.labels!.with(0, 1 - train.labels![0]) }],
      ['labels', { classes: train.classes!.with(0, 'other') }],
    ];
    for (const [what, change] of others)
      await expect(resumed({ train: { ...train, ...change }, heldOut })).rejects.toThrow(`got others by their ${what}`);
    await resumed();
    expect([...run.metrics()]).toEqual([{ step: 1, loss: 1 }]);
    writeFileSync(run.file('metrics.jsonl'), '');
    await expect(resumed()).rejects.toThrow(/must hold the 1 lines that .* counts; got 0/);
  });
});

describe('a checkpoint', () => {
  it('of any flipped bit is refused, or says the same', async () => {
    const run = await start();
    await run.save(training(), { step: 0 }, { by: 'knn', value: 0.5 });
    const bytes = new Uint8Array(readFileSync(run.checkpoint));
    const whole = decodeSafetensors(bytes, 'whole');
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const at = (i * 7919) % (i % 2 ? bytes.length : 4000);
      bytes[at] ^= 1 << (i % 8);
      try {
        expect(decodeSafetensors(bytes, 'flipped')).toEqual(whole); // as blanks of the header
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        refused++;
      }
      bytes[at] ^= 1 << (i % 8);
    }
    expect(refused).toBeGreaterThan(290);
    const before = readFileSync(run.checkpoint);
    await run.save(training(), { step: 2 });
    expect(readFileSync(openRun(join(run.folder, 'previous')).checkpoint).equals(before)).toBe(true);
    expect(readFileSync(openRun(join(run.folder, 'best')).checkpoint).equals(before)).toBe(true);
  });

  it('is saved at the start, when it is time and at the end, of the state at that step, beside training', async () => {
    const run = await start();
    const [trained, straight] = [training(), training()];
    let now = 0;
    const saved: number[] = [];
    const saver = new Saver(run, trained, { minutes: 10, now: () => now, onSaved: ({ step }) => saved.push(step) });
    await saver.begin();
    await trained.run({
      onStep: (record) => run.log(record),
      onHanded: (position, reported) => {
        now += position.step === 2 || position.step === 3 ? 600_000 : 0; // 2 ends an epoch, which saves by itself
        saver.handed(position, reported);
      },
    });
    await saver.settled();
    for (let i = 0; i < 3; i++) await straight.trial();
    const { saveCheckpoint } = await import('../../src/checkpoints/checkpoint.js');
    const want = decodeSafetensors(await saveCheckpoint(straight.method, {}), 'straight').tensors;
    const { tensors, metadata } = decodeSafetensors(readFileSync(run.checkpoint), 'saved');
    expect(tensors).toEqual(want);
    expect(metadata).toMatchObject({ step: '3', metrics: '3' });
    await saver.end();
    await saver.end();
    expect(saved).toEqual([0, 3, 4]);
  });
});
