import type { StepRecord } from '../moco/pretrain.js';

/** Seconds between lines where the output is no terminal. */
const EVERY = 10;
const CELLS = 24;

/** Progress on stderr: a bar that is redrawn on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #total: number;
  readonly #batch: number;
  readonly #stepsPerEpoch: number;
  readonly #terminal: boolean;
  readonly #began = Date.now();
  readonly #quiet: boolean;
  #first?: number;
  #shown = 0;
  #open = false;

  constructor(total: number, batch: number, stepsPerEpoch: number, quiet: boolean) {
    this.#total = total;
    this.#batch = batch;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#quiet = quiet;
    this.#terminal = Boolean(process.stderr.isTTY);
  }

  update({ step, epoch, loss, contrastTop1 }: StepRecord): void {
    this.#first ??= step - 1;
    const now = Date.now();
    if (this.#quiet || (now - this.#shown < (this.#terminal ? 100 : EVERY * 1000) && step !== this.#total)) return;
    this.#shown = now;
    const seconds = (now - this.#began) / 1000;
    const done = step - this.#first;
    const left = ((this.#total - step) * seconds) / done;
    const epochs = Math.round(this.#total / this.#stepsPerEpoch);
    const text =
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  contrast ${(100 * contrastTop1).toFixed(0)} %  ` +
      `${((done * this.#batch) / seconds).toFixed(0)} pictures/s  ${clock(left)} left`;
    if (!this.#terminal) process.stderr.write(`${text}\n`);
    else {
      const filled = Math.round((CELLS * step) / this.#total);
      process.stderr.write(`\r\x1b[2K${'━'.repeat(filled)}${'╌'.repeat(CELLS - filled)} ${text}`);
      this.#open = true;
    }
  }

  /** Writes a line of its own. */
  say(text: string): void {
    if (this.#quiet) return;
    process.stderr.write(`${this.#open ? '\r\x1b[2K' : ''}${text}\n`);
    this.#open = false;
  }

  end(): void {
    if (this.#open) process.stderr.write('\n');
    this.#open = false;
  }
}

const clock = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
