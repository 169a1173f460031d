import type { PictureSource } from '../data/picture-source.js';
import { mapFeatures } from '../eval/feature-map.js';
import type { Features } from '../eval/knn.js';
import { dataUri, encodePng } from '../io/png.js';
import type { MapData } from './map-view.js';
import { thumbnails } from './thumbnails.js';

const [MOST, SIDE] = [2000, 32]; // pictures, and pixels of a thumbnail

/** Pictures on a plane by their features, with thumbnails: at most 2000, evenly spread over the set. */
export async function pictureMap(pictures: PictureSource, { values, size }: Features): Promise<MapData> {
  const count = Math.min(MOST, pictures.count);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * pictures.count) / count));
  const rows = new Float32Array(count * size);
  chosen.forEach((from, to) => rows.set(values.subarray(from * size, (from + 1) * size), to * size));
  const { data, width, height } = await thumbnails(pictures, chosen, SIDE);
  const bytes = height * width * 3;
  const pngs = chosen.map(async (_, i) =>
    dataUri(await encodePng(data.subarray(i * bytes, (i + 1) * bytes), width, height)),
  );
  const names = chosen.map((i) => pictures.names[i]);
  const labels = pictures.labels && Uint32Array.from(chosen, (i) => pictures.labels![i]);
  return {
    ...(await mapFeatures({ values: rows, count, size })),
    thumbnails: await Promise.all(pngs),
    names,
    labels,
    classes: pictures.classes,
  };
}
