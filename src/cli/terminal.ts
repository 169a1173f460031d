import { visible } from '../core/visible.js';
import { wrapText } from '../report/text-width.js';

/** Where words go. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

/**
 * Columns that a line may take: one less than a terminal has, since some wrap a line that fills it; elsewhere as many
 * as it needs.
 */
export const columnsOf = ({ isTTY, columns }: Pick<Screen, 'isTTY' | 'columns'>): number =>
  isTTY ? Math.max(2, columns || 80) - 1 : Infinity;

/**
 * Words for people, broken into lines that fit a terminal; what would act on it is spelt out, since there are names in
 * them that others chose.
 *
 * @param own what stands before them in colours of our own.
 */
export function fitted(text: string, screen: Pick<Screen, 'isTTY' | 'columns'>, own = ''): string {
  const words = own + visible(text);
  return screen.isTTY ? wrapText(words, columnsOf(screen)) : words;
}
