import { expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { BufferPool, type Failure, sizeClass } from '../../src/gpu/pool.js';
import { joinBytes } from '../../src/io/bytes.js';
import { jsonParts } from '../../src/io/embeddings.js';
import { safetensorsParts } from '../../src/io/safetensors.js';
import { zeros } from '../../src/tensor/fill.js';
import { gpu, on } from '../support/devices.js';

it('a tensor that no buffer of the device holds is refused in one sentence', async () => {
  const backend = await gpu();
  const { largest, name } = backend;
  expect(() => on(backend, () => zeros([largest / 4 + 1]))).toThrow(
    `tensor: it must fit into a buffer of ${name}, ${largest} bytes; ` +
      `got f32 [${largest / 4 + 1}], ${largest + 16} bytes.`,
  );
});

it('memory is rounded up for the pool no further than a buffer may be', () => {
  const made: number[] = [];
  const limits = { maxBufferSize: 5000 };
  const createBuffer = ({ size }: { size: number }) => (made.push(size), {});
  const pool = new BufferPool({ limits, createBuffer } as unknown as GPUDevice, {});
  expect(sizeClass(4900)).toBe(5120);
  for (const bytes of [4900, 3000, 4950]) pool.acquire(bytes);
  expect(made).toEqual([5000, 3072, 5000]);
});

it('a buffer that the device has no memory for is told by name and never handed out again', async () => {
  let full = true;
  const device = {
    limits: { maxBufferSize: 2 ** 31 },
    createBuffer: () => ({}),
    pushErrorScope: () => {},
    popErrorScope: async () => (full ? { message: 'no memory' } : null),
  };
  const failure: Failure = {};
  const pool = new BufferPool(device as unknown as GPUDevice, failure);
  const refused = pool.acquire(2 ** 30, () => 'f32 [256, 1024, 1024]');
  await new Promise(setImmediate);
  expect(failure.error).toMatchObject({
    name: 'DeviceError',
    message:
      'tensor: the device must have memory for it; got f32 [256, 1024, 1024], 1073741824 bytes, ' +
      'with 1073741824 in use. Use a smaller batch or model.',
  });
  pool.release(refused);
  expect([pool.inUse, pool.allocated]).toEqual([0, 0]);
  full = false;
  const had = pool.acquire(2 ** 30);
  expect(had).not.toBe(refused);
  pool.release(had);
  expect(pool.acquire(2 ** 30)).toBe(had);
});

it('random whole numbers reach all of a range, also of one larger than 24 bits', () => {
  const draws = (n: number) => Array.from({ length: 200 }, (_, i) => new Rng(7, 'below', i).below(n));
  const large = draws(2 ** 30);
  expect(large.every((v) => Number.isInteger(v) && v >= 0 && v < 2 ** 30)).toBe(true);
  for (let bit = 0; bit < 30; bit++)
    expect(large.filter((v) => (v >> bit) & 1).length, `bit ${bit}`).toBeGreaterThan(60);
  expect(draws(2 ** 24).map((v) => v >> 4)).toEqual(draws(2 ** 20)); // smaller ranges are drawn as they were
});

it('names are written as JSON in parts, and metadata that no reader would take is refused', () => {
  for (const count of [0, 1, 65_536, 65_537]) {
    const names = Array.from({ length: count }, (_, i) => `"é"/${i}.png`);
    expect(new TextDecoder().decode(joinBytes(jsonParts(names))) === JSON.stringify(names), String(count)).toBe(true);
  }
  expect(() => safetensorsParts(new Map(), { filenames: 'x'.repeat(1e8) })).toThrow(
    'the header must have at most 100000000 bytes; got 100000033. Shorten the metadata.',
  );
});
