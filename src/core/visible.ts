/**
 * What moves a terminal's cursor, colours it, talks to it or turns the order of letters around: control characters
 * (C0 without newline and tab, DEL, C1), the marks, embeddings, overrides and isolates of bidirectional text,
 * separators of lines and paragraphs, and halves of surrogate pairs.
 */
const HIDDEN =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

const spelt = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text for people, in which characters that would act in place of being seen are spelt out as JSON spells them. */
export const visible = (text: string): string => text.replace(HIDDEN, spelt);

/** The same of a name that others chose: it stays on its line, and a long one is cut. */
export function visibleName(name: string, most = 200): string {
  const cut = name.length > most ? `${name.slice(0, most)}…` : name;
  return visible(cut).replace(/[\n\t]/g, spelt);
}
