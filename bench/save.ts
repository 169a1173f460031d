import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { markdown, type Report } from './table.js';

/** The commit that is measured, marked if files differ from it. */
export function commitOf(root: string): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'kernels', 'bench') ? ', changed' : '')
    );
  } catch {
    return 'unknown';
  }
}

/**
 * The report that a file holds, if it is of the same day, adapter and versions: what is measured now goes on with it.
 */
export function earlier(path: string, now: Report): Report | undefined {
  if (!existsSync(`${path}.json`)) return undefined;
  const before = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Report;
  const key = ({ date, adapter, versions }: Report) => JSON.stringify([date, adapter, versions]);
  return key(before) === key(now) ? before : undefined;
}

/** One report of two: cases measured again are replaced; if all are, nothing is left of the one before. */
export function merge(before: Report, now: Report): Report {
  const again = new Set(now.rows.map((r) => `${r.op}, ${r.label}`));
  const kept = before.rows.filter((r) => !again.has(`${r.op}, ${r.label}`));
  if (kept.length === 0) return now;
  const rows = [...kept, ...now.rows];
  const lines = (key: 'leftOut' | 'failed') =>
    [...new Set([...before[key], ...now[key]])].filter((line) => ![...again].some((name) => line.startsWith(name)));
  return {
    ...now,
    rows,
    leftOut: lines('leftOut'),
    failed: lines('failed'),
    commits: [...new Set([...before.commits, ...now.commits])],
    pieces: before.pieces + 1,
    ceiling: {
      flops: Math.max(before.ceiling.flops, now.ceiling.flops),
      bytes: Math.max(before.ceiling.bytes, now.ceiling.bytes),
    },
    facts: now.facts.length ? now.facts : before.facts,
  };
}

/** Writes `path`.md and `path`.json. */
export function save(path: string, report: Report): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.md`, markdown(report));
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 1)}\n`);
}
