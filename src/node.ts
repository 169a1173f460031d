/** What dawngrad adds in Node: data sets and runs on disk. */

export { readWeights } from './checkpoints/weights.node.js';
export { openPictures, openSource, type SourceOptions } from './data/open-pictures.node.js';
export { streamFolder } from './data/stream-folder.node.js';
export { appendLine, writeAtomic } from './io/atomic.node.js';
export { EventFile } from './io/tensorboard.node.js';
export { openEncoder } from './train/encoder.node.js';
export { openRun, startRun } from './train/open-run.node.js';
export { Run } from './train/run.node.js';
