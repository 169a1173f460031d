import { ConfigError, DeviceError } from '../core/errors.js';
import { type AdapterChoice, ask, type FoundAdapter } from './ask.js';

export type { AdapterChoice };

/**
 * Finds a WebGPU adapter, in a browser or in Node through npm's `webgpu` (Dawn).
 * In Node on linux-x64 without a GPU, the software driver from npm's `@sparticuz/chromium` is used.
 *
 * @param robust keep WebGPU's bounds checks in shaders (always on in browsers); off is faster in Node.
 * @throws DeviceError when there is none, saying what to install.
 */
export async function findAdapter(choice: AdapterChoice = 'any', robust = false): Promise<FoundAdapter> {
  if (!['any', 'hardware', 'software'].includes(choice))
    throw new ConfigError(`adapter: it must be any, hardware or software; got ${choice}. Choose one of these.`);
  const inNode = globalThis.process?.versions?.node !== undefined;
  const found = globalThis.navigator?.gpu
    ? await ask(navigator.gpu, choice)
    : inNode
      ? await (await import('./adapter.node.js')).askDawn({ ask, DeviceError }, choice, robust)
      : undefined;
  if (found) return found;
  throw new DeviceError(`adapter: a WebGPU adapter must be there; got none for "${choice}". ${cure(choice)}`);
}

function cure(choice: AdapterChoice): string {
  const env = globalThis.process?.versions?.node ? process.env : undefined;
  if (!env) return 'Use a browser with WebGPU: Chrome or Edge 113, Safari 26, Firefox 141, or newer.';
  const named = env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES;
  if (named) return `Check the Vulkan driver that VK_DRIVER_FILES or VK_ICD_FILENAMES names (${named}), or unset it.`;
  return choice === 'hardware'
    ? 'Install the Vulkan driver of your GPU, or choose "any" for a software adapter.'
    : 'Install a GPU driver with Vulkan, or the software one: npm i @sparticuz/chromium (linux-x64).';
}
