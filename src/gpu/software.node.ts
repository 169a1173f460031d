import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** dlopen's RTLD_NOW, RTLD_GLOBAL and RTLD_NODELETE on Linux. */
const NOW_GLOBAL_NODELETE = 0x2 | 0x100 | 0x1000;

/**
 * Makes SwiftShader, the software Vulkan driver that npm's `@sparticuz/chromium` ships,
 * visible to Dawn in this process. Returns whether it could.
 *
 * Dawn asks the system for `libvulkan.so.1`; a library of that name that is already loaded
 * answers, so opening the shipped loader by its path is enough and nothing has to be
 * set before Node starts. Node finds no module in it and says so, after it is loaded.
 */
export function provideSoftwareVulkan(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const folder = unpacked();
  if (!folder) return false;
  process.env.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json');
  try {
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), NOW_GLOBAL_NODELETE);
  } catch (e) {
    return /self-register/.test(String(e));
  }
  return true;
}

/** The folder SwiftShader is unpacked in, once for an installation. */
function unpacked(): string | undefined {
  let archive: string;
  try {
    archive = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin/swiftshader.tar.br');
  } catch {
    return undefined;
  }
  if (!existsSync(archive)) return undefined;
  const modules = join(dirname(archive), '../../..');
  for (const base of [join(modules, '.cache'), tmpdir()]) {
    const folder = join(base, 'dawngrad-swiftshader');
    try {
      if (!existsSync(folder)) unpack(archive, folder);
      return folder;
    } catch {
      continue; // a read-only installation: use the temporary folder
    }
  }
  return undefined;
}

/** Unpacks next to `folder` and renames, so that two processes starting together never see half of it. */
function unpack(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  const draft = `${folder}-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (from: number, length: number) => tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const name = field(0, 100);
    const size = parseInt(field(124, 12), 8) || 0;
    if (/^(libvulkan|libvk_swiftshader|vk_swiftshader)/.test(name)) writeFileSync(join(draft, name), tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  try {
    renameSync(draft, folder);
  } catch (e) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw e;
  }
}
