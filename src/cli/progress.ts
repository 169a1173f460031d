import { brailleChart } from '../io/braille.js';
import { type Point, thin } from '../io/thin.js';
import type { StepRecord } from '../moco/pretrain.js';
import { colour } from './colour.js';

/** Seconds between lines where the output is no terminal. */
const EVERY = 10;
const CELLS = 24;
const [CHART_WIDTH, CHART_HEIGHT] = [76, 6];
const KEPT = 2000; // points of the chart
const CLEAR = '\r\x1b[J'; // to the end of the screen

export interface ProgressOptions {
  /** Steps of the whole run, and in an epoch. */
  total: number;
  stepsPerEpoch: number;
  /** Pictures a step. */
  batch: number;
  quiet?: boolean;
  /** A line for every step. */
  verbose?: boolean;
  /** On a terminal, the loss as a chart under the bar. */
  chart?: boolean;
}

/** Where progress is shown. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

/** Progress on stderr: a bar that is redrawn on a terminal, perhaps with a chart; a line now and then elsewhere. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #screen: Screen;
  /** Whether lines are redrawn. */
  readonly #live: boolean;
  #losses: Point[] = [];
  /** The first step that was told, and when: kernels are compiled by then. */
  #first?: { step: number; at: number };
  #shown = 0;
  /** Milliseconds of the steps since a line was shown: what went into data, and all. */
  #spent = { steps: 0, dataMs: 0, stepMs: 0 };
  #open = false;

  constructor(options: ProgressOptions, screen: Screen = process.stderr) {
    this.#options = options;
    this.#screen = screen;
    this.#live = Boolean(screen.isTTY) && !options.verbose;
  }

  update(record: StepRecord): void {
    const { total, quiet, verbose, chart } = this.#options;
    const { step, loss, dataMs, stepMs } = record;
    if (dataMs !== undefined && stepMs !== undefined) {
      const { steps, dataMs: data, stepMs: all } = this.#spent;
      this.#spent = { steps: steps + 1, dataMs: data + dataMs, stepMs: all + stepMs };
    }
    if (chart && this.#live && this.#losses.push([step, loss]) > KEPT) this.#losses = thin(this.#losses, KEPT / 2);
    const now = Date.now();
    this.#first ??= { step, at: now };
    if (quiet || (!verbose && now - this.#shown < (this.#live ? 100 : EVERY * 1000) && step !== total)) return;
    this.#shown = now;
    const text = this.#line(record, (now - this.#first.at) / 1000, step - this.#first.step);
    if (!this.#live) this.#screen.write(`${text}\n`);
    else {
      const filled = Math.round((CELLS * step) / total);
      const below = chart ? this.#chart() : [];
      this.#screen.write(`${CLEAR}${[`${'━'.repeat(filled)}${'╌'.repeat(CELLS - filled)} ${text}`, ...below].join('\n')}${below.length > 0 ? `\x1b[${below.length}A\r` : ''}`);
      this.#open = true;
    }
  }

  /** Writes a line of its own. */
  say(text: string): void {
    if (this.#options.quiet) return;
    this.#screen.write(`${this.#open ? CLEAR : ''}${text}\n`);
    this.#open = false;
  }

  end(): void {
    if (this.#open) this.#screen.write('\n'.repeat(1 + (this.#options.chart ? this.#chart().length : 0)));
    this.#open = false;
  }

  #line({ step, epoch, loss, contrastTop1 }: StepRecord, seconds: number, done: number): string {
    const { total, stepsPerEpoch, batch } = this.#options;
    const pace = done > 0 && seconds > 0;
    const { steps, dataMs, stepMs } = this.#spent;
    this.#spent = { steps: 0, dataMs: 0, stepMs: 0 };
    const data = steps === 0 ? '' : `data ${(dataMs / steps).toFixed(1)} of ${(stepMs / steps).toFixed(0)} ms  `;
    return (
      `epoch ${epoch}/${Math.round(total / stepsPerEpoch)}  loss ${loss.toFixed(3)}  contrast ${(100 * contrastTop1).toFixed(0)} %  ` +
      `${pace ? `${((done * batch) / seconds).toFixed(0)} pictures/s  ` : ''}${data}${pace ? `${clock(((total - step) * seconds) / done)} left` : ''}`
    );
  }

  /** The loss so far. */
  #chart(): string[] {
    const width = Math.min(CHART_WIDTH, (this.#screen.columns || 80) - 1);
    const rows = brailleChart(this.#losses, width, CHART_HEIGHT);
    const { cyan } = colour(this.#screen);
    return rows.map((row) => row.replace(/(?<=┤).*$/, cyan));
  }
}

const clock = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
