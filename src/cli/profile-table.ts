import type { DispatchRecord } from '../backend/backend.js';
import type { Ceiling } from '../backend/ceiling.js';
import { binary, percent } from '../core/numbers.js';

interface Sum {
  count: number;
  microseconds: number;
  bytes: number;
  flops: number;
}

const HEAD = ['kernel', 'count', 'ms', 'share', 'GB/s', 'GFLOP/s', 'of ceiling'];

/**
 * Dispatches by kernel, the slowest first, their total, and the memory of the step. Bytes are those of whole bindings,
 * at most what is moved.
 */
export function profileTable(
  records: readonly DispatchRecord[],
  ceiling: Ceiling,
  memory: { planned: number; live: number },
): string[] {
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
  const rows = [
    HEAD,
    ...[...sorted, ['total', total] as const].map(([name, sum]) => row(name, sum, total.microseconds, ceiling)),
  ];
  const widths = HEAD.map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  const table = rows.map(
    (r) => `  ${r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`,
  );
  const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    ...table,
    ...sorted.flatMap(([name, sum]) => whyAbove(name, sum, ceiling)),
    `Ceiling: ${(ceiling.bytes / 1e9).toFixed(2)} GB/s copied, ` +
      `${(ceiling.flops / 1e9).toFixed(1)} GFLOP/s multiplied and added.`,
    `Memory of the step: ${MiB(memory.planned)} planned, ${MiB(memory.live)} alive at once.`,
  ];
}

/** Bytes and operations a second, and what part of the ceilings they are. */
function rates({ microseconds, bytes, flops }: Sum, ceiling: Ceiling) {
  const seconds = microseconds / 1e6;
  const [moved, done] = seconds > 0 ? [bytes / seconds, flops / seconds] : [0, 0];
  return { moved, done, ofBytes: moved / ceiling.bytes, ofFlops: done / ceiling.flops };
}

/** What a figure above 100 % means; none stands bare. */
function whyAbove(name: string, sum: Sum, ceiling: Ceiling): string[] {
  const { ofBytes, ofFlops } = rates(sum, ceiling);
  const bound = `${binary(sum.bytes / sum.count)} a dispatch`;
  if (ofFlops > 1)
    return [
      `${name}, ${percent(ofFlops)}: the ceiling is of f32 alone; products of f16 on matrix units may be above it.`,
    ];
  if (ofBytes > 1)
    return [
      `${name}, ${percent(ofBytes)}: bindings of ${bound} come from a cache, faster than memory, ` +
        `or are not read whole.`,
    ];
  return [];
}

function row(name: string, sum: Sum, whole: number, ceiling: Ceiling): string[] {
  const { count, microseconds, flops } = sum;
  const { moved, done, ofBytes, ofFlops } = rates(sum, ceiling);
  const reached = Math.max(ofBytes, ofFlops);
  const [share, computed] = [percent(whole > 0 ? microseconds / whole : 0), flops > 0 ? (done / 1e9).toFixed(2) : '–'];
  return [
    name,
    String(count),
    (microseconds / 1000).toFixed(3),
    share,
    (moved / 1e9).toFixed(2),
    computed,
    percent(reached),
  ];
}
