import type { DeviceError } from '../core/errors.js';
import type { AdapterChoice, ask, FoundAdapter } from './ask.js';
import { hasVulkanLoader, withSoftwareVulkan } from './software.node.js';

/** What the files that every page downloads have of this: bundlers would divide them if it were imported. */
interface Tools {
  readonly ask: typeof ask;
  readonly DeviceError: typeof DeviceError;
}

interface DawnModule {
  create(options: string[]): GPU;
  globals: object;
}

/** Dawn ends the process when the object that `create` returned is collected: it is held here. */
const instances: GPU[] = [];

/** Finds a WebGPU adapter in Node, through npm's `webgpu` (Dawn). */
export async function askDawn(tools: Tools, choice: AdapterChoice, robust: boolean): Promise<FoundAdapter | undefined> {
  const { ask } = tools;
  const dawn = await loadDawn(tools);
  if (!globalThis.GPUBufferUsage) Object.assign(globalThis, dawn.globals);
  if (hasVulkanLoader()) {
    const found =
      (await ask(instance(dawn, robust), choice)) ??
      (choice === 'software' ? await askLavapipe(tools, dawn, robust) : undefined);
    if (found) return found;
  }
  return choice === 'hardware' ? undefined : withSoftwareVulkan(() => ask(instance(dawn, robust), choice));
}

/**
 * Dawn's fallback adapters are SwiftShader and WARP alone; Mesa's is asked for by name, and Dawn rejects a name it has
 * not.
 */
const askLavapipe = ({ ask }: Tools, dawn: DawnModule, robust: boolean): Promise<FoundAdapter | undefined> =>
  ask(instance(dawn, robust, ['adapter=llvmpipe']), 'any').catch(() => undefined);

async function loadDawn({ DeviceError }: Tools): Promise<DawnModule> {
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
  instances.push(gpu);
  return gpu;
}
