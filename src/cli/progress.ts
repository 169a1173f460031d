import { fixed, percent } from '../core/numbers.js';
import { type Point, thin } from '../core/points.js';
import { cutText, textWidth } from '../report/text-width.js';
import type { EpochRecord, StepRecord } from '../train/records.js';
import { brailleChart } from './braille.js';
import { colour } from './colour.js';
import { columnsOf, fitted, type Screen as Stream } from './terminal.js';

/** Seconds between lines where the output is no terminal. */
const EVERY = 10;
const [MOST_CELLS, FEWEST_CELLS] = [24, 8];
const [CHART_WIDTH, CHART_HEIGHT] = [76, 6];
const MOST_POINTS = 2000; // points of the chart
const CLEAR = '\r\x1b[J'; // to the end of the screen

export interface ProgressOptions {
  /** Steps of the whole run, and in an epoch. */
  total: number;
  stepsPerEpoch: number;
  /** Pictures a step. */
  batch: number;
  /** Contrast accuracy of a guess. */
  chanceTop1: number;
  quiet?: boolean;
  /** A line for every step. */
  verbose?: boolean;
  /** On a terminal, the loss as a chart under the bar. */
  chart?: boolean;
}

/** Where progress is shown; a terminal tells of its resizing. */
export type Screen = Stream & Partial<Pick<NodeJS.EventEmitter, 'on' | 'off'>>;

/** Words about a step; those of the highest rank go first where a line is too long, and those of rank 0 never. */
interface Part {
  text: string;
  rank: number;
}

