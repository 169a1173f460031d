import { escapeHtml } from './html.js';

/** A table in a card: the first column names the rows, the others hold numbers. */
export function reportGrid(
  title: string,
  note: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = ([first, ...rest]: readonly string[]) =>
    `<th scope="row">${escapeHtml(first)}</th>${rest.map((v) => `<td class="number">${escapeHtml(v)}</td>`).join('')}`;
  const heads = head.map((h, i) => `<th scope="col"${i > 0 ? ' class="number"' : ''}>${escapeHtml(h)}</th>`);
  return (
    `<section><h2>${escapeHtml(title)}</h2><p class="muted">${escapeHtml(note)}</p><div class="card wide"><table ` +
    `class="knn"><thead><tr>${heads.join('')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div></section>`
  );
}
