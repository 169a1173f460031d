import { whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { fixed } from '../core/numbers.js';
import { visibleName } from '../core/visible.js';
import { openPicture } from '../data/picture.node.js';
import { nearestNeighbours } from '../eval/knn.js';
import { writeAtomic } from '../io/atomic.node.js';
import { reportGallery } from '../report/gallery.js';
import { page } from '../report/html-page.js';
import { picture } from '../report/nearest-gallery.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { embedData, featureFlags } from './embed.js';
import { ownFlags, sharedFlag } from './flags.js';
import { Output } from './output.js';

const NEAREST = 12;

const flags: readonly Flag[] = [
  ...ownFlags({
    nearest: { kind: 'number', help: 'how many to find', default: NEAREST, rule: whole(1), todo: `Use ${NEAREST}.` },
  }),
  sharedFlag('out', { help: 'where to write the page', default: 'search.html' }),
  ...featureFlags,
];

const help = `dawngrad search PICTURE DATA --checkpoint RUN_OR_FILE [flags]

Finds the pictures of DATA most similar to PICTURE, by the cosine of their features: prints similarities and names,
and writes a page that shows them.

Examples
  dawngrad search cat.jpg photos --checkpoint runs/photos

${describeFlags(flags)}`;

/** `dawngrad search`. */
export const search: Command = { flags, help, run: runSearch };

async function runSearch(args: Parsed): Promise<number> {
  const [file, data, ...more] = args.positional;
  if (data === undefined || more.length > 0)
    throw new ConfigError(
      `search: it takes a picture and where to search; ` +
        `got ${args.positional.length} names. Write dawngrad search cat.jpg photos --checkpoint runs/photos.`,
    );
  const output = new Output(args);
  await openPicture(file, 32); // one that cannot be decoded is refused before any other is opened
  const { pictures, features, size, embed } = await embedData('search', args, data, output);
  const query = await openPicture(file, size);
  const near = await nearestNeighbours(
    await embed(query),
    features,
    (args.flags.get('nearest') as number | undefined) ?? NEAREST,
  );
  const shown = async (i: number, j: number) => ({
    ...(await picture(pictures, i)),
    label: pictures.names[i],
    similarity: near.similarity[j],
  });
  const neighbours = await Promise.all(Array.from(near.index, shown));
  const out = (args.flags.get('out') as string | undefined) ?? 'search.html';
  const gallery = [{ query: { ...(await picture(query, 0)), label: query.names[0] }, neighbours }];
  const sections = [reportGallery(gallery, 'Nearest pictures', 'By the cosine of their features.')];
  const about = `The nearest of ${pictures.count} pictures of ${data}, by ${String(args.flags.get('checkpoint'))}.`;
  await writeAtomic(out, page({ title: `Like ${query.names[0]}`, about, sections }));
  const found = neighbours.map(({ label: name, similarity }) => ({ name, similarity }));
  output.result(
    [...found.map(({ name, similarity }) => `${fixed(similarity, 4)}  ${visibleName(name)}`), `Pictures: ${out}`].join(
      '\n',
    ),
    { found, out },
  );
  return 0;
}
