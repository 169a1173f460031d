import { loadPictures } from '../data/load-pictures.js';
import type { PictureSet, PictureSource } from '../data/picture-source.js';
import { pictureAt } from '../data/pictures.js';
import { type Features, nearestNeighbours } from '../eval/knn.js';
import { dataUri, encodePng } from '../io/png.js';
import type { ReportData, ReportPicture } from './run-report.js';

const QUERIES = 8;
const NEIGHBOURS = 7;

/** A held-out picture with the training pictures nearest to it, by their places. */
export interface GalleryRow {
  query: number;
  neighbours: { index: number; similarity: number }[];
}

/** Some held-out pictures, spread over the classes, with the training pictures nearest to them. */
export async function galleryRows(
  heldOut: PictureSet,
  features: { train: Features; heldOut: Features },
): Promise<GalleryRow[]> {
  const chosen = spread(heldOut);
  const { size, values } = features.heldOut;
  const queries = { count: chosen.length, size, values: new Float32Array(chosen.length * size) };
  chosen.forEach((i, row) => queries.values.set(values.subarray(i * size, (i + 1) * size), row * size));
  const near = await nearestNeighbours(queries, features.train, NEIGHBOURS);
  return chosen.map((query, row) => {
    const places = Array.from({ length: near.k }, (_, j) => row * near.k + j);
    return { query, neighbours: places.map((at) => ({ index: near.index[at], similarity: near.similarity[at] })) };
  });
}

/** The rows with their pictures. */
export function gallery(
  train: PictureSource,
  heldOut: PictureSource,
  rows: GalleryRow[],
): Promise<ReportData['gallery']> {
  return Promise.all(
    rows.map(async ({ query, neighbours }) => ({
      query: await picture(heldOut, query),
      neighbours: await Promise.all(
        neighbours.map(async ({ index, similarity }) => {
          const correct = train.labels && heldOut.labels && train.labels[index] === heldOut.labels[query];
          return { ...(await picture(train, index)), similarity, correct };
        }),
      ),
    })),
  );
}

/** Places of pictures from every class in turn. */
function spread({ count, labels, classes }: PictureSet): number[] {
  const byClass: number[][] = labels && classes ? classes.map(() => []) : [[]];
  for (let i = 0; i < count; i++) {
    const members = byClass[labels && classes ? labels[i] : 0];
    if (members.length < QUERIES) members.push(i);
  }
  const turns = Array.from({ length: QUERIES }, (_, turn) =>
    byClass.flatMap((members) => members.slice(turn, turn + 1)),
  );
  return turns.flat().slice(0, QUERIES);
}

/** A picture as the report shows it. */
export async function picture(p: PictureSource, index: number): Promise<ReportPicture> {
  const shown = await loadPictures(p, [index]);
  const { labels, classes } = shown;
  const { data, width, height } = pictureAt(shown, 0);
  return { png: dataUri(await encodePng(data, width, height)), label: labels && classes?.[labels[0]] };
}
