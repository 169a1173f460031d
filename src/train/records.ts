/** What one step measured. */
export interface StepRecord {
  /** Steps done since the start of the run, from 1. */
  step: number;
  epoch: number;
  loss: number;
  contrastTop1: number;
  contrastTop5: number;
  lr: number;
  m: number;
  /**
   * Part of the queue that holds real keys, and steps made since its oldest real key was; without a queue, left out.
   */
  queueFill?: number;
  keyAge?: number;
  /** Pictures a second since the step before, where somebody watches the clock. */
  picturesPerSecond?: number;
  /**
   * Milliseconds that the host took to draw the step's pictures, views and orders and that it waited for streamed
   * pictures, and those from handing the step before to the device to handing it this one: a data time near the step
   * time says that the device waits for data.
   */
  dataMs?: number;
  stepMs?: number;
  /** Norm of the gradient of the encoder's first trained layer; left out of a step that was skipped. */
  gradNorm?: number;
  /**
   * With precision f16: the loss scale of the next step, and steps skipped so far because gradients were not finite.
   */
  lossScale?: number;
  skipped?: number;
}

/** Where the time of a step went: see `StepRecord`. */
export type StepTiming = Required<Pick<StepRecord, 'dataMs' | 'stepMs'>>;

/** How features of the training pictures spread: see `featureSpread`. */
export interface SpreadRecord {
  epoch: number;
  featureSpread: number;
}

export interface KnnRecord {
  epoch: number;
  /** Accuracy on the held-out pictures, by features. */
  knn: number;
  /** The same by the outputs of the encoder's head, where the configuration asks for it. */
  knnOutputs?: number;
}

/** k-NN accuracy before training: of raw pixels, of the encoder as it was initialised, and of guessing. */
export interface BaselineRecord {
  epoch: 0;
  /** Left out of large streamed sets. */
  rawPixels?: number;
  randomEncoder: number;
  chance: number;
}

/**
 * How good an encoder is: by k-NN accuracy where that is measured, the higher the better, else by the mean loss of an
 * epoch.
 */
export interface Score {
  by: 'knn' | 'loss';
  value: number;
}

/** What an epoch came to. */
export interface EpochRecord {
  epoch: number;
  /** Means over its steps, but for those that f16 skipped; NaN where one is not finite, or none was made. */
  loss: number;
  contrastTop1: number;
  /** Accuracy on the held-out pictures, where it was measured. */
  knn?: number;
  /** The same by the outputs of the head. */
  knnOutputs?: number;
  /**
   * What decides whether this encoder is the best so far; absent where k-NN decides and was not measured, or losses do
   * not compare yet.
   */
  score?: Score;
}

/** Where a run stands: everything besides the tensors that its future depends on. */
export interface Position {
  /** Steps done. */
  step: number;
}

/** What a run tells, and how it is stopped. */
export interface PretrainHooks {
  /**
   * After each step, once its values are read. The times are apart, since all else of a record is the same in every
   * run.
   */
  onStep?(record: StepRecord, timing: StepTiming): void;
  /** After each k-NN. */
  onKnn?(record: KnnRecord): void;
  /** As often as k-NN, and without labels too. */
  onSpread?(record: SpreadRecord): void;
  /** Something that looks wrong, in a sentence. It is in `warnings` too. */
  onWarning?(text: string): void;
  /** At the end of each epoch, with what it came to; the position is safe to save. */
  onEpoch?(position: Position, epoch: EpochRecord): Promise<void> | void;
  /**
   * After each step is handed to the device and before the next is: what is read from the device now is the state at
   * this position. `reported` resolves once the step's record has been reported.
   */
  onHanded?(position: Position, reported: Promise<void>): void;
  /** Stops after the step under way. */
  signal?: AbortSignal;
}

/** How a run goes about its work; whatever it is, the outcome is the same to the bit. */
export interface PretrainOptions {
  /**
   * Steps whose streamed pictures are decoded ahead (2), besides the step under way: each takes batch · height · width
   * · 3 bytes.
   */
  ahead?: number;
}
