import { anyNumber, atLeast0, check, isRecord, listOf, type Rule, text } from '../core/check.js';
import { reportGallery } from './gallery.js';
import { reportMap } from './map-view.js';
import { reportCharts } from './run-charts.js';
import type { ReportData } from './run-data.js';
import { reportPage } from './run-page.js';
import { reportViews } from './run-views.js';
import { reportKnn, reportSettings, reportSummary } from './tables.js';

export type { ReportStep } from '../io/step-log.js';
export type { ReportData, ReportNeighbour, ReportPicture } from './run-data.js';

/** The report of a run as one HTML file that needs no network and no script. Equal data give equal bytes. */
export function renderReport(data: ReportData): string {
  checkReport(data);
  return reportPage(data, [
    reportSummary(data),
    reportCharts(data),
    reportKnn(data),
    reportViews(data),
    reportGallery(
      data.gallery,
      'Nearest neighbours',
      'Left: a held-out picture. Right: the most similar training pictures, by the cosine of their features.',
    ),
    data.map ? reportMap(data.map) : '',
    reportSettings(data),
  ]);
}

const record: Rule = { is: 'an object', holds: isRecord };
/** What the parts of a report that have no default must be. */
const parts = {
  title: text,
  command: text,
  config: record,
  adapter: text,
  version: text,
  seed: anyNumber,
  steps: listOf(record),
  knn: listOf(record),
  baselines: record,
  chanceLoss: { is: 'a number, or NaN', holds: (v: unknown) => typeof v === 'number' } as Rule,
  queueSize: atLeast0,
  gallery: listOf(record),
  notes: listOf(text),
  elapsedSeconds: atLeast0,
};

function checkReport(data: ReportData): void {
  check('renderReport', 'the data', data, record);
  for (const [key, rule] of Object.entries(parts)) check('renderReport', key, data[key as keyof ReportData], rule);
}
