import { mean, spread } from './statistics.js';

/** Numbers as the report prints them; what is not finite prints as a dash. */
const finite = (x: number | null | undefined, show: (x: number) => string): string =>
  Number.isFinite(x) ? show(x!) : '–';

/** 0.3456 as `34.6 %`. */
export const percent = (x: number | null | undefined): string => finite(x, (v) => `${(100 * v).toFixed(1)} %`);

/** Shares with their spread, `62.0 % ± 1.5`, one as it is; a dash if one of them is not finite. */
export function meanPercent(values: readonly (number | null)[]): string {
  const middle = mean(values);
  const several = values.length > 1 && Number.isFinite(middle);
  return `${percent(middle)}${several ? ` ± ${(100 * spread(values)).toFixed(1)}` : ''}`;
}

/** 4.5523 as `4.552`. */
export const fixed = (x: number | null | undefined, digits = 3): string => finite(x, (v) => v.toFixed(digits));

/** 0.4 as `40 %`, for the numbers of an axis. */
export const percentTick = (x: number): string => `${Number((100 * x).toPrecision(3))} %`;

/** Four significant digits, without trailing zeros. */
export const plain = (x: number | null | undefined): string =>
  finite(x, (v) =>
    v !== 0 && (Math.abs(v) < 1e-3 || Math.abs(v) >= 1e6) ? v.toExponential(2) : String(Number(v.toPrecision(4))),
  );

/** Whole numbers with thin spaces between thousands. */
export const whole = (x: number | null | undefined): string =>
  finite(x, (v) =>
    Math.round(v)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, '\u2009'),
  );

/** Seconds as `1 h 5 min`, `2 min 5 s` or `3.2 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  return s < 3600
    ? `${Math.floor(s / 60)} min ${s % 60} s`
    : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** Bytes as `1.5 GiB`, `12 MiB` or `0.5 KiB`. */
export const binary = (bytes: number): string =>
  bytes >= 2 ** 30
    ? `${+(bytes / 2 ** 30).toFixed(1)} GiB`
    : bytes >= 2 ** 20
      ? `${+(bytes / 2 ** 20).toFixed(1)} MiB`
      : `${+(bytes / 1024).toFixed(1)} KiB`;
