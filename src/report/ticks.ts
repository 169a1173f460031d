/** Round numbers (1, 2 or 5 times a power of ten apart), about `count` of them, that span [lo, hi]. */
export function ticks(lo: number, hi: number, count = 5): number[] {
  const span = hi - lo || Math.abs(lo) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const gap = power * ([1, 2, 5].find((m) => m * power >= rough * 0.999) ?? 10);
  const first = Math.floor(lo / gap + 1e-6);
  const last = Math.max(first + 1, Math.ceil(hi / gap - 1e-6));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * gap).toPrecision(12)));
}
