import { context, within } from '../backend/context.js';
import { callable, check, synchronous } from '../core/check.js';
import type { FloatType } from '../core/dtype.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import { accumulate, copyInto, rounded } from './accumulate.js';
import { ones } from './fill.js';
import { pairwise } from './pairwise.js';
import { dependsOn, onReplay } from './replay.js';
import { checkSameShape, checkTensor, empty, type GradientRule, type Place, state, type Tensor } from './tensor.js';

declare module '../backend/context.js' {
  interface Context {
    /** Nothing that is made carries gradients. */
    noGrad?: boolean;
  }
}

/** Runs `fn` without recording, as for the key encoder: nothing made inside carries gradients. */
export function noGrad<T>(fn: () => T): T {
  check('noGrad', 'the work', fn, synchronous);
  return within({ noGrad: true }, fn);
}

/** The places of a rule's inputs; of a single one, there always is one. */
type Places<I extends readonly Tensor[]> = I extends readonly [Tensor]
  ? readonly [Place]
  : readonly (Place | undefined)[];

/**
 * Attaches to `y` how its inputs' gradients follow from its own. `rule` runs once a `backward` that reaches `y` and an
 * input that requires a gradient, with gradients off.
 */
export function record<const I extends readonly Tensor[]>(
  name: string,
  y: Tensor,
  inputs: I,
  rule: GradientRule<Places<I>>,
): Tensor {
  checkTensor('record', y, 'the result');
  check('record', 'the inputs', inputs, { is: 'a list of tensors', holds: Array.isArray });
  for (const x of inputs) checkTensor('record', x, 'every input');
  check('record', 'the rule', rule, callable);
  if (context.noGrad || !inputs.some((x) => x.requiresGrad)) return y;
  y.requiresGrad = true;
  y.node = { name, inputs, rule: rule as GradientRule<any>, writes: y.backend.writes ?? 0 };
  return y;
}

/**
 * Adds dL/dp to `p.grad` for every parameter (and every leaf that requires gradients) that `loss` was
 * computed from. Memory for `p.grad` that exists is overwritten after `zeroGrad`, else added to.
 *
 * @param loss a one-element tensor.
 * @param seed what the loss's own gradient is, of its shape. Default 1; more scales every gradient, for those that
 * halves hold.
 */
export function backward(loss: Tensor, seed?: Tensor): void {
  checkTensor('backward', loss, 'the loss');
  if (seed !== undefined) checkSameShape('backward', 'the seed', seed, loss.shape);
  if (loss.size !== 1)
    throw new ShapeError(
      `backward: the loss must have one element; got ${show(loss.shape)}. Reduce it with mean() or sum().`,
    );
  const sorted = order(loss);
  if (!sorted.some((t) => t.requiresGrad && !t.node))
    throw new ConfigError(
      `backward: the loss must come from a tensor that requires a gradient; got ${loss.label}. ` +
        'Mark what is trained with parameter(), and keep noGrad() and detach() off the way to the loss.',
    );
  noGrad(() => propagate(sorted, seed ?? ones(loss.shape, loss.dtype)));
}

/** @throws ShapeError unless a rule made a gradient of the input's shape. */
function checkedGradient(name: string, made: Tensor | undefined, x: Tensor): Tensor {
  if (made && sameShape(made.shape, x.shape)) return made;
  throw new ShapeError(
    `backward: the gradient of ${name} must have its input's shape ${show(x.shape)}; ` +
      `got ${made && show(made.shape)}. Mend the operation's gradient.`,
  );
}

/** Hands gradients down from the first of `sorted`, whose own is `seed`. */
function propagate(sorted: readonly Tensor[], seed: Tensor): void {
  const began = seed.backend.writes ?? 0;
  const grads = new Map<Tensor, Tensor>([[sorted[0], seed]]);
  const sums = new Set<Tensor>(); // in no other hands yet, so that more may be added to them in place
  const taken = new Set<Tensor>();
  /** The memory held for a leaf's gradient, once and while no gradient of it is there; else new memory. */
  const place = (x: Tensor): Tensor => {
    const { grad } = x;
    if (x.node || grads.has(x) || !grad || !isSpent(grad) || taken.has(grad)) return empty(x.shape, x.dtype, x.backend);
    taken.add(grad);
    return grad;
  };
  for (const y of sorted) {
    const dy = grads.get(y)!;
    grads.delete(y);
    sums.delete(dy);
    if (!y.node) {
      addToLeaf(y, dy);
      continue;
    }
    const { inputs, name, rule, writes } = y.node;
    if (!inputs.some((x) => x.requiresGrad)) continue; // not any more
    const places = inputs.map((x) => (x.requiresGrad ? () => place(x) : undefined));
    const made = within({ rule: { name, recorded: writes, began, dy } }, () => rule(dy, places));
    inputs.forEach((x, i) => {
      if (!x.requiresGrad) return;
      const dx = rounded(checkedGradient(name, made[i], x), x.dtype as FloatType); // a half and a float were combined
      const before = grads.get(x);
      if (!before) {
        grads.set(x, dx);
        if (taken.has(dx) && dx === x.grad && made.indexOf(dx) === made.lastIndexOf(dx)) sums.add(dx); // its own memory
      } else if (sums.has(before)) accumulate(before, dx);
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
  check('zeroGrad', 'parameters', parameters, {
    is: 'a list or map of tensors',
    holds: (v) => Object(v) === v && Symbol.iterator in v,
  });
  for (const p of parameters instanceof Map ? parameters.values() : (parameters as Iterable<Tensor>)) {
    checkTensor('zeroGrad', p, 'every parameter');
    if (p.grad) setSpent(p.grad, true);
  }
}

/** A parameter's gradient lives in `place` from now on, with the value that it has; spent where it has none. */
export function moveGrad(p: Tensor, place: Tensor): void {
  const { grad } = p;
  const fresh = grad && !isSpent(grad);
  if (fresh) copyInto(place, grad);
  setSpent(place, !fresh); // so that the first backward overwrites it, as every later one
  p.grad = place;
}

/** Gradients marked as spent that the last `backward` did not reach: they mean zero. */
export const unreached = (parameters: Iterable<Tensor>): Tensor[] =>
  [...parameters].flatMap((p) => (p.grad && isSpent(p.grad) ? [p.grad] : []));

/** Both tell a recording on what it depends, and what to repeat. */
function isSpent(grad: Tensor): boolean {
  dependsOn(grad, () => grad.spent);
  return grad.spent;
}

function setSpent(grad: Tensor, value: boolean): void {
  dependsOn(grad, () => grad.spent);
  const set = () => void (grad.spent = value);
  set();
  onReplay(set);
}

function addToLeaf(x: Tensor, dx: Tensor): void {
  dependsOn(x, () => x.grad);
  if (!x.grad) {
    const grad = state(empty(x.shape, x.dtype, x.backend)); // a copy: other leaves may share dx
    copyInto(grad, dx);
    const set = () => void (x.grad = grad);
    set();
    return onReplay(set);
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
