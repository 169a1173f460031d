import type { GpuBackend } from '../../src/backend/gpu.js';
import { startRecording } from '../../src/backend/record.js';

type Recording = ReturnType<typeof startRecording>;

/** What `fn` asks of a backend, written down and not done. */
export function record(
  on: GpuBackend,
  specs: Parameters<typeof startRecording>[1],
  fn: (inputs: Recording['inputs']) => Parameters<Recording['end']>[0],
): ReturnType<Recording['end']> {
  const recording = startRecording(on, specs);
  try {
    return recording.end(fn(recording.inputs));
  } catch (error) {
    recording.cancel();
    throw error;
  }
}
