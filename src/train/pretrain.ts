import { backend, type DispatchRecord } from '../backend/backend.js';
import { within } from '../backend/context.js';
import { compile } from '../compile/compile.js';
import { HostArray, type OnDevice } from '../compile/inputs.js';
import { medians } from '../compile/profile.js';
import { anything, check, checkOptions, instance, isRecord, listOf, whole } from '../core/check.js';
import { unless } from '../core/unless.js';
import { checkHooks, checkSets } from '../data/check.js';
import type { PictureSource } from '../data/picture-source.js';
import { FeatureSubset } from '../eval/feature-subset.js';
import {
  COLLAPSE,
  collapseText,
  damagedText,
  firstLayer,
  gradientNorm,
  lacking,
  SKIPPED,
  SpikeDetector,
  skippedText,
  spikeText,
  starvedText,
} from '../eval/monitors.js';
import { InFlight } from '../input/in-flight.js';
import { InputBound } from '../input/input-bound.js';
import { AHEAD, checkAhead } from '../input/look-ahead.js';
import { Sampler } from '../input/sampler.js';
import { checkConfig, type PretrainConfig, viewsOf } from '../moco/config.js';
import { createMethod } from '../moco/create.js';
import type { Method, Part } from '../moco/method.js';
import type { Encoder } from '../nn/models.js';
import { mul } from '../ops/binary.js';
import { type Packed, pack, type Unpacked, unpack } from '../ops/pack.js';
import type { Tensor } from '../tensor/tensor.js';
import { divergedAt, notFinite, notFiniteParameters, scaleIn } from './diverged.js';
import { EpochMeans, scoreOf } from './epoch.js';
import type { Position, PretrainHooks, PretrainOptions, StepRecord, StepTiming } from './records.js';
import { type Orders, ordersOf, queueAt, ratesAt, type StepSample } from './step-inputs.js';

/** Steps whose results are not read back yet: the loop never waits for the newest. */
const IN_FLIGHT = 3;

/** What a step measures: as `Method.step` tells, ‖g‖ of the first layer, and with f16 the state of the loss scale. */
interface Measured {
  measures: Tensor;
  gradNorm: Tensor;
  scale: Tensor | undefined;
}

/** A pretraining run by any method. Pictures in memory stay on the device; streamed ones go there step by step. */
export class Pretraining {
  readonly config: PretrainConfig;
  readonly method: Method;
  readonly train: PictureSource;
  readonly heldOut: PictureSource;
  readonly warnings: string[];
  readonly stepsPerEpoch: number;
  /** What k-NN, spread and gallery see of the pictures, and their features. */
  readonly subset: FeatureSubset;
  readonly #sampler: Sampler<Orders>;
  readonly #first: ReturnType<typeof firstLayer>;
  readonly #spikes = new SpikeDetector();
  #done = 0;
  /** When the latest step was handed to the device, if nothing but steps came since. */
  #handed?: number;
  readonly #inputBound = new InputBound();
  /** Of the epoch under way. */
  #epoch = new EpochMeans();
  #diverged = false;
  /** Whether it stands at the end of an epoch that has not been measured: it was interrupted there. */
  unmeasured = false;
  /** Damaged pictures that were reported. */
  #damaged: number;

