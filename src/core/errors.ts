import { visible } from './visible.js';

/**
 * Expected errors. Each message reads `where: rule; got values. What to do.`
 * and each class carries the exit code the command line ends with.
 */
export class DawngradError extends Error {
  readonly exitCode: number = 1;
  /**
   * Of an error in a model: the module it has come out of so far, the names from there to the layer, and what was
   * thrown.
   */
  origin?: { module: object; path: string; message: string };
  constructor(message: string) {
    super(visible(message)); // names of files, classes and tensors are in it
    this.name = new.target.name;
  }
}

/** Shapes, axes or sizes that do not fit together. */
export class ShapeError extends DawngradError {
  override readonly exitCode = 2;
}

/** A tensor of the wrong element type. */
export class DTypeError extends DawngradError {
  override readonly exitCode = 2;
}

/** An option, flag or combination of settings that cannot work. */
export class ConfigError extends DawngradError {
  override readonly exitCode = 2;
}

/** No adapter, a lost device, or a tensor whose memory is gone. */
export class DeviceError extends DawngradError {
  override readonly exitCode = 3;
}

/** A device that was lost: another may be opened, and work go on from what was saved. */
export class DeviceLostError extends DeviceError {}

/** A data set, picture or checkpoint that is missing, cut short or not what it claims to be. */
export class FormatError extends DawngradError {
  override readonly exitCode = 4;
}

/** Training whose loss, gradients or parameters are not finite any more. */
export class DivergedError extends DawngradError {
  override readonly exitCode = 5;
}
