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

const rows = ({ values, count, size }: EmbeddingTable): Float32Array[] => Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size));

/** A field of RFC 4180: quoted where it must be. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

/** CSV with the columns that lightly's have: filenames, embedding_0 …, labels. */
export function embeddingsCsv(table: EmbeddingTable): string {
  const head = ['filenames', ...Array.from({ length: table.size }, (_, i) => `embedding_${i}`), 'labels'];
  const lines = rows(table).map((row, i) => [field(table.names[i]), ...row, field(table.labels?.[i] ?? '')]);
  return [head, ...lines].map((line) => `${line.join(',')}\n`).join('');
}

/** A field of a tab-separated file, which cannot quote. */
const plain = (text: string): string => text.replace(/[\t\r\n]/g, ' ');

/**
 * What projector.tensorflow.org loads: the vectors, and a line on each; and for TensorBoard, which shows the folder, where
 * they are, with sprite.png of pictures of `height` by `width`.
 */
export function projectorFiles(table: EmbeddingTable, { height, width }: { height: number; width: number }): Map<string, string> {
  const { names, labels } = table;
  const metadata = labels ? ['name\tlabel', ...names.map((name, i) => `${plain(name)}\t${plain(labels[i])}`)] : names.map(plain); // one column has no head
  return new Map([
    ['tensors.tsv', rows(table).map((row) => `${row.join('\t')}\n`).join('')],
    ['metadata.tsv', metadata.map((line) => `${line}\n`).join('')],
    ['projector_config.pbtxt', config(height, width)],
  ]);
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
