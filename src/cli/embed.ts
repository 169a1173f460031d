import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import type { PictureSource } from '../data/source.js';
import { writeAtomic } from '../io/atomic.node.js';
import { csvLines, type EmbeddingTable, projectorLines } from '../io/embeddings.js';
import { encodeNpy } from '../io/npy.js';
import { page } from '../io/page.js';
import { encodePng } from '../io/png.js';
import { reportMap } from '../io/report-map.js';
import { encodeSafetensors, type StoredTensor } from '../io/safetensors.js';
import { sheet } from '../io/sheet.js';
import { embedPictures } from '../moco/embed.js';
import { buildEncoder } from '../moco/encoder.js';
import { openEncoder } from '../moco/encoder.node.js';
import type { Features } from '../moco/knn.js';
import { pictureMap } from '../moco/picture-map.js';
import { thumbnails } from '../moco/thumbnails.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './checks.js';
import type { Command } from './command.js';
import { adapterFlag, commonFlags, headsFlag, headsOf, openDevice, Output } from './common.js';
import { loadingFlags, loadingOf, measured, openData } from './loading.js';

/** Flags of the commands that put pictures to an encoder. */
export const encoderFlags: readonly Flag[] = [
  { name: 'checkpoint', kind: 'text', help: "a run's folder, or a checkpoint (safetensors or PyTorch's)" },
  { name: 'size', kind: 'number', help: "pixels of a picture (the run's; else 224, or 32 for a small stem)" },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class' },
  ...loadingFlags,
  headsFlag,
  adapterFlag,
  ...commonFlags,
];

const flags: readonly Flag[] = [{ name: 'out', kind: 'text', help: 'where to write (embeddings.npy)' }, ...encoderFlags];

const help = `dawngrad embed DATA --checkpoint RUN_OR_FILE [flags]

Writes the features of every picture, before the head: to .npy, .safetensors or .csv (filenames, embedding_i, labels)
by the name of --out; to .html a map of the pictures (by UMAP where umap-js is installed, else by PCA). Any other name
is a folder for projector.tensorflow.org and TensorBoard (tensors.tsv, metadata.tsv, sprite.png, projector_config.pbtxt).

Examples
  dawngrad embed photos --checkpoint runs/photos --out photos.csv
  dawngrad embed photos --checkpoint runs/photos --out map.html
  dawngrad embed photos --checkpoint moco_v2_800ep_pretrain.pth.tar --out projector

${describeFlags(flags)}`;

/** Pictures with the features that an encoder gives them. */
export interface Embedded {
  pictures: PictureSource;
  features: Features;
  /** Does the same with other pictures. */
  embed(pictures: PictureSource): Promise<Features>;
}

/** `dawngrad embed`. */
export const embed: Command = { flags, help, run: runEmbed };

async function runEmbed(args: Parsed): Promise<number> {
  if (args.positional.length !== 1)
    throw new ConfigError(`embed: it takes one data set; got ${args.positional.length}. Write dawngrad embed photos --checkpoint runs/photos.`);
  const output = new Output(args);
  const out = (args.flags.get('out') as string | undefined) ?? 'embeddings.npy';
  const embedded = await embedData('embed', args, args.positional[0], output);
  const files = await filesOf(out, embedded);
  for (const [file, content] of files) await writeAtomic(file, content);
  const { count, size } = embedded.features;
  output.result(`${out}: ${count} pictures, ${size} features each.`, { out, pictures: count, features: size, files: [...files.keys()] });
  return 0;
}

/** The pictures of `data` through the encoder of --checkpoint, on the adapter of --adapter. */
export async function embedData(command: string, args: Parsed, data: string, out: Output): Promise<Embedded> {
  const { flags: given } = args;
  const from = given.get('checkpoint') as string | undefined;
  if (from === undefined) throw new ConfigError(`${command}: an encoder is needed; got no --checkpoint. Name a run's folder or a checkpoint.`);
  const encoder = await openEncoder(from, headsOf(args));
  const size = (given.get('size') as number | undefined) ?? encoder.normalisation.size;
  checkData(data);
  const loading = loadingOf(args, await openDevice(args));
  const choice = { views: size, limitPerClass: given.get('limit') as number | undefined };
  const pictures = measured(await openData(data, choice, loading, (text) => out.tell(text)), loading, out);
  const model = buildEncoder(encoder, from);
  const embed = (p: PictureSource) => embedPictures(model, p, undefined, { ...encoder.normalisation, size }, loading.ahead);
  return { pictures, features: await embed(pictures), embed };
}

type Content = Parameters<typeof writeAtomic>[1];

async function filesOf(out: string, { pictures, features }: Embedded): Promise<Map<string, Content>> {
  const { names, labels, classes } = pictures;
  const table: EmbeddingTable = { ...features, names, labels: labels && classes && Array.from(labels, (l) => classes[l]) };
  const { values, count, size } = features;
  if (out.endsWith('.npy')) return new Map([[out, encodeNpy(values, [count, size])]]);
  if (out.endsWith('.html')) {
    const sections = [reportMap(await pictureMap(pictures, features))];
    return new Map([[out, page({ title: 'Pictures by their features', about: `${count} pictures, ${size} features each.`, sections })]]);
  }
  if (out.endsWith('.csv')) return new Map([[out, csvLines(table)]]);
  if (out.endsWith('.safetensors')) {
    const tensors = new Map<string, StoredTensor>([['embeddings', { dtype: 'F32', shape: [count, size], data: values }]]);
    if (labels) tensors.set('labels', { dtype: 'U32', shape: [count], data: labels });
    return new Map([[out, encodeSafetensors(tensors, { filenames: JSON.stringify(names), ...(classes && { classes: JSON.stringify(classes) }) })]]);
  }
  const { small, sprite } = await spriteOf(pictures);
  return new Map<string, Content>([...projectorLines(table, small), ['sprite.png', sprite] as const].map(([name, content]) => [join(out, name), content]));
}

const [SPRITE, THUMBNAIL] = [8192, 64]; // pixels: what the projector shows at most, and what is enough

/** All pictures in one, small, and the size of each: a square of them, out of which the projector cuts. */
async function spriteOf(pictures: PictureSource): Promise<{ small: { height: number; width: number }; sprite: Uint8Array }> {
  const side = Math.max(1, Math.ceil(Math.sqrt(pictures.count)));
  const most = Math.max(1, Math.min(THUMBNAIL, Math.floor(SPRITE / side)));
  const small = await thumbnails(pictures, Array.from({ length: pictures.count }, (_, i) => i), most);
  const all = sheet(small.data, small, side, side);
  return { small, sprite: await encodePng(all.data, all.width, all.height) };
}
