import type { Backend } from '../backend/backend.js';
import { device } from '../backend/device.js';
import { GpuBackend } from '../backend/gpu.js';
import { hostMemory } from '../data/folder.node.js';
import type { AdapterChoice } from '../gpu/adapter.js';
import type { Room } from '../train/needs.js';
import { survive } from '../train/survive.js';
import type { Parsed } from './args.js';
import type { Output } from './output.js';

/** Opens the device that --adapter asks for. */
export const openDevice = ({ flags }: Pick<Parsed, 'flags'>): Promise<Backend> =>
  device({ adapter: flags.get('adapter') as AdapterChoice | undefined });

/** Runs work that goes on, on a device opened again, when the device was lost: see `survive`. */
export const surviving = <T>(args: Pick<Parsed, 'flags'>, out: Output, work: () => Promise<T>, saved?: string) =>
  survive(work, { open: () => openDevice(args), say: (text) => out.warn(text), saved });

/** What there is of a device; software computes in the host's memory, of a card's nothing is known. */
export const roomOf = (on: Backend): Room => ({
  name: on.name,
  largest: on.largest,
  memory: on instanceof GpuBackend && !on.gpu.software ? undefined : hostMemory(),
});

/** On what a command computes. */
export const whereabouts = (on: Backend): string =>
  on instanceof GpuBackend && on.gpu.software
    ? `No GPU is used: computing in software on ${on.name}.`
    : `Computing on ${on.name}.`;
