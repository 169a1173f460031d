/** Trains MoCo v2 and reports. Workers have no import maps, so dawngrad is named by its place. */
import * as dg from '../../dist/index.js';

const post = (type, rest = {}) => postMessage({ type, ...rest });
const fail = (e) => post('error', { message: e instanceof dg.DawngradError ? e.message : String(e.stack ?? e) });
let stop;

/** Pictures of the set at `index`, as RGB bytes. */
const pixels = (set, index) => set.data.slice(index * set.height * set.width * 3, (index + 1) * set.height * set.width * 3);

async function train({ settings, pictures }) {
  const { count = 1000, ...fields } = settings;
  const config = { ...dg.demoConfig, knnEvery: 1, ...fields };
  const set = pictures ?? dg.drawPictures({ count, seed: config.seed });
  const parts = dg.splitHeldOut(set, config.heldOut, config.seed);
  const run = new dg.Pretraining(config, parts);
  post('started', { chance: Math.log(config.K + 1), warnings: run.warnings, total: run.totalSteps, classes: set.classes?.length, count: set.count });
  stop = new AbortController();
  let step = 0;
  const ended = await run.run({
    signal: stop.signal,
    onStep(record) {
      step = record.step;
      post('step', { record, batch: config.batch });
      if (step % 5 === 1) look(run, config, step).catch(fail);
    },
    onKnn: ({ knn }) => post('knn', { knn, step }),
    onEpoch: () => neighbours(run),
  });
  post('done', { stopped: !ended });
}

/** Sends the two views of eight pictures, and the queue. */
async function look({ train, method: moco }, config, step) {
  const shown = dg.subset(train, Uint32Array.from({ length: Math.min(8, train.count) }, (_, i) => i));
  const { size, mean, std, seed } = config;
  const augmentation = { ...dg.mocoV2Augmentation, scale: [config.cropMin, 1], blur: undefined, mean, std };
  const view = (view) => dg.step(() => {
    const indices = Uint32Array.from({ length: shown.count }, (_, i) => i);
    const table = dg.drawAugmentation(augmentation, { seed, epoch: step, view, indices, height: shown.height, width: shown.width });
    const all = dg.tensor(shown.data, [shown.count, shown.height, shown.width, 3]);
    return dg.augment(all, dg.tensor(indices), dg.tensor(table, [shown.count, table.length / shown.count]), { size, ...augmentation }).data();
  });
  const views = (await Promise.all([view(0), view(1)])).flatMap((values) => {
    const bytes = Uint8Array.from(values, (v, i) => Math.min(255, Math.max(0, 255 * (v * std[i % 3] + mean[i % 3]))));
    return Array.from({ length: shown.count }, (_, i) => bytes.slice(i * size * size * 3, (i + 1) * size * size * 3));
  });
  post('views', { views, size });
  const [keys, newest] = await Promise.all([moco.queue.data(), moco.pointer.item()]);
  post('queue', { keys, K: config.K, dim: config.dim, newest });
}

/** Sends six held-out pictures with the twelve nearest pictures of the training part. */
async function neighbours(run) {
  const { train, heldOut } = await run.features();
  const count = Math.min(6, heldOut.count);
  const few = { ...heldOut, values: heldOut.values.subarray(0, count * heldOut.size), labels: heldOut.labels?.subarray(0, count), count };
  if (count === 0) return;
  const { index, k } = await dg.nearestNeighbours(few, train, 12);
  const rows = Array.from({ length: count }, (_, i) => ({
    query: pixels(run.heldOut, i),
    near: [...index.subarray(i * k, (i + 1) * k)].map((j) => ({
      pixels: pixels(run.train, j),
      right: heldOut.labels && heldOut.labels[i] === train.labels[j],
    })),
  }));
  post('neighbours', { rows, height: run.train.height, width: run.train.width });
}

onmessage = ({ data }) => (data.type === 'stop' ? stop?.abort() : train(data).catch(fail));
dg.device().then(({ name }) => post('ready', { adapter: name }), fail);
