import { escapeHtml } from './html.js';
import { REPORT_STYLE } from './style.js';

/** Forbids the page every request: a report is one file and stays one. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** An HTML file that needs no network and no script, around sections that are HTML already. */
export function page({ title, about, sections }: { title: string; about: string; sections: string[] }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><p class="muted">${escapeHtml(about)}</p></header>
<main>
${sections.filter(Boolean).join('\n')}
</main>
</body>
</html>
`;
}