/**
 * Progress on stderr: a bar that is redrawn on a terminal, perhaps with a chart; a line now and then elsewhere. The
 * cursor stays at the start of the bar, so that clearing from there takes away all of it, even where a narrowed
 * terminal has wrapped it.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #screen: Screen;
  /** Whether lines are redrawn. */
  readonly #live: boolean;
  #losses: Point[] = [];
  /** The first step that was shown, and when: kernels are compiled by then. */
  #first?: { step: number; at: number };
  #shown = 0;
  /** Milliseconds of the steps since a line was shown: what went into data, and all. */
  #spent = { steps: 0, dataMs: 0, stepMs: 0 };
  /** What stands on the screen and is to be redrawn. */
  #open?: { parts: Part[]; done: number };
  readonly #redraw = () => this.#open && this.#draw(this.#open);

  constructor(options: ProgressOptions, screen: Screen = process.stderr) {
    this.#options = options;
    this.#screen = screen;
    this.#live = Boolean(screen.isTTY) && !options.verbose && !options.quiet;
    if (this.#live) screen.on?.('resize', this.#redraw);
  }

  update(record: StepRecord): void {
    const { total, quiet, verbose, chart } = this.#options;
    const { step, loss, dataMs, stepMs } = record;
    if (dataMs !== undefined && stepMs !== undefined) {
      const { steps, dataMs: data, stepMs: all } = this.#spent;
      this.#spent = { steps: steps + 1, dataMs: data + dataMs, stepMs: all + stepMs };
    }
    if (chart && this.#live && this.#losses.push([step, loss]) > MOST_POINTS)
      this.#losses = thin(this.#losses, MOST_POINTS / 2);
    const now = Date.now();
    this.#first ??= { step, at: now };
    if (quiet || (!verbose && now - this.#shown < (this.#live ? 100 : EVERY * 1000) && step !== total)) return;
    this.#shown = now;
    const parts = this.#parts(record, (now - this.#first.at) / 1000, step - this.#first.step);
    if (this.#live) this.#draw((this.#open = { parts, done: step / total }));
    else this.#screen.write(`${line(parts, columnsOf(this.#screen))}\n`);
  }

  /** Writes what an epoch came to: means over its steps. */
  epoch({ epoch, loss, contrastTop1, knn, knnOutputs }: EpochRecord): void {
    const { chanceTop1 } = this.#options;
    const measured = knn === undefined ? '' : `, k-NN ${percent(knn)}`;
    const outputs = knnOutputs === undefined ? '' : `, by the head's outputs ${percent(knnOutputs)}`;
    this.say(
      `epoch ${epoch}/${this.#epochs}: loss ${fixed(loss)}, ` +
        `contrast accuracy ${percent(contrastTop1)} (chance ${share(chanceTop1)})${measured}${outputs}`,
    );
  }

  /** Writes a line of its own. */
  say(text: string): void {
    if (this.#options.quiet) return;
    this.#screen.write(`${this.#open ? CLEAR : ''}${fitted(text, this.#screen)}\n`);
    this.#open = undefined;
  }

  /** Leaves what is shown as it is. */
  end(): void {
    if (this.#open) this.#screen.write('\n'.repeat(1 + (this.#options.chart ? this.#chart().length : 0)));
    this.#open = undefined;
    this.#screen.off?.('resize', this.#redraw);
  }

  get #epochs(): number {
    return Math.round(this.#options.total / this.#options.stepsPerEpoch);
  }

  #draw({ parts, done }: { parts: Part[]; done: number }): void {
    const below = this.#options.chart ? this.#chart() : [];
    const up = below.length > 0 ? `\x1b[${below.length}A` : '';
    this.#screen.write(`${CLEAR}${[withBar(parts, done, columnsOf(this.#screen)), ...below].join('\n')}${up}\r`);
  }

  #parts({ step, epoch, loss, contrastTop1 }: StepRecord, seconds: number, done: number): Part[] {
    const { total, batch, chanceTop1 } = this.#options;
    const pace = done > 0 && seconds > 0;
    const { steps, dataMs, stepMs } = this.#spent;
    this.#spent = { steps: 0, dataMs: 0, stepMs: 0 };
    return [
      { text: `epoch ${epoch}/${this.#epochs}`, rank: 0 },
      { text: `loss ${fixed(loss)}`, rank: 1 },
      {
        text:
          `contrast ${Number.isFinite(contrastTop1) ? (100 * contrastTop1).toFixed(0) : '–'} % (chance ` +
          `${share(chanceTop1)})`,
        rank: 3,
      },
      ...(pace ? [{ text: `${((done * batch) / seconds).toFixed(0)} pictures/s`, rank: 4 }] : []),
      ...(steps === 0
        ? []
        : [{ text: `data ${(dataMs / steps).toFixed(1)} of ${(stepMs / steps).toFixed(0)} ms`, rank: 5 }]),
      ...(pace ? [{ text: `${clock(((total - step) * seconds) / done)} left`, rank: 2 }] : []),
    ];
  }

  /** The loss so far. */
  #chart(): string[] {
    const rows = brailleChart(this.#losses, Math.min(CHART_WIDTH, columnsOf(this.#screen)), CHART_HEIGHT);
    const { cyan } = colour(this.#screen);
    return rows.map((row) => row.replace(/(?<=┤).*$/, cyan));
  }
}

/** Two digits: a guess among many keys is seldom right. */
const share = (x: number): string => `${Number((100 * x).toPrecision(2))} %`;

/** As many parts as there is room for, cut where not even the first has it. */
function line(parts: Part[], columns: number): string {
  let left = parts;
  const text = () => left.map((p) => p.text).join('  ');
  for (let rank = 5; rank > 0 && textWidth(text()) > columns; rank--) left = left.filter((p) => p.rank !== rank);
  return cutText(text(), columns);
}

/** The same behind a bar, for which the least important parts make room. */
function withBar(parts: Part[], done: number, columns: number): string {
  const text = line(parts, columns - FEWEST_CELLS - 1);
  const cells = Math.min(MOST_CELLS, columns - textWidth(text) - 1);
  if (columns < 4 * FEWEST_CELLS) return line(parts, columns);
  const filled = Math.min(cells, Math.round(cells * done));
  return `${'━'.repeat(filled)}${'╌'.repeat(cells - filled)} ${text}`;
}

const clock = (seconds: number): string =>
  seconds < 60
    ? `${Math.ceil(seconds)} s`
    : seconds < 3600
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
