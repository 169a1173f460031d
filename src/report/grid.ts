import { escape } from './html.js';

/** A table in a card: the first column names the rows, the others hold numbers. */
export function reportGrid(title: string, note: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = ([first, ...rest]: readonly string[]) => `<th scope="row">${escape(first)}</th>${rest.map((v) => `<td class="number">${escape(v)}</td>`).join('')}`;
  return (
    `<section><h2>${escape(title)}</h2><p class="muted">${escape(note)}</p><div class="card wide"><table class="knn"><thead><tr>` +
    `${head.map((h, i) => `<th scope="col"${i > 0 ? ' class="number"' : ''}>${escape(h)}</th>`).join('')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div></section>`
  );
}
