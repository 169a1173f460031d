/** Files under dropped entries, as { file, path }. */
export async function filesIn(entries) {
  const found = [];
  const visit = async (entry) => {
    if (entry.isFile)
      found.push({
        file: await new Promise((take, fail) => entry.file(take, fail)),
        path: entry.fullPath.replace(/^\//, ''),
      });
    else {
      const reader = entry.createReader(); // hands out a part at a time
      for (let part; (part = await new Promise((take, fail) => reader.readEntries(take, fail))).length > 0; )
        for (const e of part) await visit(e);
    }
  };
  for (const entry of entries) if (entry) await visit(entry);
  return found;
}

/** Decodes picture files to one size, cropped to a square; the last folder of a path is the class if there are several. */
export async function picturesOf(files, size = 32) {
  const canvas = new OffscreenCanvas(size, size);
  const g = canvas.getContext('2d', { willReadFrequently: true });
  const [parts, folders, names, skipped] = [[], [], [], []];
  for (const { file, path } of files.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (!/\.(jpe?g|png|webp|gif|bmp|avif)$/i.test(path)) continue;
    const bitmap = await createImageBitmap(file).catch((e) => void skipped.push({ name: path, reason: e.message }));
    if (!bitmap) continue;
    const side = Math.min(bitmap.width, bitmap.height);
    g.imageSmoothingQuality = 'high';
    g.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size);
    parts.push(g.getImageData(0, 0, size, size).data.filter((_, i) => i % 4 !== 3));
    folders.push(path.split('/').at(-2) ?? '');
    names.push(path);
  }
  if (names.length < 40)
    throw new Error(`A few dozen pictures are needed; got ${names.length}. Drop a folder of JPEG, PNG or WebP files.`);
  const data = new Uint8Array(parts.length * size * size * 3);
  parts.forEach((part, i) => data.set(part, i * part.length));
  const classes = [...new Set(folders)].sort();
  const labelled = classes.length > 1 && { classes, labels: Uint32Array.from(folders, (f) => classes.indexOf(f)) };
  return { data, count: names.length, height: size, width: size, names, skipped, ...labelled };
}
