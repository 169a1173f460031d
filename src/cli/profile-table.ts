import type { DispatchRecord } from '../backend/backend.js';
import type { Ceiling } from '../backend/ceiling.js';
import { percent } from '../io/numbers.js';

interface Sum {
  count: number;
  microseconds: number;
  bytes: number;
  flops: number;
}

const HEAD = ['kernel', 'count', 'ms', 'share', 'GB/s', 'GFLOP/s', 'of ceiling'];

/** Dispatches by kernel, the slowest first, their total, and the memory of the step. Bytes are those of whole bindings, at most what is moved. */
export function profileTable(records: readonly DispatchRecord[], ceiling: Ceiling, memory: { planned: number; live: number }): string[] {
  const kernels = new Map<string, Sum>();
  const total: Sum = { count: 0, microseconds: 0, bytes: 0, flops: 0 };
  for (const r of records) {
    const sum = kernels.get(r.kernel) ?? { count: 0, microseconds: 0, bytes: 0, flops: 0 };
    kernels.set(r.kernel, sum);
    for (const s of [sum, total]) {
      s.count++;
      for (const k of ['microseconds', 'bytes', 'flops'] as const) s[k] += r[k];
    }
  }
  const sorted = [...kernels].sort((a, b) => b[1].microseconds - a[1].microseconds);
  const rows = [HEAD, ...[...sorted, ['total', total] as const].map(([name, sum]) => row(name, sum, total.microseconds, ceiling))];
  const widths = HEAD.map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  const table = rows.map((r) => `  ${r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`);
  const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    ...table,
    `Ceiling: ${(ceiling.bytes / 1e9).toFixed(2)} GB/s copied, ${(ceiling.flops / 1e9).toFixed(1)} GFLOP/s multiplied and added.`,
    `Memory of the step: ${MiB(memory.planned)} planned, ${MiB(memory.live)} alive at once.`,
  ];
}

function row(name: string, { count, microseconds, bytes, flops }: Sum, whole: number, ceiling: Ceiling): string[] {
  const seconds = microseconds / 1e6;
  const [moved, done] = seconds > 0 ? [bytes / seconds, flops / seconds] : [0, 0];
  const reached = Math.max(moved / ceiling.bytes, done / ceiling.flops);
  const [share, computed] = [percent(whole > 0 ? microseconds / whole : 0), flops > 0 ? (done / 1e9).toFixed(2) : '–'];
  return [name, String(count), (microseconds / 1000).toFixed(3), share, (moved / 1e9).toFixed(2), computed, percent(reached)];
}
