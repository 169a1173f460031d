import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { device } from '../src/backend/device.js';
import type { GpuBackend } from '../src/backend/gpu.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { tidy } from '../src/tensor/tidy.js';
import type { Loose, Work } from './record.js';

/** A library as the bench drives it. */
export interface Library {
  readonly name: 'dawngrad' | 'tfjs' | 'jax';
  readonly version: string;
  readonly device: GPUDevice;
  /** What a case's function is called with. */
  readonly api?: Loose;
  /** Computes once; results are freed as early as the library can. */
  run(work: Work<Loose>): void;
  /** Hands everything to the device. */
  submit(): Promise<void>;
  /** Waits for the device. */
  done(): Promise<void>;
  /** Computes once and reads. */
  values(work: Work<Loose>): Promise<Float32Array[]>;
}

/** Promises that are settled by now have been seen to when this resolves. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function openOurs(version: string): Promise<Library & { backend: GpuBackend }> {
  const backend = (await device()) as GpuBackend;
  const gpu = backend.gpu.device;
  return {
    name: 'dawngrad',
    version,
    device: gpu,
    backend,
    run: (work) => tidy(() => void work()),
    submit: async () => {
      backend.flush();
      await turn();
    },
    done: async () => void (await gpu.queue.onSubmittedWorkDone()),
    values: async (work) => Promise.all(tidy(() => work().map((t: Tensor) => t.data() as Promise<Float32Array>))),
  };
}

/** The peers that are installed in bench/peers and start on this adapter; why not, for the others. */
export async function openPeers(folder: string): Promise<{ peers: Library[]; failed: Record<string, string> }> {
  const require = createRequire(join(folder, 'package.json'));
  const peers: Library[] = [];
  const failed: Record<string, string> = {};
  for (const [name, open] of Object.entries({ tfjs: openTfjs, jax: openJax }))
    await open(require).then(
      (p) => peers.push(p),
      (e) => (failed[name] = String(e.message ?? e).split('\n')[0]),
    );
  return { peers, failed };
}

async function openTfjs(require: NodeJS.Require): Promise<Library> {
  const bundle = './dawngrad-bench-tfjs.mjs'; // by scripts/bench.mjs, beside this bundle
  const tf = await import(bundle);
  await tf.setBackend('webgpu');
  await tf.ready();
  const backend = tf.backend();
  return {
    name: 'tfjs',
    version: require('@tensorflow/tfjs-backend-webgpu/package.json').version,
    device: backend.device,
    api: tf,
    run: (work) => tf.dispose(tf.tidy(work)),
    submit: async () => {
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await turn();
    },
    done: async () => void (await backend.device.queue.onSubmittedWorkDone()),
    values: async (work) => {
      const results = tf.tidy(work);
      const read = await Promise.all(results.map((t: Loose) => t.data()));
      tf.dispose(results);
      return read;
    },
  };
}

async function openJax(require: NodeJS.Require): Promise<Library> {
  const jax = require('@jax-js/jax');
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('its WebGPU backend does not start here');
  jax.defaultDevice('webgpu');
  let pending: Loose[] = [];
  let ready: Promise<unknown> = Promise.resolve();
  return {
    name: 'jax',
    version: JSON.parse(readFileSync(join(require.resolve('@jax-js/jax'), '../../package.json'), 'utf8')).version,
    device: jax.getWebGPUDevice(),
    api: jax,
    run: (work) => void pending.push(...work()),
    submit: async () => {
      ready = jax.blockUntilReady(pending); // it is lazy: this starts the work
      await turn();
    },
    done: async () => {
      await ready;
      for (const x of pending) x.dispose();
      pending = [];
    },
    values: (work) => Promise.all(work().map((x) => x.data())),
  };
}
