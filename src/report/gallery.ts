import { fixed } from '../core/numbers.js';
import { escapeHtml } from './html.js';
import type { ReportData, ReportNeighbour, ReportPicture } from './run-data.js';

/** Query pictures, each in a row with its nearest neighbours; empty without any. */
export function reportGallery(gallery: ReportData['gallery'], title: string, text: string): string {
  if (gallery.length === 0) return '';
  const rows = gallery.map(
    ({ query, neighbours }) =>
      `<div class="row"><figure ` +
      `class="query">${image(query, 'query')}<figcaption>${name(query.label ?? 'query')}</figcaption></figure>` +
      `<div class="near">${neighbours.map(neighbour).join('')}</div></div>`,
  );
  const marked = gallery.some((g) => g.neighbours.some((n) => n.correct !== undefined));
  const legend = marked ? ' <span class="right">✓ same class</span> <span class="wrong">✗ another class</span>' : '';
  return (
    `<section><h2>${escapeHtml(title)}</h2><p class="muted">${escapeHtml(text)}${legend}</p><div class="card ` +
    `gallery">${rows.join('')}</div></section>`
  );
}

function neighbour(n: ReportNeighbour, index: number): string {
  const verdict = n.correct === undefined ? '' : n.correct ? ', same class' : ', another class';
  const mark = n.correct === undefined ? '' : n.correct ? '✓ ' : '✗ ';
  const kind = n.correct === undefined ? '' : n.correct ? 'right' : 'wrong';
  const label = n.label === undefined ? '' : `<span class="label">${name(n.label)}</span>`;
  const picture = image(n, `neighbour ${index + 1}`, `, similarity ${fixed(n.similarity, 2)}${verdict}`);
  return (
    `<figure class="${kind}">${picture}` + `<figcaption>${mark}${fixed(n.similarity, 2)}${label}</figcaption></figure>`
  );
}

/** A path may break after each folder. */
const name = (label: string): string => escapeHtml(label).replace(/\//g, '/<wbr>');

/** Only pictures inside the page are shown: anything but a data address is left out. */
function image({ png, label }: ReportPicture, role: string, more = ''): string {
  const alt = escapeHtml(`${role}${label === undefined ? '' : `: ${label}`}${more}`);
  const source = png.startsWith('data:image/') ? escapeHtml(png) : 'data:,';
  return `<img src="${source}" alt="${alt}" width="64" height="64">`;
}
