import type { Backend } from '../backend/backend.js';
import { device } from '../backend/device.js';
import { GpuBackend } from '../backend/gpu.js';
import type { AdapterChoice } from '../gpu/adapter.js';
import type { Parsed } from './args.js';

/** Opens the device that --adapter asks for. */
export const openDevice = ({ flags }: Pick<Parsed, 'flags'>): Promise<Backend> =>
  device({ adapter: flags.get('adapter') as AdapterChoice | undefined });

/** On what a command computes. */
export const whereabouts = (on: Backend): string =>
  on instanceof GpuBackend && on.gpu.software
    ? `No GPU is used: computing in software on ${on.name}.`
    : `Computing on ${on.name}.`;
