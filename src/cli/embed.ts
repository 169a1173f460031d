import { join } from 'node:path';
import { buildEncoder } from '../checkpoints/encoder.js';
import { ConfigError } from '../core/errors.js';
import { bytesOfName } from '../data/file-names.node.js';
import type { PictureSource } from '../data/picture-source.js';
import { embedPictures } from '../eval/embed.js';
import type { Features } from '../eval/knn.js';
import { type Content, writeAtomic } from '../io/atomic.node.js';
import { joinBytes } from '../io/bytes.js';
import { csvLines, type EmbeddingTable, jsonParts, projectorLines } from '../io/embeddings.js';
import { npyParts } from '../io/npy.js';
import { encodePng } from '../io/png.js';
import { type StoredTensor, safetensorsParts } from '../io/safetensors.js';
import { sheet } from '../report/contact-sheet.js';
import { page } from '../report/html-page.js';
import { reportMap } from '../report/map-view.js';
import { pictureMap } from '../report/picture-map.js';
import { thumbnails } from '../report/thumbnails.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './check-flags.js';
import type { Command } from './command.js';
import { adapterFlag, commonFlags, encoderFlags, sharedFlag, streamFlags } from './flags.js';
import { loadingOf, measured, openData } from './open-data.js';
import { openDevice } from './open-device.js';
import { openEncoderOf } from './open-encoder.js';
import { Output } from './output.js';

/** Flags of the commands that put pictures to an encoder. */
export const featureFlags: readonly Flag[] = [
  sharedFlag('checkpoint'),
  sharedFlag('size', { default: "the run's; else 224, or 32 for a small stem" }),
  sharedFlag('limit'),
  ...streamFlags,
  ...encoderFlags,
  adapterFlag,
  ...commonFlags,
];

const flags: readonly Flag[] = [sharedFlag('out', { default: 'embeddings.npy' }), ...featureFlags];

const help = `dawngrad embed DATA --checkpoint RUN_OR_FILE [flags]

Writes the features of every picture, before the head: to .npy (with the name of each row in .names.txt beside it),
.safetensors (embeddings, labels, and filenames as JSON in the metadata, or in a tensor of bytes where they are more
than 10 MB) or .csv (filenames, embedding_i, labels) by the name of --out; to .html a map of the pictures
(by UMAP where umap-js is installed, else by PCA). Any other name is a folder for projector.tensorflow.org and
TensorBoard (tensors.tsv, metadata.tsv, sprite.png, projector_config.pbtxt).

Examples
  dawngrad embed photos --checkpoint runs/photos --out photos.csv
  dawngrad embed photos --checkpoint runs/photos --out map.html
  dawngrad embed photos --checkpoint moco_v2_800ep_pretrain.pth.tar --out projector

${describeFlags(flags)}`;

/** Pictures with the features that an encoder gives them. */
export interface Embedded {
  pictures: PictureSource;
  features: Features;
  /** Pixels of a view. */
  size: number;
  /** Does the same with other pictures. */
  embed(pictures: PictureSource): Promise<Features>;
}

/** `dawngrad embed`. */
export const embed: Command = { flags, help, run: runEmbed };

async function runEmbed(args: Parsed): Promise<number> {
  if (args.positional.length !== 1)
    throw new ConfigError(
      `embed: it takes one data set; got ${args.positional.length}. ` +
        `Write dawngrad embed photos --checkpoint runs/photos.`,
    );
  const output = new Output(args);
  const out = (args.flags.get('out') as string | undefined) ?? 'embeddings.npy';
  const embedded = await embedData('embed', args, args.positional[0], output);
  const files = await filesOf(out, embedded);
  for (const [file, content] of files) await writeAtomic(file, content);
  const { count, size } = embedded.features;
  const beside = files.size === 2 ? ` The name of each row: ${[...files.keys()][1]}` : '';
  output.result(`${out}: ${count} pictures, ${size} features each.${beside}`, {
    out,
    pictures: count,
    features: size,
    files: [...files.keys()],
  });
  return 0;
}

