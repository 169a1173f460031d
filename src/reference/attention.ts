import type { TypedArray } from '../core/dtype.js';

/**
 * Attention of `batch · H` heads of size D. Rows of queries lie qRow apart, [H, D] each; rows of keys and
 * values kvRow apart, from kStart on, [2, H, D] each. Gradients have the layout of what they belong to.
 */
export interface AttentionParams {
  batch: number;
  H: number;
  D: number;
  Nq: number;
  Nk: number;
  qRow: number;
  kvRow: number;
  kStart: number;
  scale: number;
  /** 1: factors may be rounded to halves. */
  half?: 0 | 1;
}

/**
 * Calls `visit` with every row of queries: its number, and where its q, y and the first key and value of its head lie.
 */
function rows(p: AttentionParams, visit: (r: number, q: number, k: number, v: number) => void): void {
  for (let n = 0; n < p.batch; n++)
    for (let i = 0; i < p.Nq; i++)
      for (let h = 0; h < p.H; h++) {
        const k = n * p.Nk * p.kvRow + p.kStart + h * p.D;
        visit((n * p.Nq + i) * p.H + h, (n * p.Nq + i) * p.qRow + h * p.D, k, k + p.H * p.D);
      }
}

/** Σ_d a[d] b[d], d < D. */
function dot(D: number, a: TypedArray, ai: number, b: TypedArray, bi: number): number {
  let total = 0;
  for (let d = 0; d < D; d++) total += a[ai + d] * b[bi + d];
  return total;
}

const scores = (p: AttentionParams, q: TypedArray, qi: number, kv: TypedArray, ki: number): number[] =>
  Array.from({ length: p.Nk }, (_, j) => p.scale * dot(p.D, q, qi, kv, ki + j * p.kvRow));

/** y = softmax(scale q kᵀ) v and lse = ln Σ exp(scale q kᵀ), score by score. */
export function attention([q, kv, y, lse]: TypedArray[], p: AttentionParams): void {
  rows(p, (r, qi, ki, vi) => {
    const s = scores(p, q, qi, kv, ki);
    const most = s.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = s.reduce((t, v) => t + Math.exp(v - most), 0);
    lse[r] = most + Math.log(total);
    for (let d = 0; d < p.D; d++)
      y[r * p.D + d] = s.reduce((t, v, j) => t + (Math.exp(v - most) / total) * kv[vi + j * p.kvRow + d], 0);
  });
}

/** With P = softmax(S): dv = Pᵀ dy, dS = P (dy vᵀ - Σ y dy), dq = scale dS k, dk = scale dSᵀ q. */
export function attentionGrad([q, kv, y, lse, dy, dq, dkv]: TypedArray[], p: AttentionParams): void {
  dq.fill(0);
  dkv.fill(0); // the same array, when q, k and v are parts of one
  rows(p, (r, qi, ki, vi) => {
    const delta = dot(p.D, y, r * p.D, dy, r * p.D);
    scores(p, q, qi, kv, ki).forEach((s, j) => {
      const at = j * p.kvRow;
      const weight = Math.exp(s - lse[r]);
      const ds = p.scale * weight * (dot(p.D, dy, r * p.D, kv, vi + at) - delta);
      for (let d = 0; d < p.D; d++) {
        dq[qi + d] += ds * kv[ki + at + d];
        dkv[ki + at + d] += ds * q[qi + d];
        dkv[vi + at + d] += weight * dy[r * p.D + d];
      }
    });
  });
}
