import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, percent, percentTick, plain, whole } from '../../src/core/numbers.js';
import { type Point, runningMean, thin } from '../../src/core/points.js';
import { lineChart } from '../../src/report/chart.js';
import { ticks } from '../../src/report/ticks.js';

const values = fc.array(
  fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), fc.constantFrom(NaN, Infinity, 0)),
  { maxLength: 900 },
);
const pointsOf = (ys: number[]): Point[] => ys.map((y, x) => [x, y]);

describe('thin', () => {
  it('keeps the ends, the extremes and the order, in at most 400 points', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 4, max: 500 }), (ys, limit) => {
        const sound = pointsOf(ys).filter((p) => Number.isFinite(p[1]));
        const kept = thin(pointsOf(ys), limit);
        expect(kept.length).toBeLessThanOrEqual(limit);
        if (sound.length === 0) {
          expect(kept).toEqual([]);
          return;
        }
        expect([kept[0], kept[kept.length - 1]]).toEqual([sound[0], sound[sound.length - 1]]);
        for (const pick of [Math.min, Math.max])
          expect(pick(...kept.map((p) => p[1]))).toBe(pick(...sound.map((p) => p[1])));
        for (let i = 1; i < kept.length; i++) expect(kept[i][0]).toBeGreaterThan(kept[i - 1][0]);
        expect(kept.every((p) => ys[p[0]] === p[1])).toBe(true);
      }),
    );
  });

  it('a running mean of a line is the line, away from its ends', () => {
    const line = pointsOf(Array.from({ length: 30 }, (_, i) => 3 * i + 1));
    expect(runningMean(line, 4).slice(4, -4)).toEqual(line.slice(4, -4));
    expect(runningMean(line, 0)).toEqual(line);
  });
});

describe('ticks', () => {
  it('are few, evenly spread round numbers around the data', () => {
    const number = fc.double({ noNaN: true, min: -1e5, max: 1e5 }).filter((v) => v === 0 || Math.abs(v) > 1e-6);
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
        if (hi - lo < 1e-6 * Math.max(Math.abs(lo), Math.abs(hi))) return;
        const marks = ticks(lo, hi);
        const slack = 1e-5 * (hi - lo);
        expect(marks.length).toBeGreaterThanOrEqual(2);
        expect(marks.length).toBeLessThanOrEqual(9);
        expect(marks[0]).toBeLessThanOrEqual(lo + slack);
        expect(marks[marks.length - 1]).toBeGreaterThanOrEqual(hi - slack);
        for (let i = 1; i < marks.length; i++) expect(marks[i]).toBeGreaterThan(marks[i - 1]);
      }),
    );
    expect(ticks(0, 1, 4)).toEqual([0, 0.5, 1]);
    expect(ticks(0.36, 0.75, 4)).toEqual([0.3, 0.4, 0.5, 0.6, 0.7, 0.8]);
    expect(ticks(3, 3).length).toBeGreaterThanOrEqual(2);
  });
});

describe('lineChart', () => {
  it('names places on the x axis, marks points, and shows no value where a line has none', () => {
    const series = [
      { name: 'short', points: [[0, 0.5]] as Point[], tone: 1, dots: true },
      {
        name: 'long',
        points: [
          [0, 0.2],
          [1, 0.4],
          [2, 0.3],
        ] as Point[],
        tone: 2,
        dots: true,
      },
    ];
    const svg = lineChart({ title: 't', xName: 'K', places: ['16', '64', '1024'], show: percent, series });
    for (const place of ['16', '64', '1024']) expect(svg).toContain(`>${place}</text>`);
    expect(svg.match(/<circle/g)!.length).toBe(4);
    expect(svg).toContain('<title>K 16\nshort 50.0 %\nlong 20.0 %</title>');
    expect(svg).toContain('<title>K 1024\nlong 30.0 %</title>');
  });

  it('draws any data without NaN or Infinity in the picture', () => {
    fc.assert(
      fc.property(
        values,
        values,
        fc.array(fc.double({ noNaN: true, min: -10, max: 10 }), { maxLength: 3 }),
        (a, b, levels) => {
          const svg = lineChart({
            title: 'T & <co>',
            xName: 'step',
            show: plain,
            series: [
              { name: 'a', points: pointsOf(a), tone: 1 },
              { name: 'b', points: pointsOf(b), tone: 2 },
            ],
            guides: levels.map((value, i) => ({ name: `level ${i}`, value })),
          });
          expect(svg).not.toMatch(/NaN|Infinity|undefined|<co>/);
          expect(svg.startsWith('<figure')).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps the labels of equal levels apart and inside', () => {
    const levels = ['a', 'b', 'c'].map((name) => ({ name, value: 0 }));
    const svg = lineChart({
      title: 't',
      xName: 'x',
      show: plain,
      from: 0,
      series: [
        {
          name: 's',
          points: [
            [0, 0],
            [1, 9],
          ],
          tone: 1,
        },
      ],
      guides: levels,
    });
    const spots = [...svg.matchAll(/<text x="[\d.]+" y="([\d.]+)">[abc] 0</g)].map((m) => Number(m[1]));
    expect(spots).toHaveLength(3);
    expect(Math.max(...spots)).toBeLessThan(230);
    expect([spots[1] - spots[0], spots[2] - spots[1]].every((d) => d >= 14.9)).toBe(true);
  });

  it('says so when there is nothing', () => {
    expect(lineChart({ title: 't', xName: 'x', show: plain, series: [{ name: 's', points: [], tone: 1 }] })).toContain(
      'Nothing was measured',
    );
  });
});

describe('numbers', () => {
  it('are printed for people', () => {
    expect([percent(0.3456), percent(undefined), percent(NaN), percentTick(0.4), percentTick(0.075)]).toEqual([
      '34.6 %',
      '–',
      '–',
      '40 %',
      '7.5 %',
    ]);
    expect([plain(6.931471), plain(0), plain(0.06), plain(1.5e-5), plain(-2), plain(2e6)]).toEqual([
      '6.931',
      '0',
      '0.06',
      '1.50e-5',
      '-2',
      '2.00e+6',
    ]);
    expect([whole(65536), whole(999), whole(1234567)]).toEqual(['65\u2009536', '999', '1\u2009234\u2009567']);
    expect([duration(3.21), duration(125), duration(3900), duration(NaN)]).toEqual([
      '3.2 s',
      '2 min 5 s',
      '1 h 5 min',
      '–',
    ]);
  });
});
