import type { Tensor } from '../src/tensor/tensor.js';

/** What a library calls for every run: made once, with its inputs on the device. Returns what it computed. */
export type Work<T> = () => readonly T[];

/** The peers are installed when the bench runs, so nothing is known of their types. */
export type Loose = any;

/** One size of an operation, and how each library computes it from the same values. */
export interface Case {
  readonly label: string;
  /** Floating-point operations of the shortest way to the result. The rate is in GFLOP/s if given, else in GB/s. */
  readonly flops?: number;
  /** Bytes that must be read and written at least. */
  readonly bytes?: number;
  /** What is counted instead of runs, for instance the pictures of a batch. */
  readonly per?: { readonly name: string; readonly count: number };
  /**
   * Measured in a process of its own with bounds checks in every library's shaders, without which a peer computes NaN.
   */
  readonly checked?: boolean;
  /** Inputs on the current backend; called on the reference backend too, to check. */
  ours(): Work<Tensor>;
  tfjs?(tf: Loose): Work<Loose> | Promise<Work<Loose>>;
  jax?(jax: Loose): Work<Loose> | Promise<Work<Loose>>;
  /** The same kernels on so little data that the mirror takes a second at most. Default: the case itself. */
  readonly small?: () => Case;
  /** Runs before the one whose results are compared, so that an update is compared too. Default 0. */
  readonly before?: number;
  /** |ours - mirror| and |sums of ours - sums of a peer| relative to the largest. Default 2e-4. */
  readonly tolerance?: number;
}

/** How many times as fast as the peers an operation is to be. */
export interface Goal {
  readonly faster?: number;
  readonly tfjs?: number;
  readonly jax?: number;
}

export interface Bench {
  readonly name: string;
  /** Default: as fast as the faster peer. */
  readonly goal?: Goal;
  /** Peers that lack the operation, and why. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Sizes that `cases(false)` lacks, in words. */
  readonly leavesOut?: string;
  /** The sizes to measure; for a software adapter, or for a GPU. */
  cases(full: boolean): Case[];
}
