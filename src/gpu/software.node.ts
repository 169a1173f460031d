/** dlopen's RTLD_NOW, RTLD_GLOBAL and RTLD_NODELETE on Linux. */
const NOW_GLOBAL_NODELETE = 0x2 | 0x100 | 0x1000;

/** Whether the system has Vulkan's loader, found out before one of ours is opened. */
let found: boolean | undefined;

/** False on a Linux without Vulkan's loader, where asking Dawn would only make it complain. True elsewhere. */
export function hasVulkanLoader(): boolean {
  return (found ??= process.platform !== 'linux' || opens('libvulkan.so.1'));
}

/**
 * Calls `ask` while SwiftShader, the software Vulkan driver that npm's `@sparticuz/chromium` ships, is
 * what Dawn finds in this process. Resolves to undefined where there is none. A driver that the user
 * has chosen by VK_ICD_FILENAMES or VK_DRIVER_FILES stays chosen; only a missing loader is added.
 *
 * Dawn asks the system for `libvulkan.so.1`; a library of that name that is already loaded
 * answers, so opening the shipped loader by its path is enough and nothing has to be
 * set before Node starts.
 */
export async function withSoftwareVulkan<T>(ask: () => Promise<T>): Promise<T | undefined> {
  const chosen = Boolean(process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES);
  if (chosen && hasVulkanLoader()) return undefined; // it has been asked already
  const folder = await softwareVulkan();
  if (!folder || (!hasVulkanLoader() && !opens(`${folder}/libvulkan.so.1`, NOW_GLOBAL_NODELETE))) return undefined;
  if (chosen) return ask();
  process.env.VK_ICD_FILENAMES = `${folder}/vk_swiftshader_icd.json`;
  try {
    return await ask();
  } finally {
    delete process.env.VK_ICD_FILENAMES;
  }
}

/** Opens a shared library that is no Node module: Node says so, but only after it is loaded. */
function opens(library: string, flags?: number): boolean {
  try {
    if (flags === undefined) process.dlopen({ exports: {} }, library);
    else process.dlopen({ exports: {} }, library, flags);
  } catch (e) {
    return /self-register/.test(String(e));
  }
  return true;
}

/**
 * The folder SwiftShader and its loader are unpacked in, once an installation; undefined without `@sparticuz/chromium`.
 */
export async function softwareVulkan(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const { fs, module, os, path } = await builtins();
  let archive: string;
  try {
    archive = path.join(
      path.dirname(module.createRequire(import.meta.url).resolve('@sparticuz/chromium')),
      '../../bin/swiftshader.tar.br',
    );
  } catch {
    return undefined;
  }
  if (!fs.existsSync(archive)) return undefined;
  const modules = path.join(path.dirname(archive), '../../..');
  for (const base of [path.join(modules, '.cache'), os.tmpdir()]) {
    const folder = path.join(base, 'dawngrad-swiftshader');
    try {
      if (!fs.existsSync(folder)) await unpack(archive, folder);
      return folder;
    } catch {}
  }
  return undefined;
}

/** Unpacks next to `folder` and renames, so that two processes starting together never see half of it. */
async function unpack(archive: string, folder: string): Promise<void> {
  const { fs, path, zlib } = await builtins();
  const tar = zlib.brotliDecompressSync(fs.readFileSync(archive));
  const draft = `${folder}-${process.pid}`;
  fs.mkdirSync(draft, { recursive: true });
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const name = field(0, 100);
    const size = parseInt(field(124, 12), 8) || 0;
    if (/^(libvulkan|libvk_swiftshader|vk_swiftshader)/.test(name))
      fs.writeFileSync(path.join(draft, name), tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  try {
    fs.renameSync(draft, folder);
  } catch (e) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw e;
  }
}

/**
 * Node's own modules, named so that bundlers for browsers, which follow even dynamic imports to here, do not look for
 * them.
 */
async function builtins() {
  const load = <M>(name: string): Promise<M> =>
    import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<M>;
  const [fs, module, os, path, zlib] = await Promise.all([
    load<typeof import('node:fs')>('fs'),
    load<typeof import('node:module')>('module'),
    load<typeof import('node:os')>('os'),
    load<typeof import('node:path')>('path'),
    load<typeof import('node:zlib')>('zlib'),
  ]);
  return { fs, module, os, path, zlib };
}
