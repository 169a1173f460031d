import { accumulate, copyInto, rounded } from './accumulate.js';
import { callable, check, synchronous } from './core/check.js';
import type { FloatType } from './core/dtype.js';
import { ShapeError } from './core/errors.js';
import { sameShape, show } from './core/shape.js';
import { ones } from './fill.js';
import { pairwise } from './pairwise.js';
import { dependsOn, onReplay } from './replay.js';
import { checkSameShape, checkTensor, empty, state, type TapeNode, type Tensor } from './tensor.js';

let enabled = true;

/** Runs `fn` without recording, as for the key encoder: nothing made inside carries gradients. */
export function noGrad<T>(fn: () => T): T {
  check('noGrad', 'the work', fn, synchronous);
  const before = enabled;
  enabled = false;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/**
 * Attaches to `y` how its inputs' gradients follow from its own.
 *
 * @param grads given dL/dy, one thunk an input (`undefined` for inputs without a gradient). A thunk runs
 *   only if its input needs it; it may write into the tensor it is offered, or return another.
 */
export function record(name: string, y: Tensor, inputs: readonly Tensor[], grads: TapeNode['grads']): Tensor {
  checkTensor('record', y, 'the result');
  check('record', 'the inputs', inputs, { is: 'a list of tensors', holds: Array.isArray });
  for (const x of inputs) checkTensor('record', x, 'every input');
  check('record', 'the gradients', grads, callable);
  if (!enabled || !inputs.some((x) => x.requiresGrad)) return y;
  y.requiresGrad = true;
  y.node = { name, inputs, grads };
  return y;
}

/**
 * Adds dL/dp to `p.grad` for every parameter (and every leaf that requires gradients) that `loss` was
 * computed from. Memory for `p.grad` that exists is overwritten after `zeroGrad`, else added to.
 *
 * @param loss a one-element tensor.
 * @param seed what the loss's own gradient is, of its shape. Default 1; more scales every gradient, for those that halves hold.
 */
export function backward(loss: Tensor, seed?: Tensor): void {
  checkTensor('backward', loss, 'the loss');
  if (seed !== undefined) checkSameShape('backward', 'the seed', seed, loss.shape);
  if (loss.size !== 1) throw new ShapeError(`backward: the loss must have one element; got ${show(loss.shape)}. Reduce it with mean() or sum().`);
  const grads = new Map<Tensor, Tensor>([[loss, seed ?? ones(loss.shape, loss.dtype)]]);
  const sums = new Set<Tensor>(); // made here and in no other hands yet
  for (const y of order(loss)) {
    const dy = grads.get(y)!;
    grads.delete(y);
    sums.delete(dy);
    if (!y.node) {
      addToLeaf(y, dy);
      continue;
    }
    const { inputs, name, grads: rule } = y.node;
    rule(dy).forEach((thunk, i) => {
      const x = inputs[i];
      if (!thunk || !x.requiresGrad) return;
      const offered = x.node || grads.has(x) ? undefined : offer(x);
      const made = thunk(offered);
      const dx = made.dtype === x.dtype ? made : rounded(made, x.dtype as FloatType); // where a half and a float were combined
      if (!sameShape(dx.shape, x.shape))
        throw new ShapeError(`backward: the gradient of ${name} must have its input's shape ${show(x.shape)}; got ${show(dx.shape)}. Mend the operation's gradient.`);
      const before = grads.get(x);
      if (!before) grads.set(x, dx);
      else if (sums.has(before)) accumulate(before, dx);
      else {
        const total = pairwise('add', before, dx); // a new tensor: either term may still be in use elsewhere
        sums.add(total);
        grads.set(x, total);
      }
    });
  }
}

/** Marks gradients as spent: the next `backward` overwrites them. Parameters may come by name, as modules list them. */
export function zeroGrad(parameters: Iterable<Tensor> | ReadonlyMap<string, Tensor>): void {
  check('zeroGrad', 'parameters', parameters, { is: 'a list or map of tensors', holds: (v) => Object(v) === v && Symbol.iterator in v });
  for (const p of parameters instanceof Map ? parameters.values() : (parameters as Iterable<Tensor>)) {
    checkTensor('zeroGrad', p, 'every parameter');
    if (p.grad) setSpent(p.grad, true);
  }
}

/** Gradients marked as spent that the last `backward` did not reach: they mean zero. */
export const unreached = (parameters: Iterable<Tensor>): Tensor[] => [...parameters].flatMap((p) => (p.grad && isSpent(p.grad) ? [p.grad] : []));

const spent = new WeakSet<Tensor>();

/** Both tell a recording on what it depends, and what to repeat. */
function isSpent(grad: Tensor): boolean {
  dependsOn(grad, () => spent.has(grad));
  return spent.has(grad);
}

function setSpent(grad: Tensor, value: boolean): void {
  dependsOn(grad, () => spent.has(grad));
  const set = () => void (value ? spent.add(grad) : spent.delete(grad));
  set();
  onReplay(set);
}

/** Memory a leaf's first gradient can be written to directly. */
const offer = (x: Tensor): Tensor | undefined => (x.grad && isSpent(x.grad) ? x.grad : undefined);

function addToLeaf(x: Tensor, dx: Tensor): void {
  dependsOn(x, () => x.grad);
  if (!x.grad) {
    x.grad = state(empty(x.shape, x.dtype, x.backend)); // a copy: other leaves may share dx
    copyInto(x.grad, dx);
    return;
  }
  if (x.grad !== dx) (isSpent(x.grad) ? copyInto : accumulate)(x.grad, dx);
  setSpent(x.grad, false);
}

/** Every tensor between `loss` and its leaves, each after all that were computed from it. */
function order(loss: Tensor): Tensor[] {
  const seen = new Set<Tensor>();
  const sorted: Tensor[] = [];
  const stack: { t: Tensor; next: number }[] = [{ t: loss, next: 0 }];
  seen.add(loss);
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const input = top.t.node?.inputs[top.next++];
    if (input === undefined) {
      sorted.push(top.t);
      stack.pop();
    } else if (input.requiresGrad && !seen.has(input)) {
      seen.add(input);
      stack.push({ t: input, next: 0 });
    }
  }
  return sorted.reverse();
}
