import { anyNumber, check, whole } from './check.js';

/**
 * Counter-based random numbers: a value depends only on its four counters, so a
 * resumed run, a shader and its mirror all draw the same ones.
 * The hash is pcg4d (Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020);
 * `kernels/lib/rng.wgsl` is the same function.
 */
export function pcg4d(a: number, b: number, c: number, d: number): [number, number, number, number] {
  let x = (Math.imul(a, 1664525) + 1013904223) | 0;
  let y = (Math.imul(b, 1664525) + 1013904223) | 0;
  let z = (Math.imul(c, 1664525) + 1013904223) | 0;
  let w = (Math.imul(d, 1664525) + 1013904223) | 0;
  for (let round = 0; round < 2; round++) {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
    if (round === 0) {
      x ^= x >>> 16;
      y ^= y >>> 16;
      z ^= z >>> 16;
      w ^= w >>> 16;
    }
  }
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

/** The top 24 bits as a number in [0, 1), exact in f32. */
export const unit = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** A stable 32-bit number for a name, to keep the streams of a seed apart. */
export function streamOf(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

const [positive, count] = [whole(1, 2 ** 32), whole(0, 2 ** 32 - 1)];
const integer = whole(-Number.MAX_SAFE_INTEGER);

/** A sequence of random numbers named by (seed, stream, index): same name, same sequence. */
export class Rng {
  #draw = 0;
  #spare: number[] = [];
  readonly seed: number;
  readonly stream: number;
  readonly index: number;

  constructor(seed: number, stream: number | string = 0, index = 0) {
    check('Rng', 'the seed', seed, integer);
    if (typeof stream !== 'string')
      check('Rng', 'the stream', stream, integer, 'Name it by a string or a whole number.');
    check('Rng', 'the index', index, integer);
    this.seed = seed >>> 0;
    this.stream = typeof stream === 'string' ? streamOf(stream) : stream >>> 0;
    this.index = index >>> 0;
  }

  /** 32 random bits. */
  bits(): number {
    if (this.#spare.length === 0) this.#spare = pcg4d(this.seed, this.stream, this.index, this.#draw++);
    return this.#spare.shift()!;
  }

  /** Uniform in [lo, hi). */
  uniform(lo = 0, hi = 1): number {
    check('uniform', 'lo', lo, anyNumber);
    check('uniform', 'hi', hi, anyNumber);
    return lo + (hi - lo) * unit(this.bits());
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    check('below', 'n', n, positive);
    const bits = this.bits();
    // 24 bits do not reach every number of a larger range
    return Math.floor((n <= 2 ** 24 ? unit(bits) : bits * 2 ** -32) * n);
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    const r = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return r * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A random permutation of 0 .. n-1 (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    check('permutation', 'n', n, count);
    const p = new Uint32Array(n);
    for (let i = 0; i < n; i++) p[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [p[i], p[j]] = [p[j], p[i]];
    }
    return p;
  }
}
