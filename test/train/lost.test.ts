import { describe, expect, it } from 'vitest';
import { useBackend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { DeviceError, DeviceLostError } from '../../src/core/errors.js';
import { openGpu } from '../../src/gpu/device.js';
import { add } from '../../src/ops/binary.js';
import { tensor } from '../../src/tensor/tensor.js';
import { survive } from '../../src/train/survive.js';
import { reference } from '../support/devices.js';

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
