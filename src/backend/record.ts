import type { DType, TypedArray } from '../core/dtype.js';
import { DeviceError } from '../core/errors.js';
import type { Gpu } from '../gpu/device.js';
import { timeDispatches } from '../gpu/profile.js';
import type { Slice } from '../gpu/recorder.js';
import { Recording } from '../gpu/recording.js';
import type { Backend, Difference, DispatchRecord, Recorded, Storage } from './backend.js';
import { GpuBackend, type GpuStorage } from './gpu.js';

/** A recording with its inputs, and the tensors' memory that it uses without owning it. */
class GpuRecorded implements Recorded {
  readonly recording: Recording;
  readonly #gpu: Gpu;
  readonly #inputs: readonly Slice[];
  readonly #outside: readonly Storage[];
  /** Where each input's values go, and those that lie side by side in one buffer, with what is written there. */
  #places: readonly Slice[] = [];
  #staged?: { to: Slice; block: Uint8Array };

  constructor(gpu: Gpu, recording: Recording, inputs: readonly Slice[]) {
    this.#gpu = gpu;
    this.recording = recording;
    this.#inputs = inputs;
    this.#outside = [
      ...new Set(recording.dispatches.flatMap((d) => d.slices.filter((s) => !recording.owns(s)))),
    ] as unknown as Storage[];
  }

  get memory(): { planned: number; live: number } {
    return this.recording.memory;
  }

  get dispatches(): number {
    return this.recording.dispatches.length;
  }

  /**
   * Not on a software adapter, where pipelines made at once took twice as long as one by one (bench/notes/replay.md).
   */
  async prepare(): Promise<void> {
    if (!this.#gpu.software) await this.recording.prepare();
  }

  build(): void {
    this.#places = this.recording.build(this.#inputs);
    const staged = this.#places.filter((place, i) => place !== this.#inputs[i]);
    const last = staged.at(-1);
    if (last)
      this.#staged = {
        to: { ...last, offset: 0, bytes: last.offset + last.bytes },
        block: new Uint8Array(last.offset + last.bytes),
      };
  }

  replay(inputs: readonly (TypedArray | Storage)[]): void {
    this.load(inputs);
    this.recording.replay();
  }

  async profile(inputs: readonly (TypedArray | Storage)[]): Promise<DispatchRecord[]> {
    this.load(inputs);
    this.#gpu.recorder.flush();
    const spans = await timeDispatches(this.#gpu, this.recording);
    return this.recording.dispatches.map(({ op, kernel, slices, flops = 0, groups }, i) => ({
      op,
      kernel: kernel.name,
      ...spans[i],
      bytes: slices.reduce((sum, s) => sum + s.bytes, 0),
      flops,
      groups,
    }));
  }

  /** Writes the inputs, and checks that what else the recording reads is still there. */
  load(inputs: readonly (TypedArray | Storage)[]): void {
    if (this.#outside.some((s) => s.freed || s.parent?.freed))
      throw new DeviceError(
        'compile: a tensor that the function used when it was recorded is gone. Keep it with state(), ' +
          'or pass it as an argument.',
      );
    const { recorder } = this.#gpu;
    inputs.forEach((from, i) => {
      if (!ArrayBuffer.isView(from)) return;
      const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
      if (this.#places[i] === this.#inputs[i]) recorder.write(this.#inputs[i], bytes);
      else this.#staged!.block.set(bytes, this.#places[i].offset);
    });
    if (this.#staged) recorder.write(this.#staged.to, this.#staged.block);
    inputs.forEach((from, i) => ArrayBuffer.isView(from) || recorder.copy(from as unknown as Slice, this.#places[i]));
  }

  difference(other: Recorded): Difference | undefined {
    return this.recording.difference((other as GpuRecorded).recording);
  }

  release(): void {
    this.recording.release();
  }
}

/** Whether there is something to gain by recording on a backend. */
export const canRecord = (on: Backend): on is GpuBackend => on instanceof GpuBackend;

/**
 * From now on, `on` writes down what it is asked to do with inputs of these types and lengths, without doing it, until
 * the recording ends with the results it returns, or is cancelled. A function of its own, so that pages which compile
 * nothing do without it.
 */
export function startRecording(on: GpuBackend, specs: readonly { dtype: DType; length: number }[]) {
  const { gpu } = on;
  const { to, made } = (on.recording = { to: new Recording(gpu.recorder, gpu.pool), made: [] as GpuStorage[] });
  const inputs = specs.map(({ dtype, length }) => on.alloc(dtype, length) as GpuStorage);
  return {
    inputs: inputs as readonly Storage[],
    end(results: readonly Storage[]): GpuRecorded {
      on.recording = undefined;
      to.results = results as readonly GpuStorage[];
      for (const { freed, pooled } of made) if (!freed) Object.assign(pooled, { fixed: true, owned: true });
      for (const { pooled } of inputs) Object.assign(pooled, { owned: false });
      return new GpuRecorded(gpu, to, inputs);
    },
    cancel(): void {
      on.recording = undefined;
      for (const s of made) s.freed = true; // it has no memory and never will
    },
  };
}
