/** Lines over steps on a canvas, scaled to what there is, with an optional dashed guide. */
export function drawChart(canvas, lines, { guide, top, width }) {
  const ratio = devicePixelRatio || 1;
  const [w, h, left, bottom] = [canvas.clientWidth, 200, 44, 18];
  Object.assign(canvas, { width: w * ratio, height: h * ratio });
  const g = canvas.getContext('2d');
  const tone = (name) => getComputedStyle(canvas).getPropertyValue(name);
  g.scale(ratio, ratio);
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).concat(guide ?? []);
  const gap = top ? top / 4 : roundGap((Math.max(...values) - Math.min(...values)) / 4);
  const max = top ?? Math.ceil(Math.max(...values) / gap) * gap;
  const min = top ? 0 : Math.floor(Math.min(...values) / gap) * gap;
  const x = (step) => left + ((w - left - 6) * step) / width;
  const y = (v) => 6 + (h - bottom - 6) * (1 - (v - min) / (max - min || 1));
  g.font = '11px system-ui';
  g.textAlign = 'right';
  for (let i = 0; i <= Math.round((max - min) / gap); i++) {
    const v = min + gap * i;
    g.fillStyle = tone('--muted');
    g.fillText(
      top ? `${Math.round(100 * v)} %` : v.toFixed(gap < 1 ? -Math.floor(Math.log10(gap) + 1e-9) : 0),
      left - 6,
      y(v) + 4,
    );
    stroke(g, tone('--edge'), 1, [
      [left, y(v)],
      [w - 6, y(v)],
    ]);
  }
  g.fillText(`step ${width}`, w - 6, h - 3);
  if (guide !== undefined) {
    g.setLineDash([5, 4]);
    stroke(g, tone('--muted'), 1, [
      [left, y(guide)],
      [w - 6, y(guide)],
    ]);
    g.setLineDash([]);
  }
  for (const { points, tone: name } of lines) {
    const places = points.map(([step, v]) => [x(step), y(v)]);
    stroke(g, tone(name), 2, places);
    g.fillStyle = tone(name);
    if (places.length <= 20) for (const [px, py] of places) g.fillRect(px - 2.5, py - 2.5, 5, 5);
  }
}

/** The next of 1, 2, 5 or 10 times a power of ten. */
function roundGap(rough) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
}

function stroke(g, style, lineWidth, points) {
  Object.assign(g, { strokeStyle: style, lineWidth });
  g.beginPath();
  points.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
  g.stroke();
}
