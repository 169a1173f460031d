import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { ReferenceBackend } from '../../src/backend/reference.js';
import { openGpu } from '../../src/gpu/device.js';
import { add, mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { backward } from '../../src/tensor/autograd.js';
import { full } from '../../src/tensor/fill.js';
import { parameter, state, type Tensor, tensor, view } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on } from '../support/devices.js';

// Backends of their own: no other test gives memory back to them while this one counts it.
let opened: Promise<GpuBackend> | undefined;
const gpu = (): Promise<GpuBackend> => (opened ??= openGpu({ robust: true }).then((g) => new GpuBackend(g)));
const mirror = new ReferenceBackend();
const devices: [string, () => Backend | Promise<Backend>][] = [
  ['gpu', gpu],
  ['reference', () => mirror],
];

const gone = (shape: string) =>
  `tensor ${shape}: its memory must be alive, and what is made inside a tidy() is recycled when it ends; ` +
  `got one that is gone. Return it from the tidy(), or read it inside.`;

describe.each(devices)('step on %s', (_, backend) => {
  it('recycles what was made inside: using it later throws a sentence that says what to do', async () => {
    const device = await backend();
    let lost!: Tensor;
    let seen!: Tensor;
    on(device, () =>
      tidy(() => {
        lost = tensor([1, 2, 3, 4]);
        seen = reshape(add(lost, 1), [2, 2]);
      }),
    );
    await expect(lost.data()).rejects.toThrow(gone('[4]'));
    on(device, () => {
      expect(() => add(lost, 1)).toThrow(gone('[4]'));
      expect(() => add(tensor([1]), seen)).toThrow(gone('[2, 2]'));
      expect(() => lost.set([1, 2, 3, 4])).toThrow(gone('[4]'));
      expect(() => lost.detach()).toThrow(gone('[4]'));
    });
  });

  it('a view dies with the memory it looks at', async () => {
    let part!: Tensor;
    on(await backend(), () => tidy(() => void (part = view(full([128], 1), [64], 64))));
    await expect(part.data()).rejects.toThrow(gone('[64]'));
  });

  it('returned tensors live: alone, in arrays, in objects, nested, and as a view of part', async () => {
    const device = await backend();
    const kept = on(device, () =>
      tidy(() => {
        const whole = tensor(Float32Array.from({ length: 128 }, (_, i) => i));
        return {
          a: tensor([1]),
          list: [tensor([2]), [tensor([3])]],
          deep: { b: { c: mul(tensor([2]), 2) } },
          part: view(whole, [64], 64),
          other: 'text',
          nothing: null,
          number: 5,
        };
      }),
    );
    const alone = on(device, () => tidy(() => full([3], 5)));
    on(device, () => tidy(() => full([3], 9))); // would write over memory that was given back
    const [two, [three]] = kept.list as [Tensor, [Tensor]];
    expect(await Promise.all([kept.a, two, three, kept.deep.b.c].map((t) => t.item()))).toEqual([1, 2, 3, 4]);
    expect((await kept.part.data())[63]).toBe(127);
    expect(Array.from(await alone.data())).toEqual([5, 5, 5]);
  });

  it('parameters, their gradients and state outlive the step they are made in', async () => {
    const device = await backend();
    let [p, s, temporary] = [] as unknown as [Tensor, Tensor, Tensor];
    on(device, () =>
      tidy(() => {
        p = parameter(tensor([1, 2]));
        s = state(full([2], 4));
        temporary = mul(p, p);
        backward(sum(temporary));
      }),
    );
    on(device, () => tidy(() => [full([2], 8), full([2], 8), full([2], 8)]));
    expect(Array.from(await p.data())).toEqual([1, 2]);
    expect(Array.from(await p.grad!.data())).toEqual([2, 4]);
    expect(Array.from(await s.data())).toEqual([4, 4]);
    await expect(temporary.data()).rejects.toThrow(gone('[2]'));
  });

  it('nested: what the inner step returns belongs to the outer, and to nobody after it', async () => {
    const device = await backend();
    let [middle, inner] = [] as unknown as [Tensor, Tensor];
    const outer = on(device, () =>
      tidy(() => {
        middle = tidy(() => {
          inner = full([2], 3);
          return add(inner, 1);
        });
        expect(() => inner.storage).toThrow(gone('[2]'));
        const kept = tidy(() => state(full([2], 6)));
        return [add(middle, 1), kept];
      }),
    );
    expect(Array.from(await outer[0].data())).toEqual([5, 5]);
    expect(Array.from(await outer[1].data())).toEqual([6, 6]);
    await expect(middle.data()).rejects.toThrow(gone('[2]'));
  });

  it('gives back all memory when its function throws, and the next step works', async () => {
    const device = await backend();
    const before = device.memory().inUse;
    let lost!: Tensor;
    on(device, () => {
      expect(() =>
        tidy(() => {
          lost = full([1000], 1);
          tidy(() => {
            full([500], 1);
            throw new RangeError('inside');
          });
        }),
      ).toThrow(new RangeError('inside'));
      expect(device.memory().inUse).toBe(before);
      expect(() => lost.storage).toThrow(gone('[1000]'));
    });
    expect(await on(device, () => tidy(() => sum(full([1000], 1)).item()))).toBe(1000);
  });

  it('gives back all memory when what it returns is gone already', async () => {
    const device = await backend();
    const before = device.memory().inUse;
    on(device, () => {
      let lost!: Tensor;
      tidy(() => void (lost = full([4], 1)));
      expect(() => tidy(() => [full([1000], 1), lost])).toThrow(gone('[4]'));
      expect(device.memory().inUse).toBe(before);
    });
  });

  it('reads started inside give the values of then, whatever comes after', async () => {
    const device = await backend();
    const s = on(device, () => state(full([5], 0)));
    const reads: Promise<ArrayLike<number>>[] = [];
    on(device, () => {
      for (let i = 0; i < 40; i++)
        tidy(() => {
          s.set(new Array(5).fill(i));
          const y = mul(s, 2);
          reads.push(y.data(), s.data());
          s.set(new Array(5).fill(-1));
        });
    });
    const all = await Promise.all(reads);
    for (let i = 0; i < 40; i++) {
      expect(Array.from(all[2 * i])).toEqual(new Array(5).fill(2 * i));
      expect(Array.from(all[2 * i + 1])).toEqual(new Array(5).fill(i));
    }
    expect(Array.from(await s.data())).toEqual([-1, -1, -1, -1, -1]);
  });

  it('10,000 steps hold memory flat', async () => {
    const device = await backend();
    const total = on(device, () => state(full([7], 0)));
    const allocated = () => (device instanceof GpuBackend ? device.gpu.pool.allocated : 0);
    let [inUse, held] = [0, 0];
    for (let i = 0; i < 10_000; i += 500) {
      on(device, () => {
        const before = device.memory().inUse;
        for (let j = 0; j < 500; j++) {
          tidy(() => {
            const y = mul(add(total, 1), 1);
            total.set([i + j, 0, 0, 0, 0, 0, 0]);
            add(y, y);
          });
          inUse = device.memory().inUse;
          if (inUse !== before) throw new Error(`step ${i + j}: ${inUse} bytes in use, ${before} before`);
        }
      });
      if (i === 0) held = allocated();
      expect(allocated(), `bytes allocated after step ${i + 500}`).toBe(held);
      expect((await total.data())[0]).toBe(i + 499);
    }
  });
});
