import { loadPictures } from '../data/load.js';
import type { PictureSource } from '../data/source.js';
import { dataUri, encodePng } from '../io/png.js';
import type { MapData } from '../io/report-map.js';
import { thumbnail } from '../io/thumbnail.js';
import type { Features } from './knn.js';
import { mapFeatures } from './map.js';

const [MOST, SIDE] = [2000, 32]; // pictures, and pixels of a thumbnail

/** Pictures on a plane by their features, with thumbnails: at most 2000, evenly spread over the set. */
export async function pictureMap(pictures: PictureSource, { values, size }: Features): Promise<MapData> {
  const count = Math.min(MOST, pictures.count);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * pictures.count) / count));
  const { data, height, width, names, labels, classes } = await loadPictures(pictures, chosen);
  const rows = new Float32Array(count * size);
  chosen.forEach((from, to) => rows.set(values.subarray(from * size, (from + 1) * size), to * size));
  const bytes = height * width * 3;
  const thumbnails = Array.from({ length: count }, async (_, i) => {
    const small = thumbnail(data.subarray(i * bytes, (i + 1) * bytes), width, height, SIDE);
    return dataUri(await encodePng(small.data, small.width, small.height));
  });
  return { ...(await mapFeatures({ values: rows, count, size })), thumbnails: await Promise.all(thumbnails), names, labels, classes };
}
