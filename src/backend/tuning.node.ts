import { version } from '../core/version.js';

/** Variants by class of shapes, and the version of the library that measured them: another's kernels may differ. */
interface Saved {
  version?: string;
  variants?: Record<string, string>;
}

/** Where tables measured on this machine are stored: one JSON file, by the adapter's description. */
async function place() {
  const load = <M>(name: string): Promise<M> =>
    import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<M>;
  const [fs, os, path] = await Promise.all([
    load<typeof import('node:fs')>('fs'),
    load<typeof import('node:os')>('os'),
    load<typeof import('node:path')>('path'),
  ]);
  const cache = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || path.join(os.homedir(), '.cache');
  return { fs, file: path.join(cache, 'dawngrad', 'tuning.json') };
}

async function readAll(): Promise<Record<string, Saved | undefined>> {
  const { fs, file } = await place();
  try {
    return { ...JSON.parse(fs.readFileSync(file, 'utf8')) };
  } catch {
    return {}; // none yet, or not readable: the shipped table and the heuristics serve
  }
}

/** The table that this version has saved for an adapter, empty without one. */
export const loadTuning = async (adapter: string): Promise<Record<string, string>> =>
  variantsOf((await readAll())[adapter]);

const variantsOf = (saved?: Saved): Record<string, string> => (saved?.version === version && saved.variants) || {};

/** Which version's table for an adapter is passed over, if there is one. */
export async function staleTuning(adapter: string): Promise<string | undefined> {
  const saved = (await readAll())[adapter];
  return saved && saved.version !== version ? (saved.version ?? 'of an earlier version') : undefined;
}

/**
 * Adds `variants` to what this version has saved for an adapter. A folder that cannot be written is no error: they hold
 * for this process.
 */
export async function saveTuning(adapter: string, variants: Record<string, string>): Promise<void> {
  const { fs, file } = await place();
  const all = await readAll();
  all[adapter] = { version, variants: { ...variantsOf(all[adapter]), ...variants } };
  try {
    fs.mkdirSync(file.replace(/[^/\\]+$/, ''), { recursive: true });
    fs.writeFileSync(`${file}-${process.pid}`, JSON.stringify(all, null, 1));
    fs.renameSync(`${file}-${process.pid}`, file);
  } catch {
    return;
  }
}
