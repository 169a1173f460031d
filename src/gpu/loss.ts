import { DeviceError, DeviceLostError } from '../core/errors.js';

/** Milliseconds in which a device that fails may tell that it is lost. */
const GRACE = 250;

/** Watches over a device, so that nothing waits for one that is lost, or takes what it left for values. */
export class DeviceLoss {
  /** Set once the device is lost. */
  error?: DeviceLostError;
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  readonly #lost: Promise<unknown>;

  constructor(device: GPUDevice, name: string) {
    this.#lost = device.lost.then(({ reason, message }) => {
      const why = [reason, message.trim()].filter((part) => part && part !== 'unknown').join(': ');
      this.error = new DeviceLostError(
        `device: ${name} must stay available; got it lost${why ? ` (${why})` : ''}. ` +
          'Open a device again and go on from what was saved; if that recurs, look at the driver or use less memory.',
      );
      for (const tell of this.#waiting) tell(this.error);
      this.#waiting.clear();
    });
  }

  /** @throws DeviceLostError if the device is lost. */
  check(): void {
    if (this.error) throw this.error;
  }

  /** What the device promised. @throws DeviceLostError once it is lost, DeviceError if it fails otherwise. */
  async during<T>(promised: () => Promise<T>): Promise<T> {
    this.check();
    let tell!: (error: DeviceLostError) => void;
    const lost = new Promise<never>((_, reject) => (tell = reject));
    lost.catch(() => undefined);
    this.#waiting.add(tell);
    try {
      const value = await Promise.race([promised(), lost]);
      this.check();
      return value;
    } catch (error) {
      throw await this.reasonOf(error);
    } finally {
      this.#waiting.delete(tell);
    }
  }

  /** What is to be thrown for an error of WebGPU: a loss is often reported a little later. */
  async reasonOf(error: unknown): Promise<unknown> {
    if (!this.error) await Promise.race([this.#lost, new Promise((resolve) => setTimeout(resolve, GRACE))]);
    if (this.error) return this.error;
    if (error instanceof DeviceError) return error;
    return new DeviceError(`device: WebGPU must do what it is asked; got '${(error as Error).message}'. Try again.`);
  }
}
