import type { Storage } from '../backend/backend.js';
import { within } from '../backend/context.js';
import { ShapesBackend } from '../backend/shapes.js';
import { bytesOf, type DType } from '../core/dtype.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { mostAlive } from '../gpu/plan.js';
import type { PretrainConfig } from '../moco/config.js';
import { createMethod } from '../moco/create.js';
import { withPrecision } from '../ops/precision.js';
import { empty } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';

/** Bytes that a run takes of a device, besides its pictures. */
export interface Needs {
  /** Parameters, what optimizers keep of them, and keys. */
  readonly state: number;
  /** All that lives at the worst moment of a step, state included. */
  readonly peak: number;
  /** The largest tensor of the state, and of a step. */
  readonly largest: { readonly state: number; readonly step: number };
}

/** Keeps account of tensors that have shapes and no values: how large each is, and when it is used. */
class Counting extends ShapesBackend {
  readonly #lives = new Map<Storage, { size: number; first: number; last: number }>();
  #runs = 0;
  largest = 0;

  override alloc(dtype: DType, length: number): Storage {
    const storage = super.alloc(dtype, length);
    const size = bytesOf(dtype) * length;
    this.largest = Math.max(this.largest, size);
    this.#lives.set(storage, { size, first: this.#runs, last: this.#runs });
    return storage;
  }

  override slice(parent: Storage, offset: number, length: number): Storage {
    const slice = super.slice(parent, offset, length);
    this.#lives.set(slice, this.#lives.get(parent)!); // it lives in its parent's memory
    return slice;
  }

  override run(_: unknown, storages: readonly Storage[]): void {
    this.#runs++;
    for (const storage of storages) this.#lives.get(storage)!.last = this.#runs;
  }

  /** Bytes of all that there is, which then lives to the end. */
  keep(): number {
    const kept = new Set(this.#lives.values());
    for (const life of kept) life.last = Infinity;
    return [...kept].reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes alive at the worst moment, of tensors that go with their last use. */
  get peak(): number {
    return mostAlive([...new Set(this.#lives.values())]);
  }
}

/** What a run of a configuration takes, by working out the shapes of one step. Nothing is computed. */
export function needsOf(config: PretrainConfig, pictures: number): Needs {
  const counting = new Counting();
  return within({ backend: counting }, () => {
    const method = createMethod(config, pictures);
    const [state, largest] = [counting.keep(), counting.largest];
    counting.largest = 0;
    tidy(() => withPrecision(config.precision, () => method.step(partsOf(config), { lr: empty([1]), m: empty([1]) })));
    return { state, peak: counting.peak, largest: { state: largest, step: counting.largest } };
  });
}

/** What a step is given. */
function partsOf({ batch, accumulate, size, method, K }: PretrainConfig) {
  const N = batch / accumulate;
  const views = () => empty([N, size, size, 3]);
  const order = () => empty([N], 'u32');
  return Array.from({ length: accumulate }, () => ({
    x1: views(),
    x2: views(),
    index: order(),
    shuffle: order(),
    unshuffle: order(),
    negatives: method === 'memory-bank' ? empty([K], 'u32') : undefined,
  }));
}

/** What there is of a device: bytes of a buffer and, where that is known, of its memory. */
export interface Room {
  readonly name: string;
  readonly largest?: number;
  readonly memory?: number;
}

/**
 * Sees that a run fits, before anything is allocated.
 * @throws ConfigError that names the setting, and the largest value of it that fits.
 */
export function checkFits(config: PretrainConfig, pictures: number, room: Room): void {
  const { name, largest = Infinity, memory = Infinity } = room;
  checkKeys(config, pictures, Math.min(largest, memory), name);
  const least = Math.max(2, config.accumulate * config.splits); // a batch has two pictures at least
  const few = needsOf({ ...config, batch: least }, pictures);
  if (few.largest.state > largest || few.state > memory)
    throw new ConfigError(
      `model: its parameters must fit into ${binary(Math.min(largest, memory))} on ${name}; ` +
        `got ${binary(Math.max(few.largest.state, few.state))} for ${config.model}. Take a smaller model or dim.`,
    );
  /** How much of the room a step takes, above 1 where it does not fit. */
  const filled = (batch: number): number => {
    try {
      const needs = needsOf({ ...config, batch }, pictures);
      return Math.max(needs.peak / memory, needs.largest.step / largest);
    } catch (error) {
      if (error instanceof ShapeError) return Infinity; // a tensor of more elements than any may have
      throw error;
    }
  };
  if (filled(config.batch) <= 1) return;
  const most = largestBatch(filled, least, config.batch);
  throw new ConfigError(
    `batch: a step must fit into ${memory < Infinity ? `the ${binary(memory)} of ` : ''}${name}; ` +
      `got a batch of ${config.batch} of ${config.size}×${config.size} for ${config.model}. ` +
      (most > 0 ? `${most} would fit, or parts of as many by --accumulate.` : 'Take a smaller size or model.'),
  );
}

/** The largest batch in multiples of `unit` that fits: what a step needs is nearly in proportion to it. */
function largestBatch(filled: (batch: number) => number, unit: number, batch: number): number {
  let [least, most] = [
    { units: 0, filled: 0 },
    { units: Math.ceil(batch / unit), filled: filled(batch) },
  ];
  while (most.units - least.units > 1) {
    const slope = (most.filled - least.filled) / (most.units - least.units);
    const guess = Number.isFinite(slope) ? least.units + (1 - least.filled) / slope : (least.units + most.units) / 2;
    const units = Math.min(most.units - 1, Math.max(least.units + 1, Math.floor(guess)));
    const tried = { units, filled: filled(units * unit) };
    if (tried.filled <= 1) least = tried;
    else most = tried;
  }
  return least.units * unit;
}

/** The keys are as many as K and dim say, whatever the step is. */
function checkKeys({ method, K, dim }: PretrainConfig, pictures: number, most: number, name: string): void {
  const rows = method === 'moco' ? K : method === 'memory-bank' ? pictures : 0;
  const bytes = 4 * rows * dim;
  if (bytes <= most) return;
  const isQueue = method === 'moco';
  throw new ConfigError(
    `${isQueue ? 'K' : 'memory bank'}: its keys must fit into ${binary(most)} on ${name}; ` +
      `got ${rows} of dim ${dim}, ${binary(bytes)}. At most ${Math.floor(most / 4 / dim)} of that dim fit: ` +
      `take a smaller ${isQueue ? 'K or dim' : 'dim, or fewer pictures'}.`,
  );
}
