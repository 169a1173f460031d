/** A canvas showing RGB bytes, one canvas pixel a pixel. */
export function paint(rgb, height, width) {
  const canvas = Object.assign(document.createElement('canvas'), { height, width });
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}

/** The queue [K, dim]: a key a row; red where positive, blue where negative, the older the paler. */
export function paintQueue(canvas, keys, K, dim, newest) {
  Object.assign(canvas, { width: dim, height: K });
  const image = new ImageData(dim, K);
  const most = 2.5 / Math.sqrt(dim); // a key's length is 1
  for (let row = 0; row < K; row++) {
    const age = ((newest - 1 - row + K) % K) / K;
    for (let c = 0; c < dim; c++) {
      const v = keys[row * dim + c] / most;
      image.data.set(
        [v > 0 ? 230 : 40, 90, v > 0 ? 60 : 230, 255 * Math.min(1, Math.abs(v)) * (1 - 0.75 * age)],
        4 * (row * dim + c),
      );
    }
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}
