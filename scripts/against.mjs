/**
 * `npm run bench -- --against COMMIT [cases] [--rounds=3]`: cases of this tree beside those of an older commit, in turns,
 * each in a process of its own. Cases are matched by name; a ratio above 1 says that this tree is faster.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './setup.mjs';

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Prints the table. `bundleBench` bundles the bench of a tree into a file. */
export async function against(commit, args, bundleBench) {
  const rounds = Number(args.find((a) => a.startsWith('--rounds='))?.slice(9) ?? 3);
  const cases = args.filter((a) => !a.startsWith('--rounds='));
  const tree = join(mkdtempSync(join(tmpdir(), 'dawngrad-against-')), 'tree');
  await run(['git', 'worktree', 'add', '--quiet', '--detach', tree, commit], { cwd: root });
  try {
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    const sides = {
      old: await bundleBench(tree, 'dawngrad-bench-old'),
      now: await bundleBench(root, 'dawngrad-bench'),
    };
    const times = new Map();
    for (let round = 0; round < rounds; round++)
      for (const side of round % 2 ? ['now', 'old'] : ['old', 'now'])
        for (const { op, label, ms } of await rowsOf(sides[side], cases)) {
          const name = `${op}, ${label}`;
          const row = times.get(name) ?? { old: [], now: [] };
          row[side].push(ms);
          times.set(name, row);
        }
    print(commit, rounds, times);
  } finally {
    await run(['git', 'worktree', 'remove', '--force', tree], { cwd: root });
    rmSync(join(tree, '..'), { recursive: true, force: true });
  }
}

/** The rows that one process measures. */
function rowsOf(bundle, cases) {
  const child = spawn(process.execPath, [bundle, ...cases, '--no-peers', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part));
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', () => {
      try {
        resolve(JSON.parse(text).rows);
      } catch {
        reject(new Error(`bench: ${bundle} printed no report`));
      }
    }),
  );
}

function print(commit, rounds, times) {
  const both = [...times].filter(([, { old, now }]) => old.length && now.length);
  const rows = both.map(([name, { old, now }]) => ({ name, old: median(old), now: median(now), spread: spread(old) }));
  console.log(`Median of ${rounds} processes each, in turns; spread: slowest by fastest of ${commit}.\n`);
  console.log(`| case | ${commit}, ms | now, ms | old / now | spread |\n|---|--:|--:|--:|--:|`);
  for (const { name, old, now, spread } of rows)
    console.log(
      `| ${name} | ${old.toPrecision(3)} | ${now.toPrecision(3)} | ${(old / now).toFixed(2)} | ${spread.toFixed(2)} |`,
    );
  const mean = Math.exp(rows.reduce((sum, { old, now }) => sum + Math.log(old / now), 0) / rows.length);
  const only = [...times].filter(([, { old, now }]) => !old.length || !now.length).map(([name]) => name);
  console.log(
    `\nGeometric mean of ${rows.length} cases: ${mean.toFixed(3)}. On one side only: ${only.join('; ') || 'none'}.`,
  );
}

const spread = (values) => Math.max(...values) / Math.min(...values);
