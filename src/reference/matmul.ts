import type { TypedArray } from '../core/dtype.js';

/** c[n] = a[n] b[n], each operand read by its strides; a batch stride of 0 shares one matrix. */
export interface MatmulParams {
  batch: number;
  M: number;
  N: number;
  K: number;
  aBatch: number;
  bBatch: number;
  aRow: number;
  aCol: number;
  bRow: number;
  bCol: number;
  /** 1: a GPU may round the factors to f16. The mirror never does. */
  half: 0 | 1;
  /** 1: a GPU may not make halves of f32 factors either. */
  exact?: 1;
}

/** c = a b. */
export function matmul([a, b, c]: TypedArray[], p: MatmulParams): void {
  for (let n = 0; n < p.batch; n++) {
    for (let i = 0; i < p.M; i++) {
      for (let j = 0; j < p.N; j++) {
        let dot = 0;
        for (let k = 0; k < p.K; k++)
          dot += a[n * p.aBatch + i * p.aRow + k * p.aCol] * b[n * p.bBatch + k * p.bRow + j * p.bCol];
        c[(n * p.M + i) * p.N + j] = dot;
      }
    }
  }
}

/** c = a b + bias, [N] for every row. */
export function linear([a, b, bias, c]: TypedArray[], p: MatmulParams): void {
  matmul([a, b, c], p);
  for (let i = 0; i < p.batch * p.M * p.N; i++) c[i] += bias[i % p.N];
}
