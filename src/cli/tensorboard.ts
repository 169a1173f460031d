import { ofManyShapes } from '../data/picture-source.js';
import { encodePng } from '../io/png.js';
import { EventFile } from '../io/tensorboard.node.js';
import type { Encoder } from '../nn/models.js';
import { sheet } from '../report/contact-sheet.js';
import type { GalleryRow } from '../report/nearest-gallery.js';
import { thumbnails } from '../report/thumbnails.js';
import { previewViews, similarities } from '../report/view-pairs.js';
import type { Metric } from '../train/metrics.node.js';
import type { Pretraining } from '../train/pretrain.js';
import type { Run } from '../train/run.node.js';

const PREVIEWED = 16; // pictures

/** What TensorBoard shows of a run: every metric, views of pictures, similarities, and the gallery. */
export class Board {
  readonly #file: EventFile;
  readonly #training: Pretraining;

  constructor(run: Run, training: Pretraining) {
    this.#file = new EventFile(run.folder, training.position.step);
    this.#training = training;
  }

  /** Each number of a metric by its name. */
  metric(metric: Metric): void {
    const { epoch, ...rest } = metric;
    const step = 'step' in metric ? metric.step : epoch * this.#training.stepsPerEpoch;
    const kind = 'step' in metric ? 'train' : 'eval';
    const numbers = Object.entries(rest).filter(([name, value]) => name !== 'step' && typeof value === 'number');
    this.#file.log(
      step,
      Object.fromEntries(numbers.map(([name, value]) => [`${kind}/${name}`, { scalar: value as number }])),
    );
  }

  async views(): Promise<void> {
    await this.#pictures('views', await previewViews(this.#training.config, this.#training.train, PREVIEWED), 8);
  }

  async similarities(): Promise<void> {
    const { method, config, train, position } = this.#training;
    const { positive, negative } = await similarities(method.encoder as Encoder, config, train);
    this.#file.log(position.step, {
      'similarity/positive': { histogram: positive },
      'similarity/negative': { histogram: negative },
    });
  }

  /** Each held-out picture, with those nearest to it at its right. */
  async gallery(rows: GalleryRow[]): Promise<void> {
    const { train, heldOut } = this.#training.subset;
    if (rows.length === 0) return;
    const most = ofManyShapes(train) ? this.#training.config.size : Math.max(train.height, train.width);
    const parts = await Promise.all(
      rows.flatMap(({ query, neighbours }) => [
        thumbnails(heldOut, [query], most),
        thumbnails(
          train,
          neighbours.map((n) => n.index),
          most,
        ),
      ]),
    );
    const data = Buffer.concat(parts.map((p) => p.data));
    await this.#pictures('gallery', { ...parts[0], data }, 1 + rows[0].neighbours.length);
  }

  written(): Promise<void> {
    return this.#file.written();
  }

  async #pictures(
    tag: string,
    { data, height, width }: { data: Uint8Array; height: number; width: number },
    columns: number,
  ): Promise<void> {
    const all = sheet(data, { height, width }, columns);
    this.#file.log(this.#training.position.step, {
      [tag]: { png: await encodePng(all.data, all.width, all.height), width: all.width, height: all.height },
    });
  }
}