/** The pictures of `data` through the encoder of --checkpoint, on the adapter of --adapter. */
export async function embedData(command: string, args: Parsed, data: string, out: Output): Promise<Embedded> {
  const { flags: given } = args;
  const from = given.get('checkpoint') as string | undefined;
  if (from === undefined)
    throw new ConfigError(
      `${command}: an encoder is needed; got no --checkpoint. Name a run's folder or a checkpoint.`,
    );
  const encoder = await openEncoderOf(from, args, out);
  const { size } = encoder.normalisation;
  checkData(data);
  const loading = loadingOf(args, await openDevice(args));
  const choice = { views: size, limitPerClass: given.get('limit') as number | undefined };
  const pictures = measured(await openData(data, choice, loading, (text) => out.log(text)), loading, out);
  const model = buildEncoder(encoder, from);
  const embed = (p: PictureSource) => embedPictures(model, p, undefined, encoder.normalisation, loading.ahead);
  return { pictures, features: await embed(pictures), size, embed };
}

/** A line a picture, in the bytes of its file's name; ends of lines within a name are written \\n and \\r. */
const nameLines = (names: readonly string[]): Uint8Array =>
  Buffer.concat(names.map((name) => bytesOfName(`${name.replace(/\n/g, '\\n').replace(/\r/g, '\\r')}\n`)));

async function filesOf(out: string, { pictures, features }: Embedded): Promise<Map<string, Content>> {
  const { names, labels, classes } = pictures;
  const table: EmbeddingTable = {
    ...features,
    names,
    labels: labels && classes && Array.from(labels, (l) => classes[l]),
  };
  const { values, count, size } = features;
  if (out.endsWith('.npy')) {
    return new Map<string, Content>([
      [out, npyParts(values, [count, size])],
      [out.replace(/npy$/, 'names.txt'), nameLines(names)],
    ]);
  }
  if (out.endsWith('.html')) {
    const sections = [reportMap(await pictureMap(pictures, features))];
    return new Map([
      [
        out,
        page({ title: 'Pictures by their features', about: `${count} pictures, ${size} features each.`, sections }),
      ],
    ]);
  }
  if (out.endsWith('.csv')) return new Map([[out, csvLines(table)]]);
  if (out.endsWith('.safetensors')) return new Map([[out, safetensorsOf({ pictures, features })]]);
  const { small, sprite } = await spriteOf(pictures);
  return new Map<string, Content>(
    [...projectorLines(table, small), ['sprite.png', sprite] as const].map(([name, content]) => [
      join(out, name),
      content,
    ]),
  );
}

function safetensorsOf({ pictures, features }: Pick<Embedded, 'pictures' | 'features'>): Content {
  const { names, labels, classes } = pictures;
  const { values, count, size } = features;
  const tensors = new Map<string, StoredTensor>([['embeddings', { dtype: 'F32', shape: [count, size], data: values }]]);
  if (labels) tensors.set('labels', { dtype: 'U32', shape: [count], data: labels });
  const filenames = joinBytes(jsonParts(names));
  if (filenames.length > HEADER) tensors.set('filenames', { dtype: 'U8', shape: [filenames.length], data: filenames });
  const inHeader = filenames.length <= HEADER && { filenames: JSON.stringify(names) };
  return safetensorsParts(tensors, { ...inHeader, ...(classes && { classes: JSON.stringify(classes) }) });
}

/** Bytes of names that go into the header of a safetensors file; readers accept ten times as many, quotes and all. */
const HEADER = 1e7;

const [SPRITE, THUMBNAIL] = [8192, 64]; // pixels: what the projector shows at most, and what is enough

/** All pictures in one, small, and the size of each: a square of them, out of which the projector cuts. */
async function spriteOf(
  pictures: PictureSource,
): Promise<{ small: { height: number; width: number }; sprite: Uint8Array }> {
  const side = Math.max(1, Math.ceil(Math.sqrt(pictures.count)));
  const most = Math.max(1, Math.min(THUMBNAIL, Math.floor(SPRITE / side)));
  const small = await thumbnails(
    pictures,
    new Uint32Array(pictures.count).map((_, i) => i),
    most,
  );
  const all = sheet(small.data, small, side, side);
  return { small, sprite: await encodePng(all.data, all.width, all.height) };
}
