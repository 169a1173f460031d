import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { visibleName } from '../core/visible.js';
import { ByteReader } from './byte-reader.js';
import { refuseKind } from './file-kind.js';
import { type Allowed, type Global, Inert, unpickle } from './pickle.js';
import { isHostile } from './pickle-refused.js';
import { STORAGES, type TorchStorage, TorchTensor, WIDTHS } from './torch-tensor.js';
import { readZip, type ZipEntry } from './zip.js';

/** Finds the bytes of a storage by its key. */
type Storages = (key: string) => Promise<Uint8Array>;

/** Where storages are, what bytes an element of each has, for streams, and what tensors may still become. */
interface Found {
  bytes: Storages;
  sizes?: Map<string, number>;
  room: TorchStorage['room'];
}

const MAGIC = 0x1950a86a20f9469cfc6cn;

const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/** The stream begins with a pickle of the magic number: its lowest bytes stand within the first few. */
const isStream = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x80 && [2, 11].some((at) => bytes[at] === 0x8a && bytes[at + 2] === 0x6c && bytes[at + 3] === 0xfc);

/** Whether `bytes` begin as torch.save begins a file; other zip archives do so too. */
export const isTorch = (bytes: Uint8Array): boolean => isZip(bytes) || isStream(bytes);

/**
 * What `torch.save` wrote to a `.pth`, `.pt` or `.pth.tar` file: its dictionaries as Maps, its lists and tuples as
 * arrays, its tensors as `TorchTensor`. Both formats are read: the zip archive, and the stream of before PyTorch 1.6
 * (torch/serialization.py says what is in them). Nothing in the file is executed: whatever is neither a tensor nor a
 * container becomes `Inert`. @throws FormatError for a file that is cut, contradicts itself or is of another kind.
 */
export async function decodeTorch(bytes: Uint8Array, name: string): Promise<unknown> {
  check('decodeTorch', 'the bytes', bytes, instance(Uint8Array));
  check('decodeTorch', 'the name', name, text);
  if (isZip(bytes)) return fromZip(bytes, name);
  return isStream(bytes) ? fromStream(new ByteReader(bytes, name)) : refuseKind(bytes, name, 'a file of torch.save');
}

/** `archive/data.pkl`, and each storage as a file of its own, `archive/data/<key>`. */
async function fromZip(bytes: Uint8Array, name: string): Promise<unknown> {
  const files = readZip(bytes, name);
  const file = new ByteReader(bytes, name);
  const pickles = [...files.keys()].filter((key) => /^([^/]+\/)?data\.pkl$/.test(key));
  const pickle = pickles[0] ?? refuseArchive(files, name);
  if (pickles.length > 1) file.fail(`an archive must hold one data.pkl; got ${pickles.length}`);
  const folder = pickle.slice(0, -'data.pkl'.length);
  const order = await files.get(`${folder}byteorder`)?.read();
  checkOrder(file, !order || new TextDecoder().decode(order) === 'little');
  const reader = new ByteReader(await files.get(pickle)!.read(), `${name}: data.pkl`);
  const lacks = (key: string) =>
    file.fail(
      `the archive must hold each storage that data.pkl names; got none called ${JSON.stringify(key.slice(0, 40))}`,
    );
  // a storage is unpacked and checked once, however many tensors look into it
  const read = new Map<string, Promise<Uint8Array>>();
  const storages: Storages = (key) => {
    if (!read.has(key)) read.set(key, (files.get(`${folder}data/${key}`) ?? lacks(key)).read());
    return read.get(key)!;
  };
  const packed = [...files.values()].reduce((n, { size, deflated }) => n + (deflated ? size : 0), 0);
  return unpickle(
    reader,
    allowed(file, async (key) => storages(key), undefined, packed),
    bytes.length,
  );
}

function checkOrder(file: ByteReader, little: boolean): void {
  if (!little) file.refuse('numbers must be little-endian; got big-endian ones', 'Save it again on such a machine.');
}

/** Says what an archive without data.pkl is. */
function refuseArchive(files: Map<string, ZipEntry>, name: string): never {
  const names = [...files.keys()];
  const inside = names.find((key) => /\.(pth|pt|ckpt|safetensors|bin|tar|npz)$/.test(key));
  const [what, advice] = inside
    ? [`one that holds ${visibleName(inside)}`, 'Unpack it, and name the file inside.']
    : names.length > 0 && names.every((key) => key.endsWith('.npy'))
      ? ["NumPy's (.npz)", 'Save a dictionary of tensors: torch.save or safetensors.']
      : [
          `one of ${
            names
              .slice(0, 3)
              .map((n) => visibleName(n))
              .join(', ') || 'no file'
          }`,
          'Is it a checkpoint made by torch.save?',
        ];
  throw new FormatError(`${name}: a zip archive must be PyTorch's, with data.pkl; got ${what}. ${advice}`);
}

