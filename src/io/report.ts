import { reportCharts } from './report-charts.js';
import type { ReportData } from './report-data.js';
import { reportGallery } from './report-gallery.js';
import { reportMap } from './report-map.js';
import { reportPage } from './report-page.js';
import { reportKnn, reportSettings, reportSummary } from './report-tables.js';
import { reportViews } from './report-views.js';

export type { ReportData, ReportNeighbour, ReportPicture, ReportStep } from './report-data.js';

/** The report of a run as one HTML file that needs no network and no script. Equal data give equal bytes. */
export const renderReport = (data: ReportData): string =>
  reportPage(data, [
    reportSummary(data),
    reportCharts(data),
    reportKnn(data),
    reportViews(data),
    reportGallery(data.gallery, 'Nearest neighbours', 'Left: a held-out picture. Right: the most similar training pictures, by the cosine of their features.'),
    data.map ? reportMap(data.map) : '',
    reportSettings(data),
  ]);
