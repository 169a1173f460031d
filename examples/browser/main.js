/** The page: shows what the worker reports. Training and WebGPU live in worker.js, so the page stays responsive. */
import { drawChart } from './chart.js';
import { picturesOf } from './folder.js';
import { paint, paintQueue } from './paint.js';

const $ = (id) => document.getElementById(id);
const percent = (v) => `${(100 * v).toFixed(1)} %`;
const say = (text, bad = false) => Object.assign($('status'), { textContent: text, className: bad ? 'bad' : 'muted' });

/** Settings from the address, ?epochs=2&count=400 for one. */
const settings = Object.fromEntries(
  [...new URLSearchParams(location.search)].map(([key, value]) => [key, Number(value)]),
);
const history = { loss: [], contrast: [], knn: [] };
const worker = new Worker('worker.js', { type: 'module' });
let pictures; // dropped ones; without, the worker draws some
let began;

const on = {
  ready({ adapter }) {
    say(adapter);
    $('start').disabled = false;
  },
  started({ chance, warnings, total, classes, count }) {
    Object.assign(history, { loss: [], contrast: [], knn: [], chance, total });
    $('chance').textContent = `chance ${chance.toFixed(2)}`;
    say([`${count} pictures${classes ? ` of ${classes} classes` : ''}`, ...warnings].join('. '));
    began = performance.now();
  },
  step({ record, batch }) {
    const { step, loss, contrastTop1, queueFill } = record;
    history.loss.push([step, loss]);
    history.contrast.push([step, contrastTop1]);
    $('step').textContent = `${step} / ${history.total}`;
    $('loss').textContent = loss.toFixed(3);
    $('contrast').textContent = percent(contrastTop1);
    $('rate').textContent = ((step * batch * 1000) / (performance.now() - began)).toFixed(0);
    $('fill').textContent = `${Math.round(100 * queueFill)} % filled`;
    charts();
  },
  knn({ knn, step }) {
    history.knn.push([step, knn]);
    $('knn').textContent = percent(knn);
    charts();
  },
  views({ views, size }) {
    $('views').replaceChildren(...views.map((pixels) => paint(pixels, size, size)));
  },
  queue({ keys, K, dim, newest }) {
    paintQueue($('queue'), keys, K, dim, newest);
  },
  neighbours({ rows, height, width }) {
    $('neighbours').replaceChildren(
      ...rows.map(({ query, near }) => {
        const row = Object.assign(document.createElement('div'), { className: 'row' });
        row.append(
          paint(query, height, width),
          ...near.map(({ pixels, right }) =>
            Object.assign(paint(pixels, height, width), {
              className: right === undefined ? '' : right ? 'right' : 'wrong',
            }),
          ),
        );
        return row;
      }),
    );
  },
  done({ stopped }) {
    say(stopped ? 'Stopped.' : 'Done.');
    buttons(false);
  },
  error({ message }) {
    say(message, true);
    buttons(false);
  },
};

function charts() {
  drawChart($('lossChart'), [{ points: history.loss, tone: '--t1' }], { guide: history.chance, width: history.total });
  drawChart(
    $('accuracyChart'),
    [
      { points: history.contrast, tone: '--t2' },
      { points: history.knn, tone: '--t3' },
    ],
    { top: 1, width: history.total },
  );
}

function buttons(training) {
  $('start').disabled = training;
  $('stop').disabled = !training;
}

async function use(files) {
  try {
    pictures = await picturesOf(files);
    say(
      `${pictures.count} pictures${pictures.classes ? ` in ${pictures.classes.length} classes` : ''}, ${pictures.skipped.length} skipped. Press Train.`,
    );
  } catch (e) {
    say(e.message, true);
  }
}

worker.onmessage = ({ data }) => on[data.type](data);
worker.onerror = (e) => say(`The worker failed: ${e.message}`, true);
$('start').onclick = () => {
  buttons(true);
  worker.postMessage({ type: 'start', settings, pictures });
};
$('stop').onclick = () => worker.postMessage({ type: 'stop' });
$('folder').onchange = (e) => use([...e.target.files].map((file) => ({ file, path: file.webkitRelativePath })));
addEventListener('dragover', (e) => (e.preventDefault(), document.body.classList.add('over')));
addEventListener('dragleave', () => document.body.classList.remove('over'));
addEventListener('drop', async (e) => {
  e.preventDefault();
  document.body.classList.remove('over');
  const { filesIn } = await import('./folder.js');
  use(await filesIn([...e.dataTransfer.items].map((item) => item.webkitGetAsEntry())));
});