/** Five pickles (magic number, version, system, object, keys), then the storages in the order of the keys. */
function fromStream(file: ByteReader): unknown {
  const places = new Map<string, Uint8Array>();
  const sizes = new Map<string, number>();
  const nothing = allowed(file, () => file.fail('storages must belong to the checkpoint; got one before it'));
  if (unpickle(file, nothing) !== MAGIC)
    file.fail("a PyTorch file must begin with torch.save's magic number; got another");
  unpickle(file, nothing);
  const system = unpickle(file, nothing);
  checkOrder(file, !(system instanceof Map && system.get('little_endian') === false));
  const content = unpickle(
    file,
    allowed(file, async (key) => places.get(key)!, sizes),
  );
  const keys = unpickle(file, nothing);
  const listed = Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? new Set(keys) : new Set();
  if ([...sizes.keys()].some((key) => !listed.has(key)))
    return file.fail('the storages must be listed by their keys; got a list that lacks some');
  for (const key of listed as Set<string>) {
    const count = file.u64();
    const width =
      sizes.get(key) ?? file.fail(`each storage must belong to a tensor; got ${JSON.stringify(key)} of none`);
    places.set(key, file.take(count * width));
  }
  return content;
}

/**
 * Bytes that all tensors of a file may become together: tensors may share a storage, may repeat what lies in it, and
 * are wider in memory than in the file.
 */
const ROOM = { floor: 2 ** 20, times: 4 };

/**
 * The globals of a checkpoint: dictionaries, tensors, parameters and the types of storages.
 * @param packed bytes that deflated storages unpack to.
 */
function allowed(file: ByteReader, bytes: Storages, sizes?: Map<string, number>, packed = 0): Allowed {
  const found: Found = { bytes, sizes, room: { left: ROOM.floor + ROOM.times * (file.bytes.length + packed) } };
  const dictionary = ([pairs = []]: readonly unknown[]) =>
    new Map(isPairs(pairs) ? pairs : file.fail('an OrderedDict must be made of pairs; got something else'));
  const tensor = (args: readonly unknown[]) => new TorchTensor(file, args);
  const parameter = ([data]: readonly unknown[]) =>
    data instanceof TorchTensor ? data : file.fail('a parameter must be made of a tensor; got something else');
  const types = [...Object.keys(STORAGES), ...Object.keys(WIDTHS)].flatMap((type) => [
    `torch.${type}`,
    `torch.storage.${type}`,
  ]);
  const globals = new Map<string, Global['call']>([
    ['collections.OrderedDict', dictionary],
    ['collections.defaultdict', () => new Map()],
    ['torch._utils._rebuild_tensor', tensor],
    ['torch._utils._rebuild_tensor_v2', tensor],
    ['torch._utils._rebuild_parameter', parameter],
    ['torch._utils._rebuild_parameter_with_state', parameter],
    ['torch.nn.parameter.Parameter', parameter],
    ['torch._tensor._rebuild_from_type_v2', ([build, , args]) => rebuilt(file, build, args)],
    ['torch.Size', ([sizes]) => sizes],
    ...['torch.Tensor', ...types].map((type): [string, undefined] => [type, undefined]),
  ]);
  return {
    find: (module, name) => find(file, globals, module, name),
    persistent: (id) => persistent(file, id, found),
  };
}

/** One of the list by its module and name exactly. @throws FormatError for what only an attack names. */
function find(
  file: ByteReader,
  globals: ReadonlyMap<string, Global['call']>,
  module: string,
  name: string,
): Global | undefined {
  const full = `${module}.${name}`;
  if (isHostile(module, name))
    file.refuse(
      `a checkpoint must not name what runs programs or reaches out; got ${visibleName(full)}`,
      'Nothing was run. The file is an attack: delete it, and load it nowhere.',
    );
  return globals.has(full) && !name.includes('.') ? { name: full, call: globals.get(full) } : undefined;
}

const isPairs = (v: unknown): v is [unknown, unknown][] =>
  Array.isArray(v) && v.every((pair) => Array.isArray(pair) && pair.length === 2);

/** A tensor with attributes: how it is built, of what type, of what. */
function rebuilt(file: ByteReader, build: unknown, args: unknown): unknown {
  const { call } = (build ?? {}) as Partial<Global>;
  if (!call || !Array.isArray(args))
    return file.fail('a tensor with attributes must be built of a tensor; got something else');
  return args.find((a) => a instanceof Inert) ?? call(args);
}

/** A storage, or in streams the source code of a module, which is passed over: `('module', module, file, code)`. */
function persistent(file: ByteReader, id: unknown, found: Found): TorchStorage | Inert {
  if (Array.isArray(id) && id[0] === 'module') return id[1] instanceof Inert ? id[1] : new Inert('a module');
  return storage(file, id, found);
}

/** `('storage', type, key, location, length[, (view key, offset, length)])`. */
function storage(file: ByteReader, id: unknown, { bytes, sizes, room }: Found): TorchStorage | Inert {
  const [tag, type, key, , length, part] = Array.isArray(id) ? (id as unknown[]) : [];
  const offset = Array.isArray(part) ? part[1] : 0;
  const counts = [length, offset].every((v) => Number.isSafeInteger(v) && (v as number) >= 0);
  const name = (type as Partial<Global> | undefined)?.name;
  if (tag !== 'storage' || typeof name !== 'string' || typeof key !== 'string' || !counts)
    return file.fail('a storage must be described by its type, key, place and length; got something else');
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const read = Object.hasOwn(STORAGES, kind) && !(type instanceof Inert) ? STORAGES[kind] : undefined;
  const width = read?.bytes ?? (Object.hasOwn(WIDTHS, kind) ? WIDTHS[kind] : undefined);
  if (sizes)
    sizes.set(
      key,
      width ??
        file.refuse(`a storage must be of a type of PyTorch's; got ${name}`, 'Save it again with a newer PyTorch.'),
    );
  return read
    ? { kind: read, length: length as number, offset: offset as number, bytes: () => bytes(key), room }
    : new Inert(name);
}
