import { check, isRecord, listOf, maybe, text, whole } from '../core/check.js';

/** Features of pictures, with what is known of each. */
export interface EmbeddingTable {
  /** f32 [count, size], row-major. */
  values: Float32Array;
  count: number;
  size: number;
  names: readonly string[];
  /** The class of each by its name. */
  labels?: readonly string[];
}

/** Throws unless the lists of a table are as long as it says. */
function checkTable(where: string, table: EmbeddingTable): void {
  check(where, 'the table', table, { is: 'an object of values, count, size and names', holds: isRecord });
  check(where, 'the count', table.count, whole(0));
  check(where, 'the size', table.size, whole(0));
  const { values, count, size, names, labels } = table;
  check(where, 'the values', values, {
    is: `a Float32Array of ${count} · ${size}`,
    holds: (v) => v instanceof Float32Array && v.length === count * size,
  });
  check(where, 'the names', names, listOf(text, count));
  check(where, 'the labels', labels, maybe(listOf(text, count)));
}

/** A cell that no spreadsheet takes for a formula: such a text begins with an apostrophe, which spreadsheets hide. */
const cell = (text: string): string =>
  /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text;

/** A field of RFC 4180: quoted where it must be. */
function field(text: string): string {
  const safe = cell(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

const row = ({ values, size }: EmbeddingTable, i: number): Float32Array => values.subarray(i * size, (i + 1) * size);

/**
 * CSV with the columns that lightly's have: filenames, embedding_0 …, labels. A name that begins like a formula (`=`,
 * `+`, `-`, `@`) has an apostrophe before it.
 */
export const embeddingsCsv = (table: EmbeddingTable): string => [...csvLines(table)].join('');

/** The same line by line: the text of many pictures is longer than a string can be. */
export function* csvLines(table: EmbeddingTable): Generator<string> {
  checkTable('embeddingsCsv', table);
  yield `${['filenames', ...Array.from({ length: table.size }, (_, i) => `embedding_${i}`), 'labels'].join(',')}\n`;
  for (let i = 0; i < table.count; i++)
    yield `${[field(table.names[i]), ...row(table, i), field(table.labels?.[i] ?? '')].join(',')}\n`;
}

const NAMES = 65536; // to one string

/** Names as a list in JSON, in parts: the text of many is longer than a string can be. */
export function jsonParts(names: readonly string[]): Uint8Array[] {
  const parts: string[] = [];
  for (let at = 0; at < names.length; at += NAMES)
    parts.push(`${at > 0 ? ',' : ''}${JSON.stringify(names.slice(at, at + NAMES)).slice(1, -1)}`);
  return ['[', ...parts, ']'].map((part) => new TextEncoder().encode(part));
}

/** A field of a tab-separated file, which cannot quote. */
const plain = (text: string): string => cell(text).replace(/[\t\r\n]/g, ' ');

/**
 * What projector.tensorflow.org loads: the vectors, and a line on each; and for TensorBoard, which shows the folder,
 * where they are, with sprite.png of pictures of `height` by `width`.
 */
export const projectorFiles = (
  table: EmbeddingTable,
  picture: { height: number; width: number },
): Map<string, string> =>
  new Map([...projectorLines(table, picture)].map(([name, lines]) => [name, [...lines].join('')]));

/** The same line by line. */
export const projectorLines = (
  table: EmbeddingTable,
  picture: { height: number; width: number },
): Map<string, Iterable<string>> => {
  checkTable('projectorFiles', table);
  check('projectorFiles', 'the picture', picture, {
    is: 'an object of height and width',
    holds: (v) => isRecord(v) && whole(1).holds(v.height) && whole(1).holds(v.width),
  });
  const { height, width } = picture;
  return new Map<string, Iterable<string>>([
    ['tensors.tsv', vectors(table)],
    ['metadata.tsv', metadata(table)],
    ['projector_config.pbtxt', [config(height, width)]],
  ]);
};

function* vectors(table: EmbeddingTable): Generator<string> {
  for (let i = 0; i < table.count; i++) yield `${row(table, i).join('\t')}\n`;
}

function* metadata({ names, labels }: EmbeddingTable): Generator<string> {
  if (labels) yield 'name\tlabel\n'; // one column has no head
  for (let i = 0; i < names.length; i++)
    yield labels ? `${plain(names[i])}\t${plain(labels[i])}\n` : `${plain(names[i])}\n`;
}

/** tensorboard/plugins/projector/projector_config.proto as text. */
const config = (height: number, width: number): string => `embeddings {
  tensor_name: "features"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: ${width}
    single_image_dim: ${height}
  }
}
`;
