/** Where tables measured on this machine are kept: one JSON file, adapter → class of shapes → rung. */
async function place() {
  const load = <M>(name: string): Promise<M> => import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<M>;
  const [fs, os, path] = await Promise.all([load<typeof import('node:fs')>('fs'), load<typeof import('node:os')>('os'), load<typeof import('node:path')>('path')]);
  const cache = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || path.join(os.homedir(), '.cache');
  return { fs, file: path.join(cache, 'dawngrad', 'tuning.json') };
}

async function readAll(): Promise<Record<string, Record<string, string>>> {
  const { fs, file } = await place();
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return {}; // none yet, or not readable: the shipped table and the guesses serve
  }
}

/** The table saved for an adapter, empty without one. */
export const loadTuning = async (adapter: string): Promise<Record<string, string>> => (await readAll())[adapter] ?? {};

/** Adds `table` to what is saved for an adapter. A folder that cannot be written is no error: the table holds for this process. */
export async function saveTuning(adapter: string, table: Record<string, string>): Promise<void> {
  const { fs, file } = await place();
  const all = await readAll();
  all[adapter] = { ...all[adapter], ...table };
  try {
    fs.mkdirSync(file.replace(/[^/\\]+$/, ''), { recursive: true });
    fs.writeFileSync(`${file}-${process.pid}`, JSON.stringify(all, null, 1));
    fs.renameSync(`${file}-${process.pid}`, file);
  } catch {
    return;
  }
}
