import { join } from 'node:path';
import { onnxFolder } from '../checkpoints/onnx.js';
import { ConfigError } from '../core/errors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { commonFlags, encoderFlags } from './flags.js';
import { openEncoderOf } from './open-encoder.js';
import { Output } from './output.js';

const flags: readonly Flag[] = [...encoderFlags, ...commonFlags];

const help = `dawngrad export RUN_OR_CHECKPOINT OUT

Writes the encoder, without its head, as ONNX (opset 17). OUT.onnx is the model alone; any other OUT is a
folder that transformers.js loads: pipeline('image-feature-extraction', OUT), called with { pool: true }.

Examples
  dawngrad export runs/photos encoder.onnx
  dawngrad export runs/photos models/photos

${describeFlags(flags)}`;

/** `dawngrad export`. */
export const exportEncoder: Command = { flags, help, run: runExportEncoder };

async function runExportEncoder(args: Parsed): Promise<number> {
  const output = new Output(args);
  const [from, out, ...more] = args.positional;
  if (out === undefined || more.length > 0)
    throw new ConfigError(
      `export: it takes a run or checkpoint and where to write it; ` +
        `got ${args.positional.length} names. Write dawngrad export runs/photos encoder.onnx.`,
    );
  const files = onnxFolder(await openEncoderOf(from, args, output));
  const written = out.endsWith('.onnx')
    ? new Map([[out, files.get('onnx/model.onnx')!]])
    : new Map([...files].map(([name, content]) => [join(out, name), content]));
  for (const [file, content] of written) await writeAtomic(file, content);
  output.result(`${out}: the encoder of ${from} in ONNX.`, { out, files: [...written.keys()] });
  return 0;
}
