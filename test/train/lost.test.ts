import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { DeviceError, DeviceLostError } from '../../src/core/errors.js';
import { openGpu } from '../../src/gpu/device.js';
import { add } from '../../src/ops/binary.js';
import { tensor } from '../../src/tensor/tensor.js';
import { openRun, startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { Saver } from '../../src/train/saver.node.js';
import { survive } from '../../src/train/survive.js';
import { reference } from '../support/devices.js';
import { base, pictures } from '../support/short_run.js';

const root = mkdtempSync(join(tmpdir(), 'dawngrad-lost-'));
afterAll(() => rmSync(root, { recursive: true }));

const open = async () => {
  const opened = new GpuBackend(await openGpu());
  useBackend(opened);
  return opened;
};

describe('a lost device', () => {
  it('fails every read that waits and every one after, and yields no zeros', async () => {
    const before = useBackend(undefined);
    try {
      const device = await open();
      const x = add(tensor([1, 2, 3]), tensor([4, 5, 6]));
      expect([...(await x.data())]).toEqual([5, 7, 9]);
      const reads = Array.from({ length: 5 }, () => x.data());
      device.gpu.device.destroy();
      const after = x.data();
      for (const end of await Promise.allSettled([...reads, after]))
        if (end.status === 'fulfilled') expect([...end.value]).toEqual([5, 7, 9]);
        else expect(end.reason).toBeInstanceOf(DeviceError);
      await expect(after).rejects.toThrow(/^device: .* must stay available; got it lost \(destroyed/);
      expect(device.lost).toBeInstanceOf(DeviceLostError);
      await expect(x.data()).rejects.toThrow(DeviceLostError);
      await expect(device.gpu.loss.during(() => device.gpu.device.queue.onSubmittedWorkDone())).rejects.toThrow(
        DeviceLostError,
      );
    } finally {
      useBackend(before);
    }
  });

  it('does not end a run, which goes on from its last save to the same bits', async () => {
    const before = useBackend(undefined);
    const config = { ...base, dim: 4, hidden: 4 };
    const info = { version: '1', adapter: '', command: '', data: 'synthetic', choice: {}, config };
    const trained = async (name: string, lose?: number) => {
      const run = await startRun(join(root, name), info);
      let device = await open();
      let left = lose === undefined ? 0 : 1;
      const said: string[] = [];
      const work = async () => {
        const training = new Pretraining(config, pictures);
        await run.resume(training);
        const saver = new Saver(run, training);
        await saver.begin();
        await training.run({
          onStep: (r) => run.log(r),
          onEpoch: (at, { score }) => saver.epoch(at, score),
          onHanded: ({ step }) => {
            if (step === lose && left-- > 0) device.gpu.device.destroy();
          },
        });
        await saver.end();
      };
      await survive(work, { open: async () => (device = await open()), say: (text) => said.push(text) });
      run.close();
      device.gpu.device.destroy();
      const metrics = [...openRun(run.folder).metrics()];
      return { said, metrics, bytes: readFileSync(openRun(run.folder).checkpoint) };
    };
    try {
      const straight = await trained('straight');
      const lost = await trained('lost', 3);
      expect(lost.said[0]).toMatch(/got it lost .* Opening a device again\.$/);
      expect(lost.metrics).toEqual(straight.metrics);
      expect(lost.bytes.equals(straight.bytes)).toBe(true);
    } finally {
      useBackend(before);
    }
  });

  it('three times in ten minutes is an end with what is saved, three times in eleven is not', async () => {
    let now = 0;
    const lost = (minutes: number, times: number) => {
      const work = async () => {
        if (times-- <= 0) return 'done';
        now += minutes * 60_000;
        throw new DeviceLostError('device: gone.');
      };
      return survive(work, {
        open: async () => reference,
        say: () => undefined,
        saved: 'It is saved.',
        now: () => now,
      });
    };
    const before = useBackend(reference);
    await expect(lost(5, 3)).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/It is saved\.$/) });
    await expect(lost(5.5, 3)).resolves.toBe('done');
    const other = async () => Promise.reject(new Error('other'));
    await expect(survive(other, { open: async () => reference, say: () => undefined })).rejects.toThrow('other');
    useBackend(before);
  });
});
