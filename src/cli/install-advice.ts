import type { OptionalPackage, System } from './system.js';

type Card = System['cards'][number];

/** Commands that install the Vulkan driver of each maker's cards, by distribution. */
const drivers: Record<string, Record<Card, string>> = {
  ubuntu: {
    NVIDIA: 'sudo ubuntu-drivers install',
    AMD: 'sudo apt install libvulkan1 mesa-vulkan-drivers',
    Intel: 'sudo apt install libvulkan1 mesa-vulkan-drivers',
  },
  debian: {
    NVIDIA: 'sudo apt install nvidia-driver libvulkan1 (from non-free)',
    AMD: 'sudo apt install libvulkan1 mesa-vulkan-drivers',
    Intel: 'sudo apt install libvulkan1 mesa-vulkan-drivers',
  },
  fedora: {
    NVIDIA: 'sudo dnf install akmod-nvidia vulkan-loader (from RPM Fusion)',
    AMD: 'sudo dnf install vulkan-loader mesa-vulkan-drivers',
    Intel: 'sudo dnf install vulkan-loader mesa-vulkan-drivers',
  },
  arch: {
    NVIDIA: 'sudo pacman -S vulkan-icd-loader nvidia-utils',
    AMD: 'sudo pacman -S vulkan-icd-loader vulkan-radeon',
    Intel: 'sudo pacman -S vulkan-icd-loader vulkan-intel',
  },
};

const uses: Record<OptionalPackage, string> = {
  webgpu: 'WebGPU for Node; nothing runs without it',
  sharp: 'reads JPEG, PNG and WebP pictures',
  '@sparticuz/chromium': 'a software adapter for machines without a GPU',
};

/** What to install on this system, given which adapters work. */
export function advice(system: System, works: { hardware: boolean; software: boolean }): string[] {
  const { platform, arch, packages } = system;
  const lines = (['webgpu', 'sharp'] as const)
    .filter((name) => !packages[name])
    .map((name) => `npm i ${name}: ${uses[name]}.`);
  if (packages.webgpu && !works.hardware) lines.push(...(platform === 'linux' ? linux(system) : [elsewhere(platform)]));
  if (!works.hardware && !works.software) {
    if (platform === 'linux' && arch === 'x64' && !packages['@sparticuz/chromium'])
      lines.push(`npm i @sparticuz/chromium: ${uses['@sparticuz/chromium']}.`);
    else if (platform === 'linux' && packages.webgpu)
      lines.push(
        'For a software adapter: Mesa 24 or newer with lavapipe, ' +
          'in the package mesa-vulkan-drivers of most distributions.',
      );
  }
  return lines;
}

const elsewhere = (platform: string): string =>
  platform === 'darwin'
    ? 'macOS brings Metal: update to macOS 12 or newer. Virtual machines have no GPU.'
    : platform === 'win32'
      ? "Windows brings Direct3D 12: install the GPU maker's current driver. " +
        'Remote and virtual machines may have no GPU.'
      : `Dawn has no build for ${platform}: use linux, macOS or Windows.`;

function linux({ distribution, cards, nvidiaDriver }: System): string[] {
  if (distribution?.ids.includes('alpine'))
    return ['Alpine has musl, and Dawn is built for glibc: use Debian, as in the image node:22-slim.'];
  if (cards.length === 0)
    return [
      'Linux shows no graphics card here: on a computer without one this is as it should be; ' +
        'a container must be given its card.',
    ];
  const known = distribution?.ids.find((id) => id in drivers);
  return cards.map((card) => {
    if (card === 'NVIDIA' && nvidiaDriver)
      return (
        "NVIDIA's driver runs, without Vulkan. In a container, " +
        'start it with NVIDIA_DRIVER_CAPABILITIES=all and install libvulkan1 and libegl1.'
      );
    const packages = "the maker's Vulkan driver and the Vulkan loader, by your distribution's packages";
    return `For the ${card} card: ${known ? drivers[known][card] : packages}.`;
  });
}
