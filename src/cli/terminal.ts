import { wrapText } from '../report/text-width.js';

/** Where words go. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

/**
 * Columns that a line may take: one less than a terminal has, since some wrap a line that fills it; elsewhere as many
 * as it needs.
 */
export const columnsOf = ({ isTTY, columns }: Pick<Screen, 'isTTY' | 'columns'>): number =>
  isTTY ? Math.max(2, columns || 80) - 1 : Infinity;

/** Words for a terminal, broken into lines that fit; for anything else as they are. */
export const fitted = (text: string, screen: Pick<Screen, 'isTTY' | 'columns'>): string =>
  screen.isTTY ? wrapText(text, columnsOf(screen)) : text;
