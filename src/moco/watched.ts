import { subset } from '../data/pictures.js';
import { inMemory, type PictureSource } from '../data/source.js';
import type { Encoder } from '../nn/models.js';
import type { Tensor } from '../tensor.js';
import type { PretrainConfig } from './config.js';
import { embedPictures } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';
import { resident } from './step_pictures.js';

/** Pictures of a streamed set that are watched: their features and similarities fit into memory. */
const MOST = 65536;

type Both<T> = { train: T; heldOut: T };

/** The pictures that k-NN, spread and gallery see, and their features: all in memory; of a streamed set at most 65536, evenly spread. */
export class Watched {
  readonly train: PictureSource;
  readonly heldOut: PictureSource;
  readonly #encoder: Encoder;
  readonly #config: PretrainConfig;
  readonly #resident: Both<Tensor | undefined>;
  readonly #ahead: number;
  #features?: Promise<Both<Features>>;

  /** @param on the training pictures on the device, if they stay there, and batches to decode ahead otherwise. */
  constructor(encoder: Encoder, { train, heldOut }: Both<PictureSource>, config: PretrainConfig, on: { resident?: Tensor; ahead: number }) {
    [this.train, this.heldOut] = [train, heldOut].map(some);
    this.#encoder = encoder;
    this.#config = config;
    this.#resident = { train: on.resident, heldOut: inMemory(heldOut) && heldOut.count > 0 ? resident(heldOut) : undefined };
    this.#ahead = on.ahead;
  }

  /** Features of both sets by the encoder, before its head. They are computed once, until `forget`. */
  features(): Promise<Both<Features>> {
    return (this.#features ??= this.#embed());
  }

  /** Says that the encoder has changed. */
  forget(): void {
    this.#features = undefined;
  }

  async #embed(): Promise<Both<Features>> {
    const embed = (pictures: PictureSource, on?: Tensor) => embedPictures(this.#encoder, pictures, on, this.#config, this.#ahead);
    const train = await embed(this.train, this.#resident.train);
    const heldOut = this.heldOut.count > 0 ? await embed(this.heldOut, this.#resident.heldOut) : { values: new Float32Array(0), count: 0, size: train.size };
    return { train, heldOut };
  }

  /** Whether there are classes, and pictures held out, for k-NN. */
  get measurable(): boolean {
    return this.train.labels !== undefined && this.heldOut.count > 0;
  }

  /** Weighted k-NN accuracy on the held-out pictures, or undefined without labels. */
  async knn(): Promise<number | undefined> {
    if (!this.measurable) return undefined;
    const { train, heldOut } = await this.features();
    return knnAccuracy(heldOut, train, { k: this.#config.knn, T: this.#config.knnT });
  }
}

/** All of a set, or as much of a streamed one as is watched. */
function some(set: PictureSource): PictureSource {
  return inMemory(set) || set.count <= MOST ? set : subset(set, Uint32Array.from({ length: MOST }, (_, i) => Math.floor((i * set.count) / MOST)));
}
