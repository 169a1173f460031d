import type { Backend } from '../../src/backend/backend.js';
import { type Slot, slots } from '../../src/checkpoints/checkpoint.js';
import { createMethod } from '../../src/moco/create.js';
import type { Method, Part } from '../../src/moco/method.js';
import { MoCo } from '../../src/moco/moco.js';
import { presetOf } from '../../src/moco/presets.js';
import { ResNet } from '../../src/nn/resnet.js';
import { type Precision, withPrecision } from '../../src/ops/precision.js';
import { optimizerOf } from '../../src/optim/optimizer-of.js';
import { tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on } from '../support/devices.js';
import type { MoCoCase, V3Case } from './cases.js';
import { cases, type Items } from './golden.js';
import { initial, permutation, pictures, scalar, unitColumns } from './values.js';

/** The losses of MoCo v1's or v2's steps, and everything that a checkpoint holds after them. */
export function moco(backend: Backend, name: string, precision: Precision = 'f32'): Promise<Items> {
  const c = cases.moco[name];
  const { T, K, dim, symmetric, blocks, widths, head, splits } = c;
  const encoder = () => new ResNet({ blocks, widths, head, dim, splits, stem: 'cifar', seed: 1 });
  const method = on(
    backend,
    () =>
      new MoCo(encoder, {
        T,
        K,
        dim,
        symmetric,
        seed: 1,
        optimizer: (p) => optimizerOf({ ...c, optimizer: 'sgd', precision }, p),
      }),
  );
  const special = (slot: string) =>
    slot === 'queue' ? unitColumns(`moco/${name}/queue`, c.dim, c.K) : slot === 'queue_ptr' ? [c.ptr] : undefined;
  return train(backend, method, `moco/${name}`, c, { special, precision });
}

/** The same of MoCo v3, which shuffles nothing. */
export function v3(backend: Backend, name: string, precision: Precision = 'f32'): Promise<Items> {
  const c = cases.v3[name];
  const preset = presetOf(c.optimizer === 'adamw' ? 'v3-vit-demo' : 'v3-demo');
  const { model, stem = preset.stem, size, hidden, dim, T, optimizer, momentum, weightDecay, N } = c;
  const config = { ...preset, model, stem, size, hidden, dim, T, optimizer, momentum, weightDecay, precision, seed: 1 };
  const method = on(backend, () => createMethod(config, N));
  return train(backend, method, `v3/${name}`, c, { special: () => undefined, precision });
}

interface Options {
  special: (slot: string) => ArrayLike<number> | undefined;
  precision: Precision;
}

async function train(
  backend: Backend,
  method: Method,
  name: string,
  c: MoCoCase | V3Case,
  { special, precision }: Options,
): Promise<Items> {
  for (const slot of slots(method)) begin(slot, special(slot.name));
  const items: Items = new Map();
  for (let t = 0; t < c.m.length; t++) {
    const measured = on(backend, () =>
      tidy(() => {
        const rates = { lr: scalar(c.lr[t]), m: scalar(c.m[t]) };
        return withPrecision(precision, () => method.step([partOf(name, t, c)], rates));
      }),
    );
    items.set(`${name}/loss/${t}`, (await measured.data()).slice(0, 1));
  }
  for (const slot of slots(method))
    if (isGolden(slot.name))
      items.set(`${name}/end/${slot.name}`, Float64Array.from((await slot.save())().data, Number));
  return items;
}

function partOf(name: string, t: number, { N, size }: MoCoCase | V3Case): Part {
  const order = permutation(`${name}/order/${t}`, N);
  const inverse = order.map((_, i) => order.indexOf(i));
  const [x1, x2] = [1, 2].map((view) => pictures(`${name}/x${view}/${t}`, N, size));
  return { x1, x2, index: tensor(Uint32Array.from(order.keys())), shuffle: tensor(order), unshuffle: tensor(inverse) };
}

/** A scale at which no gradient of these cases overflows. */
const SCALE = [1024, 0, 0, 0];

/** Counts stay as they are made, and so do position embeddings. */
function begin(slot: Slot, own: ArrayLike<number> | undefined): void {
  const { name, dtype, shape } = slot;
  const scale = name === 'optimizer.loss_scale' ? SCALE : undefined;
  const zeros = name.startsWith('optimizer.') ? new Float32Array(shape.reduce((a, b) => a * b, 1)) : undefined;
  const values =
    own ?? scale ?? zeros ?? (dtype === 'F32' && !name.endsWith('pos_embed') ? initial(name, shape) : undefined);
  if (!values) return;
  const data = dtype === 'I64' ? BigInt64Array.from(values as number[], BigInt) : Float32Array.from(values);
  slot.load({ dtype, shape: [...shape], data });
}

/** Batches are counted alike in all that is trained, and two kinds of scalars PyTorch keeps elsewhere. */
const isGolden = (slot: string) => !/num_batches_tracked$|^optimizer\.(corrections|loss_scale)$/.test(slot);
