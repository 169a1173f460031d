import { visibleName } from '../core/visible.js';

/** The class of a picture by its name: the first folder. */
export const classOf = (name: string): string => name.slice(0, name.indexOf('/'));

/** What lies in a folder of pictures. */
interface Contents {
  folder: string;
  pictures: readonly string[];
  unread: readonly string[];
  folders: readonly string[];
  /** Where every picture that is read lies in a folder. */
  classes?: readonly string[];
}

const SPLITS = /^(train(ing)?|val(id|idation)?|test(ing)?|eval|dev)$/i;

/** What a folder of pictures holds that is not used, or not as it seems to be meant, in sentences. */
export const folderWarnings = (contents: Contents): string[] =>
  [unreadFormats, withoutPictures, splits, stray, nested].flatMap((check) => check(contents) ?? []);

/** How many names there are of each ending, the most first: 3 .heic and 1 .tiff. */
export function endings(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const ending = name.slice(name.lastIndexOf('.')).toLowerCase();
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([ending, count]) => `${count} ${ending}`)
    .join(', ');
}

/** The first few names. */
export const some = (names: readonly string[], most = 5): string =>
  `${names.slice(0, most).map(visibleOf).join(', ')}${names.length > most ? ` and ${names.length - most} more` : ''}`;

const visibleOf = (name: string): string => visibleName(name);

const unreadFormats = ({ folder, unread }: Contents): string | undefined =>
  unread.length === 0
    ? undefined
    : `${folder}: pictures must be JPEG, PNG or WebP to be read; ` +
      `left out ${endings(unread)} (${some(unread, 3)}). Convert them to be used.`;

function withoutPictures({ folder, pictures, unread, folders, classes }: Contents): string | undefined {
  const used = new Set(pictures.map(classOf));
  const lost = classes ? folders.filter((name) => !used.has(name)) : [];
  if (lost.length === 0) return undefined;
  const holds = (name: string) => endings(unread.filter((file) => classOf(file) === name)) || 'no pictures';
  const named = some(lost.map((name) => `${name} (${holds(name)})`));
  return (
    `${folder}: a class must have pictures that can be read; left out ${named}. Convert their pictures, ` +
    `or remove the folders.`
  );
}

function splits({ folder, classes = [] }: Contents): string | undefined {
  const found = classes.filter((name) => SPLITS.test(name));
  if (found.length === 0) return undefined;
  const train = found.find((name) => /^train/i.test(name)) ?? found[0];
  const others = found.filter((name) => name !== train);
  const beside = others.length > 0 ? `, and ${folder}/${others[0]} by --test` : '';
  return (
    `${folder}: its folders must be classes; got ${found.join(', ')}, which look like parts of a data set. ` +
    `Open ${folder}/${train}${beside}.`
  );
}

function stray({ folder, pictures, folders }: Contents): string | undefined {
  const beside = pictures.filter((name) => !name.includes('/'));
  if (beside.length === 0 || beside.length === pictures.length) return undefined;
  const inside = folders.filter((name) => pictures.some((file) => file.startsWith(`${name}/`)));
  return (
    `${folder}: for its folders to be classes, every picture must lie in one; ` +
    `got ${beside.length} beside ${some(inside)} ` +
    `(${some(beside, 3)}), so there are no classes. Move them into a folder or away.`
  );
}

/** Folders inside classes: of a single class they look like the classes that were meant. */
function nested({ folder, pictures, classes = [] }: Contents): string | undefined {
  const deeper = [
    ...new Set(pictures.flatMap((name) => (name.split('/').length > 2 ? [name.split('/').slice(0, 2).join('/')] : []))),
  ];
  if (classes.length === 0 || deeper.length === 0 || splits({ folder, pictures, unread: [], folders: [], classes }))
    return undefined;
  if (classes.length === 1) {
    const inside = `${folder}/${classes[0]}`;
    const names = deeper.map((name) => name.slice(classes[0].length + 1));
    return (
      `${folder}: all its pictures lie in ${classes[0]}, so they have one class; got folders inside it, ` +
      `${some(names, 3)}. If those are the classes, open ${inside}.`
    );
  }
  return (
    `${folder}: the first folder of a picture is its class; got folders inside classes too, ${some(deeper, 3)}. ` +
    `If those are classes, move them up.`
  );
}
