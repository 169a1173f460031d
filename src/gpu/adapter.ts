import { ConfigError, DeviceError } from '../core/errors.js';

/** Which adapter to take: the best there is, only a real GPU, or only a software one. */
export type AdapterChoice = 'any' | 'hardware' | 'software';

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  readonly name: string;
  /** True for SwiftShader, lavapipe and their like, which compute on the CPU. */
  readonly software: boolean;
}

interface DawnModule {
  create(options: string[]): GPU;
  globals: object;
}

/** Dawn ends the process when the object that `create` returned is collected: it is kept here. */
const kept: GPU[] = [];

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
      ? await askDawn(choice, robust)
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

async function ask(gpu: GPU, choice: AdapterChoice): Promise<FoundAdapter | undefined> {
  const options =
    choice === 'software' ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' as const };
  const adapter = await gpu.requestAdapter(options);
  if (!adapter) return undefined;
  const { vendor, architecture, device, description } = adapter.info;
  const software =
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${device} ${description}`);
  if (choice === 'hardware' && software) return undefined;
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return { adapter, name, software };
}

async function askDawn(choice: AdapterChoice, robust: boolean): Promise<FoundAdapter | undefined> {
  const dawn = await loadDawn();
  if (!globalThis.GPUBufferUsage) Object.assign(globalThis, dawn.globals);
  const { hasVulkanLoader, withSoftwareVulkan } = await import('./software.node.js');
  if (hasVulkanLoader()) {
    const found =
      (await ask(instance(dawn, robust), choice)) ??
      (choice === 'software' ? await askLavapipe(dawn, robust) : undefined);
    if (found) return found;
  }
  return choice === 'hardware' ? undefined : withSoftwareVulkan(() => ask(instance(dawn, robust), choice));
}

/**
 * Dawn's fallback adapters are SwiftShader and WARP alone; Mesa's is asked for by name, and Dawn rejects a name it has
 * not.
 */
const askLavapipe = (dawn: DawnModule, robust: boolean): Promise<FoundAdapter | undefined> =>
  ask(instance(dawn, robust, ['adapter=llvmpipe']), 'any').catch(() => undefined);

async function loadDawn(): Promise<DawnModule> {
  const name = 'webgpu'; // not a literal, so that browser bundlers leave it alone
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as DawnModule;
  } catch (e) {
    throw new DeviceError(
      `adapter: Node needs the package webgpu (Dawn); got ${String((e as Error).message).split('\n')[0]}. ` +
        `Install it: npm i webgpu.`,
    );
  }
}

/** All toggles go in one list each: a second list would replace the first. */
function instance(dawn: DawnModule, robust: boolean, options: string[] = []): GPU {
  const on = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];
  if (!robust) on.push('disable_robustness', 'disable_workgroup_init');
  const gpu = dawn.create([
    `enable-dawn-features=${on.join(',')}`,
    'disable-dawn-features=timestamp_quantization',
    ...options,
  ]);
  kept.push(gpu);
  return gpu;
}
