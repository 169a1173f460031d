/** The style sheet of a report: light and dark, no fonts or pictures from elsewhere. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--edge:#dfe3e8;--text:#1b2027;--muted:#5c6672;--grid:#e9ecf0;
--t1:#2563c9;--t2:#c2620c;--t3:#15803d;--t4:#7c3aed;--t5:#be185d;--t6:#0f7f8f;--t7:#8a6a00;--t8:#64748b;
--good:#15803d;--bad:#c2271d}
@media(prefers-color-scheme:dark){:root{--page:#0f1318;--card:#181d24;--edge:#2b333d;--text:#e7eaee;
--muted:#9aa5b1;--grid:#252c35;
--t1:#6ea8fe;--t2:#f0a05a;--t3:#4cc38a;--t4:#b79cff;--t5:#f58ac0;--t6:#5fd0dd;--t7:#d9bd4f;--t8:#a3b1c2;
--good:#4cc38a;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:32px 20px 48px;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}p{margin:0 0 12px}
.muted,.none{color:var(--muted)}.card{background:var(--card);border:1px solid var(--edge);border-radius:10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:20px}
.tile{display:flex;flex-direction:column;padding:12px 16px;color:var(--muted);font-size:13px}
.tile strong{font-size:25px;font-weight:650;line-height:1.35;color:var(--text);white-space:nowrap}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:14px}
figure{margin:0}.charts figure{padding:14px 14px 10px;min-width:0}
.charts figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:2px 14px;
font-weight:600;margin-bottom:6px}
.keys{display:flex;flex-wrap:wrap;gap:0 14px;font-weight:400;font-size:13px}.key{color:var(--muted);white-space:nowrap}
.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;
vertical-align:middle;background:var(--tone)}
.tone1{--tone:var(--t1)}.tone2{--tone:var(--t2)}.tone3{--tone:var(--t3)}.tone4{--tone:var(--t4)}
.tone5{--tone:var(--t5)}.tone6{--tone:var(--t6)}.tone7{--tone:var(--t7)}.tone8{--tone:var(--t8)}
.charts figure,.wide,.map{overflow-x:auto}svg{display:block;width:100%;min-width:440px;height:auto}
svg text{fill:var(--muted);font-size:12px}
.end{text-anchor:end}.mid{text-anchor:middle}.grid{stroke:var(--grid)}
.line{fill:none;stroke:var(--tone);stroke-width:2;stroke-linejoin:round}.line.dashed{stroke-dasharray:6 5}
.area{fill:var(--tone);opacity:.18}.line.pale{stroke-width:1;opacity:.3}.dot{fill:var(--tone)}
.guide{fill:none;stroke:var(--muted);stroke-dasharray:5 4}.strip{fill:var(--text);opacity:0}.strip:hover{opacity:.08}
.gallery{padding:14px 16px;overflow-x:auto}
.row{display:flex;gap:18px;padding:8px 0}.row+.row{border-top:1px solid var(--edge)}
.near{display:flex;flex-wrap:wrap;gap:10px;padding-left:18px;border-left:1px solid var(--edge)}
.gallery figcaption{font-size:12px;line-height:1.3;margin-top:3px;max-width:72px;color:var(--muted);
overflow-wrap:anywhere}
.gallery img{display:block;width:72px;height:72px;object-fit:contain;image-rendering:pixelated;
border:3px solid var(--edge);border-radius:6px}
figure.right img{border-color:var(--good)}figure.wrong img{border-color:var(--bad)}
.views{display:flex;flex-wrap:wrap;gap:14px 22px}.views figure{display:flex;gap:3px}
.map{padding:6px}.map svg{min-width:640px}.map image{image-rendering:auto}
.map rect{fill:none;stroke-width:2}.map circle{opacity:.75}.map g:hover rect{stroke-width:4}
.label{display:block}span.right,figure.right figcaption{color:var(--good)}
span.wrong,figure.wrong figcaption{color:var(--bad)}
table{border-collapse:collapse}th{text-align:left;font-weight:400}.knn{width:100%}.knn th,.knn td{padding:8px 16px}
.knn tbody tr{border-top:1px solid var(--edge)}thead th{font-size:13px;color:var(--muted)}
th.number,.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.knn th[scope=row]{white-space:nowrap}.bar{width:65%}
.bar i{display:block;height:10px;border-radius:5px;background:var(--muted)}
tbody tr:first-child .bar i{background:var(--t3)}
.wide{overflow-x:auto}.rows{width:100%}
.rows th,.rows td{padding:6px 16px;white-space:nowrap;font-variant-numeric:tabular-nums}
.rows td,.rows thead th{text-align:right}
.rows tbody tr{border-top:1px solid var(--edge)}.rows th[scope=row]{color:var(--muted)}
pre{margin:0 0 12px;padding:12px 16px;overflow-x:auto}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.facts th,.facts td{padding:3px 18px 3px 0;vertical-align:top}
.facts th{color:var(--muted);white-space:nowrap}.facts td{overflow-wrap:anywhere}
@media(max-width:560px){body{padding:20px 12px 40px}.charts svg{min-width:0}.charts svg text{font-size:14px}
.gallery{padding:10px}.row{gap:8px}.near{gap:6px;padding-left:8px}
.gallery img{width:48px;height:48px;border-width:2px}.gallery figcaption{max-width:48px;font-size:11px}.bar{width:40%}}
details{margin-top:14px}summary{cursor:pointer;margin-bottom:8px}ul{margin:0;padding-left:20px}
`;
