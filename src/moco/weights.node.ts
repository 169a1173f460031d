import { check, text } from '../core/check.js';
import { readBytes } from '../data/bytes.node.js';
import { decodeSafetensors } from '../io/safetensors.js';
import { decodeTorch } from '../io/torch.js';
import { torchWeights, type Weights } from './layout.js';

/** Reads a checkpoint, safetensors or PyTorch's, whichever it is by its first bytes. @throws FormatError for anything else. */
export async function readWeights(file: string): Promise<Weights> {
  check('readWeights', 'the file', file, text);
  const bytes = await readBytes(file);
  const torch = (bytes[0] === 0x50 && bytes[1] === 0x4b) || (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[2] === 0x8a);
  return torch ? torchWeights(await decodeTorch(bytes, file), file) : decodeSafetensors(bytes, file);
}
