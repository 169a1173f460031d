import { compile } from '../compile.js';
import { Rng } from '../core/rng.js';
import type { Pictures } from '../data/pictures.js';
import { type ResNet, resnet } from '../nn/resnet.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, type Augmentation, drawAugmentation } from '../ops/augment_params.js';
import { reshape } from '../ops/reshape.js';
import { cosine } from '../optim/schedule.js';
import { state, type Tensor, tensor } from '../tensor.js';
import { checkConfig, type PretrainConfig, viewsOf } from './config.js';
import { embedPictures } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';
import { MoCo } from './moco.js';

/** What one step measured. */
export interface StepRecord {
  /** Steps done since the start of the run, from 1. */
  step: number;
  epoch: number;
  loss: number;
  contrastTop1: number;
  contrastTop5: number;
  lr: number;
  /** Part of the queue that holds real keys. */
  queueFill: number;
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

export interface PretrainHooks {
  onStep?(record: StepRecord): void;
  onKnn?(record: KnnRecord): void;
  /** At the end of each epoch, the position is safe to save. */
  onEpoch?(position: Position): Promise<void> | void;
  /** Stops after the step under way. */
  signal?: AbortSignal;
}

/** Steps whose results are not read back yet: the loop never waits for the newest. */
const IN_FLIGHT = 3;

/** A MoCo v2 pretraining run on pictures that stay on the device. */
export class Pretraining {
  readonly config: PretrainConfig;
  readonly moco: MoCo;
  readonly train: Pictures;
  readonly heldOut: Pictures;
  readonly warnings: string[];
  readonly stepsPerEpoch: number;
  /** The data set on the device, u8 [N, H, W, 3]. */
  readonly #resident: Tensor;
  readonly #residentHeldOut?: Tensor;
  readonly #views: Augmentation;
  #done = 0;

  constructor(config: PretrainConfig, { train, heldOut }: { train: Pictures; heldOut: Pictures }) {
    this.warnings = checkConfig(config, train.count);
    this.config = config;
    this.train = train;
    this.heldOut = heldOut;
    this.stepsPerEpoch = Math.floor(train.count / config.batch);
    this.#resident = resident(train);
    this.#residentHeldOut = heldOut.count > 0 ? resident(heldOut) : undefined;
    this.#views = viewsOf(config);
    const { model, stem, head, dim, splits, seed } = config;
    this.moco = new MoCo(() => resnet(model, { stem, head, dim, splits, seed }), config);
  }

  get position(): Position {
    return { step: this.#done };
  }

  /** Continues from a saved position; the tensors must have been loaded. */
  set position({ step }: Position) {
    this.#done = step;
  }

  get totalSteps(): number {
    return this.config.epochs * this.stepsPerEpoch;
  }

  /** Trains from the current position to the end, or until the signal. Returns whether the end was reached. */
  async run(hooks: PretrainHooks = {}): Promise<boolean> {
    const inFlight: Promise<void>[] = [];
    while (this.#done < this.totalSteps) {
      if (hooks.signal?.aborted) break;
      inFlight.push(this.#step(hooks));
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift();
      if (this.#done % this.stepsPerEpoch !== 0) continue;
      await Promise.all(inFlight.splice(0));
      await this.#endEpoch(hooks);
    }
    await Promise.all(inFlight);
    return this.#done >= this.totalSteps;
  }

  /** Features of both sets by the query encoder, before its head. */
  async features(): Promise<{ train: Features; heldOut: Features }> {
    const encoder = this.moco.encoderQ as ResNet;
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

  async #step({ onStep }: PretrainHooks): Promise<void> {
    const { batch, K, lr: base, epochs } = this.config;
    const epoch = Math.floor(this.#done / this.stepsPerEpoch);
    const lr = cosine(base, epoch / epochs);
    if (this.#done % this.stepsPerEpoch === 0 || this.#fresh) this.moco.lr = lr;
    this.#fresh = false;
    const measured = this.#train(...this.#draw(epoch)).data();
    const done = ++this.#done;
    const [loss, contrastTop1, contrastTop5] = await measured;
    onStep?.({ step: done, epoch: epoch + 1, loss, contrastTop1, contrastTop5, lr, queueFill: Math.min(1, (done * batch) / K) });
  }

  /** Nothing has set the learning rate yet. */
  #fresh = true;

  /** One step on the device, from what `#draw` returns. */
  readonly #train = compile((indexQ: Tensor, tableQ: Tensor, indexK: Tensor, tableK: Tensor, unshuffle: Tensor) =>
    this.moco.step({ xQ: this.#view(indexQ, tableQ), xK: this.#view(indexK, tableK), unshuffle }));

  /** The two views of the next batch, as pictures and how to augment them. They depend on the seed, the epoch and the step alone. */
  #draw(epoch: number): [Uint32Array, Float32Array, Uint32Array, Float32Array, Uint32Array] {
    const { batch: N, seed, shuffle } = this.config;
    const at = (this.#done % this.stepsPerEpoch) * N;
    const indices = this.#order(epoch).subarray(at, at + N);
    const order = shuffle ? new Rng(seed, 'shuffle', this.#done).permutation(N) : Uint32Array.from({ length: N }, (_, i) => i);
    const unshuffle = new Uint32Array(N);
    order.forEach((from, to) => (unshuffle[from] = to));
    const { height, width } = this.train;
    const table = (view: number, indices: Uint32Array) => drawAugmentation(this.#views, { seed, epoch, view, indices, height, width });
    const keys = order.map((i) => indices[i]);
    return [indices, table(0, indices), keys, table(1, keys), unshuffle];
  }

  #view(index: Tensor, table: Tensor): Tensor {
    return augment(this.#resident, index, reshape(table, [index.size, AUGMENT_COLUMNS]), { size: this.config.size, ...this.#views });
  }

  #order(epoch: number): Uint32Array {
    if (this.#orderOf?.epoch !== epoch) this.#orderOf = { epoch, order: new Rng(this.config.seed, 'order', epoch).permutation(this.train.count) };
    return this.#orderOf.order;
  }

  #orderOf?: { epoch: number; order: Uint32Array };

  async #endEpoch({ onKnn, onEpoch }: PretrainHooks): Promise<void> {
    const epoch = this.#done / this.stepsPerEpoch;
    if (onKnn && (epoch % this.config.knnEvery === 0 || epoch === this.config.epochs)) {
      const knn = await this.knn();
      if (knn !== undefined) onKnn({ epoch, knn });
    }
    await onEpoch?.(this.position);
  }
}

const resident = (p: Pictures): Tensor => state(tensor(p.data, [p.count, p.height, p.width, 3]));
