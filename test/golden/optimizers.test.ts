import { describe, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { adamw } from '../../src/ops/adamw.js';
import { lars, larsTable } from '../../src/ops/lars.js';
import { sgd } from '../../src/ops/sgd.js';
import { state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { cases, compare, type Items } from './golden.js';
import { even, initial, scalar, sizeOf } from './values.js';

const { optim } = cases;
type Kind = 'sgd' | 'lars' | 'adamw';

/** Tensors one after the other, each from a multiple of 4 on, as LARS wants them. */
const parts = optim.tensors.map(([name, shape]) => ({
  name,
  shape,
  length: sizeOf(shape),
  adapted: shape.length > 1,
  start: 0,
}));
let length = 0;
for (const p of parts) {
  p.start = length;
  length += 4 * Math.ceil(p.length / 4);
}

function flat(values: (name: string, shape: number[]) => ArrayLike<number>): Tensor {
  const all = new Float32Array(length);
  for (const p of parts) all.set(values(p.name, p.shape), p.start);
  return tensor(all);
}

/** Parameters and what an optimizer keeps, after each step. */
async function steps(backend: Backend, kind: Kind): Promise<Items> {
  const [items, kept]: [Items, [string, Tensor][]] = [new Map(), []];
  const made = (t: Tensor) => state(t);
  const [w, first, v, corrections, table] = on(
    backend,
    () =>
      [
        made(flat((name, shape) => (name.startsWith('zero') ? [] : initial(`optim/${name}`, shape)))),
        made(tensor(new Float32Array(length))),
        made(tensor(new Float32Array(length))),
        made(tensor([0, 0])),
        larsTable(parts.map(({ start, length, adapted }) => ({ start, length, adapted }))),
      ] as const,
  );
  kept.push(
    ['w', w],
    [kind === 'adamw' ? 'm' : 'velocity', first],
    ...(kind === 'adamw' ? [['v', v] as [string, Tensor]] : []),
  );
  for (let t = 0; t < optim.steps; t++) {
    on(backend, () => {
      const dw = flat((name, shape) => even(`optim/grad/${name}/${t}`, shape));
      const lr = scalar(optim.lr[t]);
      if (kind === 'sgd') sgd(w, dw, first, lr, optim.sgd);
      else if (kind === 'lars') lars(w, dw, first, table, lr, optim.lars);
      else adamw(w, dw, { m: first, v, corrections }, lr, optim.adamw);
    });
    for (const [what, tensor] of kept) {
      const values = await tensor.data();
      for (const p of parts)
        items.set(`optim/${kind}/${t}/${what}/${p.name}`, values.slice(p.start, p.start + p.length));
    }
  }
  return items;
}

describe.each(['sgd', 'lars', 'adamw'] as const)('%s takes the steps of torch.optim or of moco-v3', (kind) => {
  it('on the GPU', async () => {
    compare(`optim/${kind}`, await steps(await gpu(), kind), { error: 1e-6 }); // 2e-7 on SwiftShader
  });

  it('on the reference backend in f64', async () => {
    compare(`optim/${kind}`, await steps(reference64, kind), { error: 1e-7 });
  });
});
