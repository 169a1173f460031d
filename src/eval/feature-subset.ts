import { asStream } from '../data/load-pictures.js';
import type { PictureSource } from '../data/picture-source.js';
import { subset } from '../data/pictures.js';
import { fits, resident } from '../input/step-pictures.js';
import type { PretrainConfig } from '../moco/config.js';
import type { Encoder } from '../nn/models.js';
import type { Tensor } from '../tensor/tensor.js';
import { embedPictures, outputs } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';
import { featureSpread } from './monitors.js';

/** Pictures of a set at most: their features and similarities fit into memory, and take minutes and not hours. */
const MOST = 65536;

type Both<T> = { train: T; heldOut: T };

/** The pictures that k-NN, spread and gallery see, and their features: of each set at most 65536, evenly spread. */
export class FeatureSubset {
  readonly train: PictureSource;
  readonly heldOut: PictureSource;
  readonly #encoder: Encoder;
  readonly #config: PretrainConfig;
  readonly #resident: Both<Tensor | undefined>;
  readonly #ahead: number;
  readonly #position: () => number;
  /** Where the features below were computed. */
  #at?: number;
  #features?: Promise<Both<Features>>;
  #outputs?: Promise<Both<Features>>;

  /**
   * @param on the training pictures on the device, if they stay there, and batches to decode ahead otherwise.
   * @param position the steps that the encoder has made: features are computed once for each.
   */
  constructor(
    encoder: Encoder,
    { train, heldOut }: Both<PictureSource>,
    config: PretrainConfig,
    on: { resident?: Tensor; ahead: number },
    position = () => 0,
  ) {
    [this.train, this.heldOut] = [train, heldOut].map(some);
    this.#encoder = encoder;
    this.#config = config;
    const all = this.heldOut === heldOut && heldOut.count > 0;
    this.#resident = {
      train: this.train === train ? on.resident : undefined,
      heldOut: all && fits(heldOut) ? resident(heldOut) : undefined,
    };
    this.#ahead = on.ahead;
    this.#position = position;
  }

  /** Features of both sets by the encoder, before its head. They are computed once a position. */
  features(): Promise<Both<Features>> {
    this.#see();
    return (this.#features ??= this.#embed());
  }

  /** The same of the head's outputs. */
  outputs(): Promise<Both<Features>> {
    this.#see();
    return (this.#outputs ??= this.#embed(outputs));
  }

  /** Says that the encoder is another, at whatever position. */
  forget(): void {
    this.#at = undefined;
    this.#features = this.#outputs = undefined;
  }

  #see(): void {
    const at = this.#position();
    if (this.#at !== at) this.forget();
    this.#at = at;
  }

  async #embed(by?: typeof outputs): Promise<Both<Features>> {
    const embed = (pictures: PictureSource, on?: Tensor) =>
      embedPictures(this.#encoder, pictures, on, this.#config, this.#ahead, by);
    const train = await embed(this.train, this.#resident.train);
    const heldOut =
      this.heldOut.count > 0
        ? await embed(this.heldOut, this.#resident.heldOut)
        : { values: new Float32Array(0), count: 0, size: train.size };
    return { train, heldOut };
  }

  /** Whether there are classes, and pictures held out, for k-NN. */
  get measurable(): boolean {
    return this.train.labels !== undefined && this.heldOut.count > 0;
  }

  /** What the features are worth at a position: k-NN where there are labels, and how far they spread. */
  async measures(): Promise<{ knn?: number; knnOutputs?: number; spread?: number }> {
    const knn = await this.knn();
    const knnOutputs = this.#config.knnOutputs ? await this.knn('outputs') : undefined;
    const spread = featureSpread((await this.features()).train);
    return { ...(knn !== undefined && { knn }), ...(knnOutputs !== undefined && { knnOutputs }), spread };
  }

  /** Weighted k-NN accuracy on the held-out pictures by their features, or outputs; undefined without labels. */
  async knn(by: 'features' | 'outputs' = 'features'): Promise<number | undefined> {
    if (!this.measurable) return undefined;
    const { train, heldOut } = await this[by]();
    return knnAccuracy(heldOut, train, { k: this.#config.knn, T: this.#config.knnT });
  }
}

/** All of a set, or an even part of it. */
const some = (set: PictureSource): PictureSource =>
  set.count <= MOST
    ? set
    : subset(
        asStream(set),
        new Uint32Array(MOST).map((_, i) => Math.floor((i * set.count) / MOST)),
      );
