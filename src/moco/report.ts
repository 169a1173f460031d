import { subset, type Pictures } from '../data/pictures.js';
import { dataUri, encodePng } from '../io/png.js';
import type { ReportData, ReportPicture } from '../io/report.js';
import { type Features, nearestNeighbours } from './knn.js';

const QUERIES = 8;
const NEIGHBOURS = 7;

/** Some held-out pictures, spread over the classes, with the training pictures nearest to them. */
export async function gallery(train: Pictures, heldOut: Pictures, features: { train: Features; heldOut: Features }): Promise<ReportData['gallery']> {
  const chosen = spread(heldOut);
  const { size, values } = features.heldOut;
  const queries = { count: chosen.length, size, values: Float32Array.from(chosen.flatMap((i) => [...values.subarray(i * size, (i + 1) * size)])) };
  const near = await nearestNeighbours(queries, features.train, NEIGHBOURS);
  return Promise.all(
    chosen.map(async (index, row) => ({
      query: await picture(heldOut, index),
      neighbours: await Promise.all(
        Array.from({ length: near.k }, async (_, j) => {
          const at = row * near.k + j;
          const correct = train.labels && heldOut.labels && train.labels[near.index[at]] === heldOut.labels[index];
          return { ...(await picture(train, near.index[at])), similarity: near.similarity[at], correct };
        }),
      ),
    })),
  );
}

/** Places of pictures from every class in turn. */
function spread({ count, labels, classes }: Pictures): number[] {
  const places = Array.from({ length: count }, (_, i) => i);
  if (!labels || !classes) return places.slice(0, QUERIES);
  const byClass = classes.map((_, c) => places.filter((i) => labels[i] === c));
  return places.flatMap((turn) => byClass.flatMap((members) => members.slice(turn, turn + 1))).slice(0, QUERIES);
}

async function picture(p: Pictures, index: number): Promise<ReportPicture> {
  const { data, width, height, labels, classes } = subset(p, [index]);
  return { png: dataUri(await encodePng(data, width, height)), label: labels && classes?.[labels[0]] };
}
