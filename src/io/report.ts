import { escape } from './html.js';
import { reportCharts } from './report-charts.js';
import type { ReportData } from './report-data.js';
import { reportGallery } from './report-gallery.js';
import { REPORT_STYLE } from './report-style.js';
import { reportKnn, reportSettings, reportSummary } from './report-tables.js';

export type { ReportData, ReportNeighbour, ReportPicture, ReportStep } from './report-data.js';

/** Forbids the page every request: a report is one file and stays one. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The report of a run as one HTML file that needs no network and no script. Equal data give equal bytes. */
export function renderReport(data: ReportData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escape(data.title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header><h1>${escape(data.title)}</h1><p class="muted">dawngrad ${escape(data.version)} on ${escape(data.adapter)}, seed ${escape(data.seed)}</p></header>
<main>
${[reportSummary(data), reportCharts(data), reportKnn(data), reportGallery(data), reportSettings(data)].join('\n')}
</main>
</body>
</html>
`;
}
