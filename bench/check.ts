import { type Backend, useBackend } from '../src/backend/backend.js';
import { ReferenceBackend } from '../src/backend/reference.js';
import { tidy } from '../src/tensor/tidy.js';
import type { Case } from './record.js';

/** Runs a case's own function on `backend`. */
async function on(backend: Backend, { ours, before: runs = 0 }: Case): Promise<Float32Array[]> {
  const before = useBackend(backend);
  try {
    const work = ours();
    for (let i = 0; i < runs; i++) tidy(() => void work());
    return await Promise.all(tidy(() => work().map((t) => t.data() as Promise<Float32Array>)));
  } finally {
    useBackend(before);
  }
}

const largest = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (a, v) => Math.max(a as number, Math.abs(v as number)), 0) as number;

/** Throws where the GPU and the mirror differ, on the case or its smaller sibling. Nothing is timed before this. */
export async function checkMirror(gpu: Backend, whole: Case): Promise<void> {
  const c = whole.small?.() ?? whole;
  const [got, want] = [await on(gpu, c), await on(new ReferenceBackend('f64'), c)];
  want.forEach((exact, n) => {
    const allowed = (whole.tolerance ?? 2e-4) * largest(exact) + 1e-6;
    for (let i = 0; i < exact.length; i++)
      if (!(Math.abs(got[n][i] - exact[i]) <= allowed))
        throw new Error(
          `${c.label}: result ${n}[${i}] is ${got[n][i]}, by the mirror ${exact[i]} (allowed ±${allowed})`,
        );
  });
}

/**
 * Why two libraries' results are not the same work, if so. Layouts differ, so lengths, sums and sums of squares of
 * the results are compared.
 */
export function differs(
  ours: readonly Float32Array[],
  theirs: readonly Float32Array[],
  tolerance = 2e-4,
): string | undefined {
  const sums = (all: readonly Float32Array[]) => {
    let [length, sum, squares, magnitude] = [0, 0, 0, 0];
    for (const values of all) {
      length += values.length;
      for (const v of values) {
        sum += v;
        squares += v * v;
        magnitude += Math.abs(v);
      }
    }
    return { length, sum, squares, magnitude };
  };
  const [a, b] = [sums(ours), sums(theirs)];
  if (a.length !== b.length) return `${b.length} values, ours ${a.length}`;
  if (!(Math.abs(a.squares - b.squares) <= 20 * tolerance * a.squares))
    return `sum of squares ${b.squares}, ours ${a.squares}`;
  if (!(Math.abs(a.sum - b.sum) <= 20 * tolerance * a.magnitude)) return `sum ${b.sum}, ours ${a.sum}`;
  return undefined;
}
