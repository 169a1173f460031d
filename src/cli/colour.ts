const codes = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/**
 * Colours for what is written to `stream`: on a terminal, unless NO_COLOR (no-color.org) is set; elsewhere if
 * FORCE_COLOR is.
 */
export function colour(stream: { isTTY?: boolean }): Record<keyof typeof codes, (text: string) => string> {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const on = !NO_COLOR && (FORCE_COLOR ? FORCE_COLOR !== '0' : Boolean(stream.isTTY) && TERM !== 'dumb');
  const paint = (code: number) => (text: string) => (on ? `\x1b[${code}m${text}\x1b[0m` : text);
  return {
    bold: paint(codes.bold),
    red: paint(codes.red),
    green: paint(codes.green),
    yellow: paint(codes.yellow),
    cyan: paint(codes.cyan),
  };
}
