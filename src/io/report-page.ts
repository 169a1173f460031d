import { escape } from './html.js';
import type { ReportData } from './report-data.js';
import { REPORT_STYLE } from './report-style.js';

/** Forbids the page every request: a report is one file and stays one. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** A page of the given sections, with a heading that says what made it. */
export function reportPage({ title, version, adapter, seed }: Pick<ReportData, 'title' | 'version' | 'adapter' | 'seed'>, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escape(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header><h1>${escape(title)}</h1><p class="muted">dawngrad ${escape(version)} on ${escape(adapter)}, seed ${escape(seed)}</p></header>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`;
}
