import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveFiles } from '../scripts/serve.mjs';
import { Rng } from '../src/core/rng.js';

const root = join(import.meta.dirname, '..');
const folder = 'node_modules/.cache/dawngrad-serve';
const at = (...path: string[]) => join(root, folder, ...path);
let server: Awaited<ReturnType<typeof serveFiles>>;

beforeAll(async () => {
  rmSync(at(), { recursive: true, force: true });
  mkdirSync(at('open', '.hidden'), { recursive: true });
  writeFileSync(at('open', 'index.html'), 'hello');
  writeFileSync(at('open', 'a b.json'), '{}');
  writeFileSync(at('open', '.hidden', 'x'), 'secret');
  writeFileSync(at('open', '.env'), 'secret');
  writeFileSync(at('secret'), 'secret');
  symlinkSync(at('secret'), at('open', 'link'));
  server = await serveFiles(0, [`${folder}/open`]);
});
afterAll(() => {
  server.close();
  rmSync(at(), { recursive: true, force: true });
});

/** What the server answers to bytes, once it closes the connection or is silent. */
function raw(bytes: string | Uint8Array, silence = 10_000): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('latin1').on('data', (part) => (text += part));
    socket.setTimeout(silence, () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve(text));
  });
}
const get = (path: string, { method = 'GET', host = 'localhost', more = '' } = {}) =>
  raw(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`);
const statusOf = (answer: string) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
const lives = async () => expect(await get(`/${folder}/open/`)).toContain('hello');

describe('the server of the example', () => {
  it('serves the files of its folders, with headers that keep the page to itself', async () => {
    const answer = await get(`/${folder}/open/`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nhello$/);
    expect(answer).toMatch(/content-security-policy: default-src 'self'/);
    for (const line of ['x-content-type-options: nosniff', 'cross-origin-opener-policy: same-origin'])
      expect(answer).toContain(line);
    expect(await get(`/${folder}/open/a%20b.json?x=1`)).toMatch(/application\/json[^]*\{\}$/);
    const head = await get(`/${folder}/open/`, { method: 'HEAD' });
    expect([statusOf(head), head.includes('hello')]).toEqual(['200', false]);
  });

  it.each([
    '/',
    '/package.json',
    '/.git/config',
    '/.git/HEAD',
    `/${folder}/secret`,
    `/${folder}/open`,
    `/${folder}/open/link`,
    `/${folder}/open/.env`,
    `/${folder}/open/.hidden/x`,
    `/${folder}/open/../secret`,
    `/${folder}/open/%2e%2e/secret`,
    `/${folder}/open/..%2fsecret`,
    `/${folder}/open/%2e%2e%2fsecret`,
    `/${folder}/open/..%5csecret`,
    `/${folder}/open/..\\secret`,
    `/${folder}/open/index.html%00.png`,
    `/${folder}/open/index.html/x`,
    `/${folder}/opening/`,
    '//etc/passwd',
    '/../../../../etc/passwd',
    'http://evil.example/package.json',
    '/%',
    '/%ff%fe',
    `/${'a'.repeat(5000)}`,
    `/${'a/'.repeat(3000)}`,
    '/C:/windows/win.ini',
    '*',
  ])('does not give %s', async (path) => {
    const answer = await get(path);
    expect(statusOf(answer)).toMatch(/^40[04]$/);
    expect(answer).not.toMatch(/secret|root:/);
    await lives();
  });

  it.each([
    ['another host', { host: 'evil.example' }, '421'],
    ['a host that begins as ours', { host: 'localhost.evil.example' }, '421'],
    ['no host', { host: '' }, '421'],
    ['POST', { method: 'POST' }, '405'],
    ['PUT', { method: 'PUT' }, '405'],
    ['DELETE', { method: 'DELETE' }, '405'],
    ['OPTIONS', { method: 'OPTIONS' }, '405'],
    ['a method of its own', { method: 'FETCH' }, '400'],
    ['a header that is none', { more: 'x\r\n' }, '400'],
    ['two lengths', { more: 'Content-Length: 1\r\nContent-Length: 2\r\n' }, '400'],
  ] as const)('refuses %s', async (_, options, status) => {
    expect(statusOf(await get(`/${folder}/open/`, options))).toBe(status);
    await lives();
  });

  it('outlives readers that go away, requests cut short and random bytes', async () => {
    const rng = new Rng(5, 'server');
    const whole = `GET /${folder}/open/ HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    for (let i = 0; i < 20; i++) {
      const tasks = Array.from({ length: 15 }, () => {
        const bytes = Uint8Array.from(whole.slice(0, rng.below(whole.length)), (c) => c.charCodeAt(0));
        for (let n = rng.below(4); n > 0 && bytes.length; n--) bytes[rng.below(bytes.length)] = rng.below(256);
        return raw(bytes, 20);
      });
      for (const answer of await Promise.all(tasks)) expect(answer).not.toContain('secret');
    }
    await lives();
  });

  it('has what the example needs', () => {
    expect(existsSync(join(root, 'examples/browser/index.html'))).toBe(true);
  });
});
