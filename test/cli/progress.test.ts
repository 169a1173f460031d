import { afterEach, describe, expect, it } from 'vitest';
import { brailleChart } from '../../src/cli/braille.js';
import { Progress, type ProgressOptions } from '../../src/cli/progress.js';
import { cutText, textWidth } from '../../src/report/text-width.js';

const before = { ...process.env };
afterEach(() => void (process.env = { ...before }));

/** What a screen got of a run of ten steps. */
function shown(options: Partial<ProgressOptions>, isTTY: boolean): string {
  let text = '';
  const progress = new Progress(
    { total: 10, stepsPerEpoch: 5, batch: 4, chanceTop1: 1 / 129, ...options },
    { isTTY, columns: 60, write: (t: string) => (text += t) },
  );
  for (let step = 1; step <= 10; step++) {
    progress.update({
      step,
      epoch: Math.ceil(step / 5),
      loss: 11 - step,
      contrastTop1: 0.5,
      lr: 0.1,
      m: 0.99,
      contrastTop5: 1,
      gradNorm: 1,
    });
    if (step === 5) progress.say('half');
  }
  progress.end();
  return text;
}

/** The lines a terminal is left with, which knows the sequences that are used. */
function terminal(text: string): string[] {
  const lines = [''];
  let row = 0;
  for (const part of text.replace(/\x1b\[(36|0)m/g, '').match(/\x1b\[J|\x1b\[\d+A|[^]/gu)!) {
    if (part === '\x1b[J') lines.splice(row, lines.length, '');
    else if (part.startsWith('\x1b')) row -= Number(part.slice(2, -1));
    else if (part === '\n') lines[++row] ??= '';
    else if (part !== '\r') lines[row] += part;
  }
  return lines;
}

describe('brailleChart', () => {
  it('a falling line falls, joined from column to column', () => {
    expect(
      brailleChart(
        [
          [0, 3],
          [1, 2],
          [2, 1],
          [3, 0],
        ],
        5,
        1,
      ),
    ).toEqual(['3 ┤⠑⢄'].map((l) => l.replace('3', '3').padStart(5)));
    const rows = brailleChart(
      Array.from({ length: 100 }, (_, i) => [i, -i]),
      30,
      4,
    );
    expect(rows.map((row) => row.length)).toEqual([30, 30, 30, 30]);
    expect([rows[0].trim().startsWith('0 ┤'), rows[3].startsWith('-99 ┤')]).toEqual([true, true]);
  });

  it('copes with one point, with a level line, and without points', () => {
    expect(brailleChart([[1, 2]], 8, 2)).toHaveLength(2);
    expect(
      brailleChart(
        [
          [1, 2],
          [2, 2],
          [3, NaN],
        ],
        8,
        2,
      ).join(''),
    ).not.toMatch(/NaN|undefined/);
    expect(brailleChart([[1, NaN]], 8, 2)).toEqual([]);
  });
});

describe('Progress', () => {
  it('elsewhere than on a terminal: plain lines, with or without --chart', () => {
    expect(shown({ chart: true }, false)).toMatch(
      /^epoch 1\/2  loss 10\.000.*\nhalf\nepoch 2\/2  loss 1\.000  contrast 50 % \(chance 0\.78 %\).*\n$/,
    );
  });

  it('tells how much of a step went into data, where it is known', () => {
    let text = '';
    const progress = new Progress(
      { total: 10, stepsPerEpoch: 5, batch: 4, chanceTop1: 1 / 129 },
      { isTTY: false, columns: 60, write: (t: string) => (text += t) },
    );
    const update = (step: number, dataMs: number, stepMs: number) =>
      progress.update({
        step,
        epoch: 2,
        loss: 1,
        contrastTop1: 0.5,
        lr: 0.1,
        m: 0.99,
        contrastTop5: 1,
        gradNorm: 1,
        dataMs,
        stepMs,
      });
    update(8, 1, 80);
    update(9, 0.5, 60);
    update(10, 0.2, 20); // steps are handed over in bursts: a line has the mean of those since the last
    expect(text).toMatch(/data 1\.0 of 80 ms[^]*data 0\.3 of 40 ms/);
    expect(shown({}, false)).not.toContain('data');
  });

  it('--verbose tells every step, --quiet nothing', () => {
    expect(shown({ verbose: true }, true).match(/loss/g)).toHaveLength(10);
    expect(shown({ verbose: true, chart: true }, true)).not.toContain('\x1b');
    expect(shown({ quiet: true, chart: true }, true)).toBe('');
  });

  it('on a terminal: the bar, and under it the chart if asked; what was said stays above', () => {
    process.env = { ...before, TERM: 'xterm' };
    delete process.env.NO_COLOR;
    delete process.env.FORCE_COLOR;
    expect(terminal(shown({}, true)).map((l) => l.slice(0, 4))).toEqual(['half', '━━━━', '']);
    const lines = terminal(shown({ chart: true }, true));
    expect(lines[0]).toBe('half');
    expect(lines[1]).toMatch(/^━+ epoch 2\/2/);
    expect(lines.slice(2, 8).every((l) => / ┤[\u2800-\u28ff]+$/.test(l) && l.length <= 60)).toBe(true);
    expect(lines.slice(8)).toEqual(['']);
    expect(shown({ chart: true }, true)).toContain('\x1b[36m');
    process.env.NO_COLOR = '1';
    expect(shown({ chart: true }, true)).not.toContain('\x1b[36m');
  });

  it.each([20, 40, 60, 79, 80, 106, 200])(
    'on a terminal of %i columns no line fills it, after a resize either',
    (columns) => {
      let text = '';
      let resize = () => {};
      const screen = {
        isTTY: true,
        columns: 200,
        write: (t: string) => (text += t),
        on: (_: string, f: () => void) => void (resize = f),
      };
      const progress = new Progress(
        { total: 100_000, stepsPerEpoch: 500, batch: 256, chanceTop1: 1 / 65537 },
        screen as never,
      );
      const update = (step: number) =>
        progress.update({
          step,
          epoch: 1,
          loss: 11.0903,
          contrastTop1: 0.5,
          lr: 0.1,
          m: 0.99,
          contrastTop5: 1,
          gradNorm: 1,
          dataMs: 1,
          stepMs: 1234,
        });
      update(1);
      [screen.columns, text] = [columns, ''];
      resize(); // the last line again
      update(100_000);
      progress.say(
        'Warning: a sentence 写真 that is longer than many terminals are wide, which is broken between its words',
      );
      const lines = text
        .replace(/\x1b\[J/g, '')
        .split(/[\r\n]+/)
        .filter(Boolean);
      expect(lines.length).toBeGreaterThan(2);
      for (const line of lines) expect(textWidth(line), line).toBeLessThan(columns);
    },
  );

  it('an epoch has a line with its means beside the chance level', () => {
    let text = '';
    const progress = new Progress(
      { total: 10, stepsPerEpoch: 5, batch: 4, chanceTop1: 1 / 129 },
      { isTTY: false, columns: 80, write: (t: string) => (text += t) },
    );
    progress.epoch({ epoch: 1, loss: 4.5523, contrastTop1: 0.0723, knn: 0.52 });
    progress.epoch({ epoch: 2, loss: NaN, contrastTop1: 0 });
    expect(text).toBe(
      'epoch 1/2: loss 4.552, contrast accuracy 7.2 % (chance 0.78 %), k-NN 52.0 %\nepoch 2/2: loss –, ' +
        'contrast accuracy 0.0 % (chance 0.78 %)\n',
    );
  });
});

describe('textWidth', () => {
  it('counts columns: wide characters, marks, emoji and colours', () => {
    expect(['abc', '写真', 'e\u0301', '👩‍💻', '\x1b[33mhi\x1b[0m', '━'].map(textWidth)).toEqual([3, 4, 1, 2, 2, 1]);
    expect(cutText('写真写真', 5)).toBe('写真…');
  });
});
