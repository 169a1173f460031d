import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { openEncoder } from '../moco/encoder.node.js';
import { onnxFolder } from '../moco/onnx.js';
import { describeFlags, type Flag, parseArgs } from './args.js';

const flags: readonly Flag[] = [{ name: 'help', kind: 'switch', help: 'this text' }];

const help = `dawngrad export RUN_OR_CHECKPOINT OUT

Writes the encoder, without its head, as ONNX (opset 17). OUT.onnx is the model alone; any other OUT is a
folder that transformers.js loads: pipeline('image-feature-extraction', OUT), called with { pool: true }.

Examples
  dawngrad export runs/photos encoder.onnx
  dawngrad export runs/photos models/photos

${describeFlags(flags)}`;

/** Runs `dawngrad export`. Returns the exit code. */
export async function exportEncoder(argv: readonly string[]): Promise<number> {
  const { flags: given, positional: [from, out, ...more] } = parseArgs('export', argv, flags);
  if (given.has('help')) {
    console.log(help);
    return 0;
  }
  if (out === undefined || more.length > 0) throw new ConfigError(`export: it takes a run or checkpoint and where to write it; got ${argv.length} names. Write dawngrad export runs/photos encoder.onnx.`);
  const files = onnxFolder(await openEncoder(from));
  if (out.endsWith('.onnx')) await writeAtomic(out, files.get('onnx/model.onnx')!);
  else for (const [name, content] of files) await writeAtomic(join(out, name), content);
  console.log(`${out}: the encoder of ${from} in ONNX.`);
  return 0;
}
