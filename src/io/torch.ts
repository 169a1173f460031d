import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { ByteReader } from './byte-reader.js';
import { type Global, unpickle } from './pickle.js';
import { STORAGES, type TorchStorage, TorchTensor } from './torch-tensor.js';
import { readZip } from './zip.js';

/** Finds the bytes of a storage by its key. */
type Storages = (key: string, bytes: number) => Promise<Uint8Array>;

const MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * What `torch.save` wrote to a `.pth`, `.pt` or `.pth.tar` file: its dictionaries as Maps, its lists and tuples as
 * arrays, its tensors as `TorchTensor`. Both formats are read: the zip archive, and the stream of before PyTorch 1.6
 * (torch/serialization.py says what is in them). Nothing in the file is executed: a pickle that names anything
 * but tensors and containers is a FormatError, as is one that is cut or contradicts itself.
 */
export async function decodeTorch(bytes: Uint8Array, name: string): Promise<unknown> {
  check('decodeTorch', 'the bytes', bytes, instance(Uint8Array));
  check('decodeTorch', 'the name', name, text);
  return bytes[0] === 0x50 && bytes[1] === 0x4b ? fromZip(bytes, name) : fromStream(new ByteReader(bytes, name));
}

/** `archive/data.pkl`, and each storage as a file of its own, `archive/data/<key>`. */
async function fromZip(bytes: Uint8Array, name: string): Promise<unknown> {
  const files = readZip(bytes, name);
  const pickle = [...files.keys()].find((key) => /^[^/]+\/data\.pkl$/.test(key));
  if (pickle === undefined)
    throw new FormatError(
      `${name}: a PyTorch archive must hold data.pkl; ` +
        `got ${[...files.keys()].slice(0, 3).join(', ') || 'no file'}. Is it a checkpoint made by torch.save?`,
    );
  const folder = pickle.slice(0, -'data.pkl'.length);
  const order = await files.get(`${folder}byteorder`)?.read();
  if (order && new TextDecoder().decode(order) !== 'little')
    throw new FormatError(`${name}: its numbers must be little-endian; got '${new TextDecoder().decode(order.subarray(0, 20))}'. Save it again on such a machine.`);
  const reader = new ByteReader(await files.get(pickle)!.read(), `${name}: data.pkl`);
  const limits = new ByteReader(bytes, name);
  return unpickle(reader, allowed(limits, async (key) => {
    const file = files.get(`${folder}data/${key}`) ?? limits.fail(`the archive holds each storage that data.pkl names; got none called ${JSON.stringify(key)}`);
    return file.read();
  }));
}

/** Five pickles (magic number, version, system, object, keys), then the storages in the order of the keys. */
function fromStream(file: ByteReader): unknown {
  const places = new Map<string, Uint8Array>();
  const sizes = new Map<string, number>();
  const nothing = allowed(file, () => file.fail('no storage is expected'));
  if (file.bytes[0] !== 0x80 || unpickle(file, nothing) !== MAGIC)
    return file.fail("a PyTorch file must begin with a zip archive's or torch.save's magic number; got another");
  unpickle(file, nothing);
  const system = unpickle(file, nothing);
  if (system instanceof Map && system.get('little_endian') === false) file.fail('numbers must be little-endian; got big-endian ones');
  const content = unpickle(file, allowed(file, async (key) => places.get(key)!, sizes));
  const keys = unpickle(file, nothing);
  if (!Array.isArray(keys) || [...sizes.keys()].some((key) => !keys.includes(key))) return file.fail('the storages are listed by their keys; got a list that lacks some');
  for (const key of keys.map(String)) {
    const count = file.u64();
    if (!sizes.has(key)) return file.fail(`each storage belongs to a tensor; got ${JSON.stringify(key)} of none`);
    places.set(key, file.take(count * sizes.get(key)!));
  }
  return content;
}

/** The globals of a checkpoint: dictionaries, tensors, parameters and the types of storages. */
function allowed(file: ByteReader, storages: Storages, sizes?: Map<string, number>) {
  const globals = new Map<string, Global['call']>([
    ['collections.OrderedDict', ([pairs = []]) => new Map(isPairs(pairs) ? pairs : file.fail('an OrderedDict is made of pairs; got something else'))],
    ['torch._utils._rebuild_tensor', (args) => new TorchTensor(file, args)],
    ['torch._utils._rebuild_tensor_v2', (args) => new TorchTensor(file, args)],
    ['torch._utils._rebuild_parameter', ([data]) => (data instanceof TorchTensor ? data : file.fail('a parameter is made of a tensor; got something else'))],
    ['torch.Size', ([sizes]) => sizes],
    ...Object.keys(STORAGES).map((type): [string, undefined] => [`torch.${type}`, undefined]),
  ]);
  return {
    find: (name: string): Global | undefined => (globals.has(name) ? { name, call: globals.get(name) } : undefined),
    persistent: (id: unknown): TorchStorage => storage(file, id, storages, sizes),
  };
}

const isPairs = (v: unknown): v is [unknown, unknown][] => Array.isArray(v) && v.every((pair) => Array.isArray(pair) && pair.length === 2);

/** `('storage', type, key, location, length[, (view key, offset, length)])`. */
function storage(file: ByteReader, id: unknown, storages: Storages, sizes?: Map<string, number>): TorchStorage {
  const [tag, type, key, , length, part] = Array.isArray(id) ? (id as unknown[]) : [];
  const kind = STORAGES[String((type as Global | undefined)?.name).replace(/^torch\./, '')];
  if (tag !== 'storage' || !kind || typeof key !== 'string' || !Number.isSafeInteger(length) || (length as number) < 0)
    return file.fail('a storage is told by its type, key, place and length; got something else');
  const offset = Array.isArray(part) ? Number(part[1]) : 0;
  if (!Number.isSafeInteger(offset) || offset < 0) return file.fail('a view of a storage begins at one of its values; got another offset');
  sizes?.set(key, kind.bytes);
  return { kind, length: length as number, offset, bytes: () => storages(key, kind.bytes) };
}
