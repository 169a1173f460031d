import { backend } from '../backend/backend.js';
import { inMemory, type Pictures } from '../data/picture-source.js';
import { writeAtomic } from '../io/atomic.node.js';
import type { Encoder } from '../nn/models.js';
import { type GalleryRow, gallery, picture } from '../report/nearest-gallery.js';
import { pictureMap } from '../report/picture-map.js';
import { differences, publishedKnn } from '../report/published.js';
import { type ReportData, renderReport } from '../report/run-report.js';
import { previewViews, similarities } from '../report/view-pairs.js';
import type { Pretraining } from '../train/pretrain.js';
import type { Run } from '../train/run.node.js';

/**
 * Writes a run's report.html as it stands; without `rows`, of an encoder that has diverged, only what was logged and
 * the views.
 */
export async function writeReport(
  run: Run,
  training: Pretraining,
  skipped: Pictures['skipped'],
  rows: GalleryRow[] | undefined,
  elapsedSeconds: number,
): Promise<void> {
  const { config, train, subset, method, warnings } = training;
  const { steps, knn, spread, before } = run.history();
  const chance = method.chance(config.batch / config.accumulate);
  const notes = [...warnings];
  if (skipped.length > 0)
    notes.push(
      `${skipped.length} pictures could not be decoded and were left out${inMemory(train) ? '' : ', or are grey'}.`,
    );
  const html = renderReport({
    title: `Pretraining by ${config.method}`,
    command: run.info.command,
    config: { ...config, data: run.info.data, ...run.info.choice },
    adapter: run.info.adapter,
    products: run.info.products,
    version: run.info.version,
    seed: config.seed,
    notes,
    elapsedSeconds,
    steps,
    knn: knn.map((r) => ({ epoch: r.epoch, accuracy: r.knn, outputs: r.knnOutputs })),
    queueSize: Math.round(1 / chance.top1) - 1,
    chanceLoss: chance.loss,
    baselines: { ...before, trained: knn.at(-1)?.knn, k: config.knn, T: config.knnT },
    gallery: await gallery(subset.train, subset.heldOut, rows ?? []),
    spread: spread.map((r) => ({ epoch: r.epoch, value: r.featureSpread })),
    published: publishedFor(run, training),
    memory: { ...training.memory, peak: backend().memory().peak },
    ...(await looks(training, rows !== undefined)),
  });
  await writeAtomic(run.file('report.html'), html);
}

/** The published curve of the run's configuration, with what sets the run apart from it. */
function publishedFor(run: Run, { config, train, heldOut }: Pretraining): ReportData['published'] {
  const published = publishedKnn(config, train.classes);
  if (!published) return undefined;
  const protocol = {
    trained: train.count,
    measured: heldOut.count,
    testSet: run.info.test !== undefined,
    outputs: config.knnOutputs,
  };
  return { ...published, differences: differences(published, protocol) };
}
const VIEWED = 12; // pictures

/** What is to be seen: views, how similar they are to the encoder, and the map of held-out pictures. */
async function looks(training: Pretraining, sound: boolean): Promise<Pick<ReportData, 'views' | 'similarity' | 'map'>> {
  const { config, train, method, subset } = training;
  const views = await previewViews(config, train, VIEWED);
  const shown = await Promise.all(Array.from({ length: views.count }, (_, i) => picture(views, i)));
  const pairs = shown.flatMap(({ png, label }, i) =>
    i % 2 === 0 ? [{ first: png, second: shown[i + 1].png, label }] : [],
  );
  if (!sound) return { views: pairs };
  const { positive, negative } = await similarities(method.encoder as Encoder, config, train);
  const mapped =
    subset.heldOut.count > 2 ? await pictureMap(subset.heldOut, (await subset.features()).heldOut) : undefined;
  return { views: pairs, similarity: { positive: [...positive], negative: [...negative] }, map: mapped };
}
