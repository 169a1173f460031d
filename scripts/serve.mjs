/**
 * The server of the browser example: this machine alone, named folders alone, GET and HEAD alone. No request ends it.
 */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';

const root = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..'));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
};
/** Names that an attacker's page may have made to point here are refused (DNS rebinding). */
const hosts = ['127.0.0.1', 'localhost', '[::1]'];
const MOST_OPEN = 256;

/** Nothing may be loaded from, or sent to, another place; nobody may frame the page. */
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Serves folders of the repository on 127.0.0.1; port 0 takes a free one. Resolves to the address and how to end it.
 *
 * @param folders with slashes, below the repository: what lies in others is not found, whatever links say.
 * @param more headers in place of those above.
 */
export async function serveFiles(port = 0, folders = ['examples/browser', 'dist'], more = {}) {
  const answered = { ...headers, ...more };
  const server = createServer((request, response) => {
    try {
      answer(request, response, folders, answered);
    } catch {
      refuse(response, 500, answered);
    }
  });
  Object.assign(server, { maxConnections: MOST_OPEN, requestTimeout: 10_000, headersTimeout: 5_000 });
  server.on('clientError', (_, socket) =>
    socket.writable ? socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n') : socket.destroy(),
  );
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  server.on('error', () => undefined);
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

function answer(request, response, folders, answered) {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (!hosts.includes(host)) return refuse(response, 421, answered);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, { ...answered, allow: 'GET, HEAD' });
  const file = fileOf(request.url, folders);
  if (!file) return refuse(response, 404, answered);
  response.writeHead(200, {
    ...answered,
    'content-type': types[extname(file.path)] ?? 'application/octet-stream',
    'content-length': file.size,
  });
  if (request.method === 'HEAD') return response.end();
  pipeline(createReadStream(file.path), response, () => undefined); // a reader that goes away ends its own answer
}

/** The file that a URL names, if it really lies in one of the folders. */
function fileOf(url, folders) {
  let path;
  try {
    path = decodeURIComponent(/^[^?#]*/.exec(url)[0]);
  } catch {
    return undefined; // a broken escape
  }
  const parts = path.split('/').slice(1);
  const bad = (part) => part === '..' || /[\0\\:]/.test(part);
  if (!path.startsWith('/') || parts.some(bad)) return undefined;
  const named = join(root, ...parts, path.endsWith('/') ? 'index.html' : '');
  try {
    const real = realpathSync(named);
    const stat = statSync(real);
    const below = folders.map((folder) => join(root, folder)).find((folder) => real.startsWith(folder + sep));
    const hidden = below === undefined || real.slice(below.length).includes(`${sep}.`);
    return !hidden && stat.isFile() ? { path: real, size: stat.size } : undefined;
  } catch {
    return undefined; // not there, no folder, a name too long
  }
}

function refuse(response, status, answered) {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...answered, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${status}\n`);
}
