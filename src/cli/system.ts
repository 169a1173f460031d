import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the machine is, as far as it matters for finding an adapter. */
export interface System {
  readonly platform: string;
  readonly arch: string;
  /** Of /etc/os-release: ID and ID_LIKE as words, and PRETTY_NAME. */
  readonly distribution?: { readonly ids: readonly string[]; readonly name: string };
  /** Makers of the graphics cards that Linux knows of. */
  readonly cards: readonly ('NVIDIA' | 'AMD' | 'Intel')[];
  /** NVIDIA's kernel driver runs, so what is missing is its Vulkan half. */
  readonly nvidiaDriver: boolean;
  /** Versions of the optional packages. */
  readonly packages: Readonly<Record<OptionalPackage, string | undefined>>;
}

export const optionalPackages = ['webgpu', 'sharp', '@sparticuz/chromium'] as const;
export type OptionalPackage = (typeof optionalPackages)[number];

const vendors: Record<string, System['cards'][number]> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/** Looks at this machine. */
export function inspectSystem(): System {
  return {
    platform: process.platform,
    arch: process.arch,
    distribution: distribution(read('/etc/os-release')),
    cards: cards('/sys/bus/pci/devices'),
    nvidiaDriver: existsSync('/proc/driver/nvidia/version'),
    packages: Object.fromEntries(optionalPackages.map((name) => [name, versionOf(name)])) as System['packages'],
  };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The fields of os-release (freedesktop.org's os-release(5)). */
export function distribution(text: string | undefined): System['distribution'] {
  if (text === undefined) return undefined;
  const field = (name: string) => new RegExp(`^${name}=["']?(.*?)["']?$`, 'm').exec(text)?.[1] ?? '';
  return { ids: `${field('ID')} ${field('ID_LIKE')}`.split(' ').filter(Boolean), name: field('PRETTY_NAME') };
}

/** Display controllers are PCI class 3. */
function cards(folder: string): System['cards'] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder)
    .filter((d) => read(join(folder, d, 'class'))?.startsWith('0x03'))
    .map((d) => vendors[read(join(folder, d, 'vendor'))?.trim() ?? '']);
  return [...new Set(found.filter(Boolean))];
}

/** The version of a package where this one would find it. Read from the file: some packages export no package.json. */
function versionOf(name: string): string | undefined {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const text = read(join(folder, name, 'package.json'));
    if (text !== undefined) return (JSON.parse(text) as { version: string }).version;
  }
  return undefined;
}
