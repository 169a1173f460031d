import { FormatError } from '../core/errors.js';
import { binary } from '../core/numbers.js';

/** A kind of file that is no checkpoint: how its first bytes read as Latin-1, what it is called, and what to do. */
type Kind = [begins: RegExp, what: string | ((text: string) => string), advice: string];

const AGAIN = 'Download the file again.';
const UNPACK = 'Unpack it, and name the checkpoint inside.';

const size = (text: string): string => binary(Number(/\nsize (\d+)/.exec(text)?.[1] ?? 0));

const KINDS: readonly Kind[] = [
  [/^$/, 'an empty file', AGAIN],
  [
    /^version https:\/\/git-lfs/,
    (text) => `a Git LFS pointer to a file of ${size(text)}`,
    'Get the file itself: git lfs pull.',
  ],
  [/^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|head)/i, 'a web page', 'Download the file itself, not the page about it.'],
  [/^[^]{257}ustar/, (text) => `a tar archive that begins with '${text.split('\0', 1)[0]}'`, UNPACK],
  [
    /^(sys_info|pickle|storages|tensors)\0/,
    'a tar archive of PyTorch before 0.1.10',
    'Save it again with a newer PyTorch.',
  ],
  [/^PK\x03\x04/, 'a zip archive', UNPACK],
  [/^\x1f\x8b/, 'gzip data', UNPACK],
  [/^(BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!)/, 'packed data (bzip2, xz, zstd, 7z or RAR)', UNPACK],
  [/^GGUF/, 'a GGUF file', 'Get the weights as .safetensors or .pth.'],
  [
    /^\x08[\x03-\x14][\x12\x1a\x22\x3a\x42]/,
    'an ONNX model',
    'Get the weights as .safetensors or .pth: ONNX is written, not read.',
  ],
  [/^\x93NUMPY/, 'a NumPy array', 'Save a dictionary of tensors: torch.save or safetensors.'],
  [/^\x89HDF/, 'an HDF5 file (Keras?)', 'Get the weights as .safetensors or .pth.'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF[^]{4}WEBP)/, 'a picture', 'Name a checkpoint there.'],
  [/^\x80[\x02-\x05]/, 'a pickle that torch.save did not write', 'Save its weights by torch.save or safetensors.'],
  [/^\s*[{[]/, 'JSON', 'Name the .safetensors or .pth file beside it.'],
];

/** What `bytes` are, for one who took them for a checkpoint. */
function kindOf(bytes: Uint8Array): [what: string, advice: string] {
  const text = String.fromCharCode(...bytes.subarray(0, 512));
  const kind = KINDS.find(([begins]) => begins.test(text));
  if (kind) return [typeof kind[1] === 'string' ? kind[1] : kind[1](text), kind[2]];
  if (/^[\x09-\x7e]+$/.test(text)) return [`text that begins '${text.slice(0, 40).trim()}'`, AGAIN];
  const first = Array.from(bytes.subarray(0, 8), (b) => b.toString(16).padStart(2, '0'));
  return [`a file of another kind that begins with ${first.join(' ')}`, 'Save it by torch.save or safetensors.'];
}

/** @throws FormatError always, which names a file that is not `wanted` for what it is. */
export function refuseKind(bytes: Uint8Array, name: string, wanted = "a checkpoint, safetensors or PyTorch's"): never {
  const [what, advice] = kindOf(bytes);
  throw new FormatError(`${name}: it must be ${wanted}; got ${what}. ${advice}`);
}
