import { page } from './page.js';
import { reportCharts } from './report-charts.js';
import type { ReportData } from './report-data.js';
import { reportGallery } from './report-gallery.js';
import { reportMap } from './report-map.js';
import { reportKnn, reportSettings, reportSummary } from './report-tables.js';
import { reportViews } from './report-views.js';

export type { ReportData, ReportNeighbour, ReportPicture, ReportStep } from './report-data.js';

/** The report of a run as one HTML file that needs no network and no script. Equal data give equal bytes. */
export function renderReport(data: ReportData): string {
  return page({
    title: data.title,
    about: `dawngrad ${data.version} on ${data.adapter}, seed ${data.seed}`,
    sections: [
      reportSummary(data),
      reportCharts(data),
      reportKnn(data),
      reportViews(data),
      reportGallery(data.gallery, 'Nearest neighbours', 'Left: a held-out picture. Right: the most similar training pictures, by the cosine of their features.'),
      data.map ? reportMap(data.map) : '',
      reportSettings(data),
    ],
  });
}
