import { backend, type DispatchRecord } from '../backend/backend.js';
import { compile } from '../compile.js';
import type { Pictures } from '../data/pictures.js';
import type { Encoder } from '../nn/models.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, type Augmentation } from '../ops/augment_params.js';
import { mul } from '../ops/binary.js';
import { withPrecision } from '../ops/precision.js';
import { reshape } from '../ops/reshape.js';
import { concat } from '../ops/strided.js';
import { medians } from '../profile.js';
import type { Tensor } from '../tensor.js';
import { checkConfig, type PretrainConfig, viewsOf } from './config.js';
import { createMethod } from './create.js';
import { type Drawn, DrawnAhead } from './drawn_ahead.js';
import { Drawer, type Draws, mapDraws } from './draws.js';
import { embedPictures, resident } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';
import { COLLAPSE, collapseText, featureSpread, firstLayer, gradientNorm, lacking, SKIPPED, skippedText, SpikeDetector, spikeText } from './monitors.js';
import type { Method } from './method.js';
import { ratesAt } from './rates.js';

/** What one step measured. */
export interface StepRecord {
  /** Steps done since the start of the run, from 1. */
  step: number;
  epoch: number;
  loss: number;
  contrastTop1: number;
  contrastTop5: number;
  lr: number;
  m: number;
  /** Part of the queue that holds real keys, and steps made since its oldest real key was; without a queue, left out. */
  queueFill?: number;
  keyAge?: number;
  /** Pictures a second since the step before, where somebody watches the clock. */
  picturesPerSecond?: number;
  /**
   * Milliseconds that the host took to draw the step's pictures, views and orders, and those from handing the step before
   * to the device to handing it this one: a data time near the step time says that the device waits for data.
   */
  dataMs?: number;
  stepMs?: number;
  /** Norm of the gradient of the encoder's first trained layer; left out of a step that was skipped. */
  gradNorm?: number;
  /** With precision f16: the loss scale of the next step, and steps skipped so far because gradients were not finite. */
  lossScale?: number;
  skipped?: number;
}

/** Where the time of a step went: see `StepRecord`. */
export type StepTiming = Required<Pick<StepRecord, 'dataMs' | 'stepMs'>>;

/** How features of the training pictures spread: see `featureSpread`. */
export interface SpreadRecord {
  epoch: number;
  featureSpread: number;
}

export interface KnnRecord {
  epoch: number;
  /** Accuracy on the held-out pictures. */
  knn: number;
}

/** Where a run stands: everything besides the tensors that its future depends on. */
export interface Position {
  /** Steps done. */
  step: number;
}

/** What a run tells, and how it is stopped. */
export interface PretrainHooks {
  /** After each step, once its values are read. The times are apart, since all else of a record is the same in every run. */
  onStep?(record: StepRecord, timing: StepTiming): void;
  /** After each k-NN. */
  onKnn?(record: KnnRecord): void;
  /** As often as k-NN, and without labels too. */
  onSpread?(record: SpreadRecord): void;
  /** Something that looks wrong, in a sentence. It is in `warnings` too. */
  onWarning?(text: string): void;
  /** At the end of each epoch, the position is safe to save. */
  onEpoch?(position: Position): Promise<void> | void;
  /** Stops after the step under way. */
  signal?: AbortSignal;
}

/** Steps whose results are not read back yet: the loop never waits for the newest. */
const IN_FLIGHT = 3;

/** A pretraining run by any method on pictures that stay on the device. */
export class Pretraining {
  readonly config: PretrainConfig;
  readonly method: Method;
  readonly train: Pictures;
  readonly heldOut: Pictures;
  readonly warnings: string[];
  readonly stepsPerEpoch: number;
  /** The data set on the device, u8 [N, H, W, 3]. */
  readonly #resident: Tensor;
  readonly #residentHeldOut?: Tensor;
  readonly #views: Augmentation[];
  readonly #drawn: DrawnAhead;
  readonly #first: ReturnType<typeof firstLayer>;
  readonly #spikes = new SpikeDetector();
  #done = 0;
  /** When the latest step was handed to the device, if nothing but steps came since. */
  #handed?: number;
  /** Features of the current position, once asked for. */
  #features?: Promise<{ train: Features; heldOut: Features }>;

  constructor(config: PretrainConfig, { train, heldOut }: { train: Pictures; heldOut: Pictures }) {
    this.warnings = [...checkConfig(config, train.count), ...lacking(config.precision, backend())];
    this.config = config;
    this.train = train;
    this.heldOut = heldOut;
    this.stepsPerEpoch = Math.floor(train.count / config.batch);
    this.#resident = resident(train);
    this.#residentHeldOut = heldOut.count > 0 ? resident(heldOut) : undefined;
    this.#views = viewsOf(config);
    this.method = createMethod(config, train.count);
    this.#drawn = new DrawnAhead(new Drawer(config, train, this.method));
    this.#first = firstLayer(this.method.encoder);
  }

