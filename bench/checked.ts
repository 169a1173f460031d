import { spawn } from 'node:child_process';
import type { Report } from './table.js';

/** What `npm run bench` reports for one case in a process of its own, with bounds checks in every library's shaders. */
export async function withChecks(name: string, full: boolean): Promise<Report> {
  const child = spawn(process.execPath, [process.argv[1], name, '--robust', '--json', ...(full ? ['--full'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  await new Promise((done) => child.on('close', done));
  try {
    return JSON.parse(said) as Report;
  } catch {
    throw new Error(`a process of its own ended without a report; it said: ${said.slice(0, 200) || 'nothing'}.`);
  }
}