  constructor(
    config: PretrainConfig,
    sets: { train: PictureSource; heldOut: PictureSource },
    options: PretrainOptions = {},
  ) {
    checkOptions('Pretraining', options, { ahead: anything });
    const { ahead = AHEAD } = options;
    checkAhead(ahead);
    checkSets('Pretraining', sets);
    const { train, heldOut } = sets;
    this.warnings = [...checkConfig(config, train.count), ...lacking(config.precision, backend())];
    this.config = config;
    this.train = train;
    this.heldOut = heldOut;
    this.stepsPerEpoch = Math.floor(train.count / config.batch);
    this.#damaged = train.skipped.length;
    this.method = createMethod(config, train.count);
    const views = viewsOf(config).slice(0, this.method.views);
    this.#sampler = new Sampler(train, {
      ...config,
      views,
      parts: config.accumulate,
      more: ordersOf(config, this.method, train.count),
      ahead,
    });
    const on = { resident: this.#sampler.resident, ahead };
    this.subset = new FeatureSubset(this.method.encoder as Encoder, { train, heldOut }, config, on, () => this.#done);
    this.#first = firstLayer(this.method.encoder);
  }

  get position(): Position {
    return { step: this.#done };
  }

  /** Continues from a saved position; the tensors must have been loaded. */
  set position(position: Position) {
    this.goOn(position);
  }

  /**
   * The same, where the position lies within an epoch: what steps of it measured is part of its means. Where it is the
   * end of one that is `unmeasured` still, `run` begins with that.
   */
  goOn(position: Position, measured: readonly StepRecord[] = [], unmeasured = false): void {
    check('position', 'it', position, { is: 'an object of step', holds: isRecord });
    check('position', 'step', position.step, whole(0));
    check('position', 'what was measured', measured, listOf({ is: 'an object', holds: isRecord }));
    const { step } = position;
    this.#done = step;
    this.#epoch = new EpochMeans();
    this.unmeasured = unmeasured;
    const ofEpoch = unmeasured ? this.stepsPerEpoch : step % this.stepsPerEpoch;
    for (const record of measured) if (record.step <= step && record.step > step - ofEpoch) this.#epoch.add(record);
    this.subset.forget();
  }

  get totalSteps(): number {
    return this.config.epochs * this.stepsPerEpoch;
  }

  /**
   * Trains from the current position to the end, or until the signal; in a `hurry` what measures the end of an epoch is
   * given up, too, which leaves it `unmeasured`. Returns whether the end was reached.
   * @throws DivergedError a few steps after the loss or a gradient was not finite, or at the end of an epoch if a
   * parameter is not; what is saved then is of no use, and nothing more is reported.
   */
  async run(hooks: PretrainHooks = {}, hurry?: AbortSignal): Promise<boolean> {
    checkHooks('run', hooks, ['onStep', 'onKnn', 'onSpread', 'onWarning', 'onEpoch', 'onHanded']);
    if (hurry !== undefined) check('run', 'the hurry', hurry, instance(AbortSignal));
    const inFlight = new InFlight<void>(IN_FLIGHT);
    this.#handed = undefined;
    this.subset.forget(); // its memory
    try {
      if (this.unmeasured) await this.#endEpoch(hooks, hurry);
      while (this.#done < this.totalSteps && !hooks.signal?.aborted) {
        const { reported } = await this.#step(hooks);
        hooks.onHanded?.(this.position, reported);
        await inFlight.add(reported);
        if (this.#done % this.stepsPerEpoch !== 0) continue;
        await inFlight.all();
        this.unmeasured = true;
        await this.#endEpoch(hooks, hurry);
        if (this.#done < this.totalSteps) this.subset.forget();
        this.#handed = undefined;
      }
      await inFlight.all();
    } finally {
      this.#sampler.giveUp();
      await inFlight.settled();
    }
    return this.#done >= this.totalSteps && !this.unmeasured;
  }

  /** Features of both sets by the encoder, before its head: see `FeatureSubset`. They are computed once a position. */
  features(): ReturnType<FeatureSubset['features']> {
    return this.subset.features();
  }

  /** Weighted k-NN accuracy on the held-out pictures, or undefined without labels. */
  knn(): Promise<number | undefined> {
    return this.subset.knn();
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
    check('profile', 'steps', steps, whole(1));
    for (let i = 0; i < 2; i++) await this.trial();
    return medians(steps, async () => {
      const { inputs } = await this.#sample();
      this.#done++;
      return this.#train.profile(inputs);
    });
  }

  /** What the next step takes, how long that took, and how long the device had nothing else to do. */
  async #sample(): Promise<{ inputs: StepSample; dataMs: number; idleMs: number }> {
    const { parts, began, dataMs, streamed } = await this.#sampler.sample(this.#done);
    const { lr, m } = ratesAt(this.config, this.#done, this.stepsPerEpoch);
    const inputs = { lr: new HostArray([lr]), m: new HostArray([m]), parts };
    return { inputs, dataMs, idleMs: streamed ? this.#inputBound.waited(began) : 0 };
  }

  /** Hands a step to the device; `reported` resolves once its measures have been read and reported. */
  async #step(hooks: PretrainHooks): Promise<{ reported: Promise<void> }> {
    const { inputs, dataMs, idleMs } = await this.#sample();
    const since = this.#handed ?? performance.now() - dataMs;
    const measured = unpack(await this.#train.async(inputs));
    const done = ++this.#done;
    const stepMs = performance.now() - since;
    this.#inputBound.handed(idleMs, this.#handed && stepMs);
    this.#handed = since + stepMs;
    this.#sampler.lookAhead(done);
    for (; this.#damaged < this.train.skipped.length; this.#damaged++)
      this.#warn(damagedText(this.train.skipped[this.#damaged]), hooks.onWarning);
    return { reported: measured.then((values) => this.#report(done, values, { dataMs, stepMs }, hooks)) };
  }

  #report(
    done: number,
    { measures, gradNorm: [norm], scale }: Unpacked<Measured>,
    timing: StepTiming,
    { onStep, onWarning }: PretrainHooks,
  ): void {
    this.#inputBound.finished();
    if (this.#diverged) return;
    const [loss, contrastTop1, contrastTop5] = measures;
    const { lossScale, skipped, inRow = 0 } = scaleIn(scale);
    const gradNorm = inRow > 0 ? undefined : norm;
    const epoch = Math.ceil(done / this.stepsPerEpoch);
    const { lr, m } = ratesAt(this.config, done - 1, this.stepsPerEpoch);
    const scaled = lossScale !== undefined && { lossScale, skipped };
    const record = {
      step: done,
      epoch,
      loss,
      contrastTop1,
      contrastTop5,
      lr,
      m,
      ...queueAt(this.config, Math.max(0, done - (skipped ?? 0))),
      gradNorm,
      ...scaled,
    };
    this.#epoch.add(record);
    onStep?.(record, timing);
    const got = notFinite({ loss, norm, layer: this.#first.name, inRow, lossScale });
    if (got !== undefined) throw this.#fail(done, got);
    if (inRow === SKIPPED) this.#warn(skippedText(done, lossScale!), onWarning);
    const usual = gradNorm === undefined ? undefined : this.#spikes.add(gradNorm);
    if (usual !== undefined) this.#warn(spikeText(done, this.#first.name, norm, usual), onWarning);
  }

  /** The work of a step, recorded once: a function of what was sampled, and of state. */
  readonly #train = compile(({ lr, m, parts }: OnDevice<StepSample>): Packed<Measured> => {
    const seen = parts.map((part): Part => {
      const [x1, x2] = this.#sampler.views(part);
      return { ...part, x1, x2 };
    });
    const measures = within({ precision: this.config.precision }, () => this.method.step(seen, { lr, m }));
    const [norm, { lossScale }] = [gradientNorm(this.#first.weight), this.method.optimizer.parameters];
    return pack({ measures, gradNorm: lossScale ? mul(norm, lossScale.guard) : norm, scale: lossScale?.state });
  });

  /** Nothing is reported of steps after `step`. */
  #fail(step: number, got: string): Error {
    this.#diverged = true;
    return divergedAt('pretrain', step, got, { ...this.config, ...ratesAt(this.config, step - 1, this.stepsPerEpoch) });
  }

  #warn(text: string, onWarning?: (text: string) => void): void {
    this.warnings.push(text);
    onWarning?.(text);
  }

  /** Measures the end of an epoch, unless there is a hurry. */
  async #endEpoch({ onKnn, onSpread, onWarning, onEpoch }: PretrainHooks, hurry?: AbortSignal): Promise<void> {
    const epoch = this.#done / this.stepsPerEpoch;
    const got = await notFiniteParameters(this.method.optimizer.parameters);
    if (got !== undefined) throw this.#fail(this.#done, got);
    const isDue = (onKnn || onSpread) && (epoch % this.config.knnEvery === 0 || epoch === this.config.epochs);
    const measured = isDue ? await unless(hurry, this.subset.measures()) : {};
    if (!measured) return;
    const { settled, ...means } = this.#epoch.end(epoch);
    const waited = this.#inputBound.endEpoch();
    if (waited !== undefined) this.#warn(starvedText(epoch, waited), onWarning);
    const { spread = 1, ...accuracies } = measured;
    const { knn } = accuracies;
    if (knn !== undefined) onKnn?.({ epoch, ...accuracies, knn });
    if (isDue) onSpread?.({ epoch, featureSpread: spread });
    if (!(spread >= COLLAPSE)) this.#warn(collapseText(epoch, spread), onWarning);
    const byLoss = !this.subset.measurable && settled && (epoch > 1 || this.config.method !== 'memory-bank');
    const score = scoreOf(means.loss, knn, byLoss);
    this.unmeasured = false;
    await onEpoch?.(this.position, { ...means, ...accuracies, ...score });
  }
}