  get position(): Position {
    return { step: this.#done };
  }

  /** Continues from a saved position; the tensors must have been loaded. */
  set position({ step }: Position) {
    this.#done = step;
    this.#features = undefined;
  }

  get totalSteps(): number {
    return this.config.epochs * this.stepsPerEpoch;
  }

  /** Trains from the current position to the end, or until the signal. Returns whether the end was reached. */
  async run(hooks: PretrainHooks = {}): Promise<boolean> {
    const inFlight: Promise<void>[] = [];
    this.#handed = undefined;
    while (this.#done < this.totalSteps) {
      if (hooks.signal?.aborted) break;
      inFlight.push((await this.#step(hooks)).reported);
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift();
      if (this.#done % this.stepsPerEpoch !== 0) continue;
      await Promise.all(inFlight.splice(0));
      await this.#endEpoch(hooks);
      this.#handed = undefined;
    }
    await Promise.all(inFlight);
    return this.#done >= this.totalSteps;
  }

  /** Features of both sets by the encoder, before its head. They are computed once a position. */
  features(): Promise<{ train: Features; heldOut: Features }> {
    return (this.#features ??= this.#embed());
  }

  async #embed(): Promise<{ train: Features; heldOut: Features }> {
    const encoder = this.method.encoder as Encoder;
    const train = await embedPictures(encoder, this.train, this.#resident, this.config);
    const heldOut = this.#residentHeldOut
      ? await embedPictures(encoder, this.heldOut, this.#residentHeldOut, this.config)
      : { values: new Float32Array(0), count: 0, size: train.size };
    return { train, heldOut };
  }

  /** Weighted k-NN accuracy on the held-out pictures, or undefined without labels. */
  async knn(): Promise<number | undefined> {
    if (!this.train.labels || this.heldOut.count === 0) return undefined;
    const { train, heldOut } = await this.features();
    return knnAccuracy(heldOut, train, { k: this.config.knn, T: this.config.knnT });
  }

  /** Bytes of the tensors of a step: as planned, and alive at the worst moment. */
  get memory(): { readonly planned: number; readonly live: number } {
    return this.#train.memory;
  }

  /** Trains one step and waits for it; for timing, outside of `run`. */
  async trial(): Promise<void> {
    await (await this.#step({})).reported;
  }

  /** Trains two steps, and `steps` more whose dispatches are timed: see `profile`. */
  async profile(steps = 3): Promise<DispatchRecord[]> {
    for (let i = 0; i < 2; i++) await this.trial();
    return medians(steps, () => {
      const { inputs } = this.#draw();
      this.#done++;
      return this.#train.profile(...inputs);
    });
  }

  /** What the next step draws, and what the function that records it sees of it. */
  #draw(): Drawn {
    this.#features = undefined;
    const drawn = this.#drawn.take(this.#done);
    this.#draws = drawn.draws;
    return drawn;
  }

  /** Hands a step to the device; `reported` resolves once its measures have been read and told. */
  async #step({ onStep, onWarning }: PretrainHooks): Promise<{ reported: Promise<void> }> {
    const { inputs, ms: dataMs } = this.#draw();
    const since = this.#handed ?? performance.now() - dataMs;
    const measured = (await this.#train.async(...inputs)).data();
    const done = ++this.#done;
    this.#handed = performance.now();
    const timing = { dataMs, stepMs: this.#handed - since };
    if (done < this.totalSteps) this.#drawn.prepare(done);
    const report = async () => {
      const [loss, contrastTop1, contrastTop5, norm, lossScale, , skipped, inRow] = await measured;
      const gradNorm = inRow > 0 ? undefined : norm;
      const epoch = Math.ceil(done / this.stepsPerEpoch);
      const { lr, m } = ratesAt(this.config, done - 1, this.stepsPerEpoch);
      const scaled = lossScale !== undefined && { lossScale, skipped };
      onStep?.({ step: done, epoch, loss, contrastTop1, contrastTop5, lr, m, ...this.#queue(Math.max(0, done - (skipped ?? 0))), gradNorm, ...scaled }, timing);
      if (inRow === SKIPPED) this.#warn(skippedText(done, lossScale), onWarning);
      const usual = gradNorm === undefined ? undefined : this.#spikes.add(gradNorm);
      if (usual !== undefined) this.#warn(spikeText(done, this.#first.name, norm, usual), onWarning);
    };
    return { reported: report() };
  }

  /** What a step draws: every step's have the same form. */
  #draws!: Draws;

  /** The work of a step, recorded once: a function of what was drawn, in the order of `mapDraws`, and of state. */
  readonly #train = compile((...inputs: Tensor[]) => {
    let next = 0;
    const { lr, m, parts } = mapDraws(this.#draws, () => inputs[next++]);
    const views = parts.map(({ table1, table2, ...rest }) => {
      const view = (table: Tensor, i: number) =>
        augment(this.#resident, rest.index, reshape(table, [rest.index.size, AUGMENT_COLUMNS]), { size: this.config.size, ...this.#views[i] });
      return { ...rest, x1: view(table1, 0), x2: table2 && view(table2, 1) };
    });
    const measured = withPrecision(this.config.precision, () => this.method.step(views, { lr, m }));
    const [norm, { lossScale }] = [gradientNorm(this.#first.weight), this.method.optimizer.parameters];
    return concat(lossScale ? [measured, mul(norm, lossScale.guard), lossScale.state] : [measured, norm]);
  });

  #warn(text: string, onWarning?: (text: string) => void): void {
    this.warnings.push(text);
    onWarning?.(text);
  }

  #queue(done: number): Pick<StepRecord, 'queueFill' | 'keyAge'> {
    const { method, K, batch, symmetric } = this.config;
    if (method !== 'moco') return {};
    const keys = symmetric ? 2 * batch : batch;
    return { queueFill: Math.min(1, (done * keys) / K), keyAge: Math.min(done, Math.ceil(K / keys)) };
  }

  async #endEpoch({ onKnn, onSpread, onWarning, onEpoch }: PretrainHooks): Promise<void> {
    const epoch = this.#done / this.stepsPerEpoch;
    if ((onKnn || onSpread) && (epoch % this.config.knnEvery === 0 || epoch === this.config.epochs)) {
      const knn = await this.knn();
      if (knn !== undefined) onKnn?.({ epoch, knn });
      const spread = featureSpread((await this.features()).train);
      onSpread?.({ epoch, featureSpread: spread });
      if (!(spread >= COLLAPSE)) this.#warn(collapseText(epoch, spread), onWarning);
    }
    await onEpoch?.(this.position);
  }
}
