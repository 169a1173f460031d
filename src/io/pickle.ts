import { binary } from '../core/numbers.js';
import type { ByteReader } from './byte-reader.js';

/** What a pickle may name: a constructor that is called, or a type that is only referred to. */
export interface Global {
  readonly name: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** Stands for a value of a class that is not built: nothing of that class is run, and nothing put into it is stored. */
export class Inert {
  readonly name: string;

  /** @param name the class, or what else is not read. */
  constructor(name: string) {
    this.name = name;
  }
}

/** What is allowed in a pickle besides numbers, strings, lists, tuples, sets and dictionaries. */
export interface Allowed {
  /** The meaning of a name in a module; what has none becomes `Inert`. */
  find(module: string, name: string): Global | undefined;
  /** The meaning of a persistent id. */
  persistent(id: unknown): unknown;
}

const MARK = Symbol('mark');

const ADVICE = 'Save the weights alone: torch.save(model.state_dict(), …).';

/** What a pickle may hold in memory: so much, and a few times what its file has. */
const FLOOR = 2 ** 26; // bytes: a state dict of some 35,000 tensors of one value each
const TIMES = 4;
/** Lists and dictionaries in each other: Python's own pickler ends at some 500. */
const DEPTH = 1000;

/** Bytes that values take, about. */
const COST = { operation: 16, item: 8, list: 48, dictionary: 200, pair: 48, text: 24, memo: 40 };

class Machine {
  readonly stack: unknown[] = [];
  readonly memo = new Map<number, unknown>();
  readonly in: ByteReader;
  readonly allowed: Allowed;
  readonly #most: number;
  #spent = 0;

  constructor(bytes: ByteReader, allowed: Allowed, fileBytes: number) {
    this.in = bytes;
    this.allowed = allowed;
    this.#most = FLOOR + TIMES * fileBytes;
  }

  /** Counts bytes, of work too, so that a short pickle cannot ask for a long time or much memory. */
  spend(bytes: number): void {
    this.#spent += bytes;
    if (this.#spent > this.#most)
      this.in.refuse(
        `the values of a pickle must take at most ${binary(FLOOR)} and ${TIMES} times its file; got more`,
        ADVICE,
      );
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0 || this.top() === MARK)
      this.in.fail('an opcode must find its operands on the stack; got an empty one');
    return this.stack.pop();
  }

  top(): unknown {
    return this.stack[this.stack.length - 1];
  }

  /** Everything above the last mark, which goes too. */
  marked(): unknown[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) this.in.fail('an opcode of many operands must find a mark; got none');
    return this.stack.splice(at).slice(1);
  }

  many(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  list(items: unknown[]): void {
    this.spend(COST.list + COST.item * items.length);
    this.push(items);
  }

  text(text: string): void {
    this.spend(COST.text + text.length);
    this.push(text);
  }

  append(items: unknown[]): void {
    this.spend(COST.item * items.length);
    const list = this.top();
    if (list instanceof Inert) return;
    if (!Array.isArray(list)) return this.in.fail('items must be appended to a list; got another value');
    for (const item of items) list.push(item);
  }

  setItems(pairs: unknown[]): void {
    this.spend((COST.pair / 2) * pairs.length);
    const dict = this.top();
    if (dict instanceof Inert) return;
    if (!(dict instanceof Map) || pairs.length % 2 !== 0)
      return this.in.fail('a dictionary must take pairs of keys and values; got something else');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  }

  addItems(items: unknown[]): void {
    this.spend(COST.pair * items.length);
    const set = this.top();
    if (set instanceof Inert) return;
    if (!(set instanceof Set)) return this.in.fail('items must be added to a set; got another value');
    for (const item of items) set.add(item);
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      return this.in.fail('a global must have a module and a name; got another value');
    this.spend(COST.list + module.length + name.length);
    this.push(this.allowed.find(module, name) ?? new Inert(`${module}.${name}`.slice(0, 200)));
  }

  /** Calls a constructor of the list. A call of anything else, or with anything else, stands for itself. */
  construct(callee: unknown, args: unknown): void {
    if (!Array.isArray(args)) return this.in.fail('a constructor must be called with a tuple; got another value');
    const items = args.reduce((n: number, a: unknown) => n + (Array.isArray(a) ? a.length : 1), 0);
    this.spend(COST.dictionary + COST.pair * items);
    const inert = args.find((a) => a instanceof Inert) as Inert | undefined;
    if (callee instanceof Inert) return this.push(inert ?? callee);
    const { call, name } = (callee ?? {}) as Partial<Global>;
    if (name === undefined) return this.in.fail('a constructor must be called; got another value');
    this.push(inert ?? (call ? call(args) : new Inert(name)));
  }

  /** Attributes, such as a state dict's `_metadata`, are passed over. */
  build(): void {
    this.pop();
    const whole = this.top();
    if (typeof whole !== 'object' || whole === null)
      this.in.fail('an object must have attributes; got them for another value');
  }

  recall(at: number): void {
    if (!this.memo.has(at)) this.in.fail(`a value must be remembered before it is recalled; got number ${at}`);
    this.push(this.memo.get(at));
  }

  memoize(at: number): void {
    const value = this.pop();
    this.spend(COST.memo);
    this.memo.set(at, value);
    this.push(value);
  }

  dict(pairs: unknown[]): void {
    this.spend(COST.dictionary);
    this.push(new Map());
    this.setItems(pairs);
  }

  set(items: unknown[]): void {
    this.spend(COST.dictionary);
    this.push(new Set());
    this.addItems(items);
  }

  bytes(length: number): void {
    this.spend(COST.list + length);
    this.push(new Uint8Array(this.in.take(length)));
  }

  /** A class by its number in a registry that the file does not have. */
  extension(code: number): never {
    return this.in.refuse(`a pickle must name its classes; got extension code ${code}`, ADVICE);
  }

  /** An integer of any width; such as are too wide for a number of 64 bytes are not read. */
  integer(width: number): void {
    if (width <= 64) return this.push(this.in.integer(width));
    this.in.take(width);
    this.push(new Inert(`an integer of ${width} bytes`));
  }
}

/** Text of protocol 0 without its quotes. */
const quoted = (text: string): string => text.replace(/^(['"])(.*)\1$/s, '$2');

/** Protocols 0 to 5 of Python's pickle (PEP 307, 3154, 574; Lib/pickletools.py), without buffers out of band. */
const OPCODES: Record<number, (m: Machine) => void> = {
  0x80: (m) => void m.in.u8(), // PROTO
  0x95: (m) => void m.in.u64(), // FRAME
  0x28: (m) => m.push(MARK), // MARK
  0x30: (m) => void m.stack.pop(), // POP
  0x31: (m) => void m.marked(), // POP_MARK
  0x32: (m) => m.push(m.top()), // DUP
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x49: (m) => m.push(Number(m.in.line())), // INT
  0x4c: (m) => m.push(Number(m.in.line().replace(/L$/, ''))), // LONG
  0x46: (m) => m.push(Number(m.in.line())), // FLOAT
  0x53: (m) => m.text(quoted(m.in.line())), // STRING
  0x56: (m) => m.text(m.in.line()), // UNICODE
  0x4a: (m) => m.push(m.in.i32()), // BININT
  0x4b: (m) => m.push(m.in.u8()), // BININT1
  0x4d: (m) => m.push(m.in.u16()), // BININT2
  0x8a: (m) => m.integer(m.in.u8()), // LONG1
  0x8b: (m) => m.integer(m.in.u32()), // LONG4
  0x47: (m) => m.push(m.in.f64()), // BINFLOAT
  0x58: (m) => m.text(m.in.text(m.in.u32())), // BINUNICODE
  0x8c: (m) => m.text(m.in.text(m.in.u8())), // SHORT_BINUNICODE
  0x8d: (m) => m.text(m.in.text(m.in.u64())), // BINUNICODE8
  0x54: (m) => m.text(m.in.text(m.in.u32())), // BINSTRING
  0x55: (m) => m.text(m.in.text(m.in.u8())), // SHORT_BINSTRING
  0x42: (m) => m.bytes(m.in.u32()), // BINBYTES
  0x43: (m) => m.bytes(m.in.u8()), // SHORT_BINBYTES
  0x8e: (m) => m.bytes(m.in.u64()), // BINBYTES8
  0x96: (m) => m.bytes(m.in.u64()), // BYTEARRAY8
  0x29: (m) => m.list([]), // EMPTY_TUPLE
  0x85: (m) => m.list(m.many(1)), // TUPLE1
  0x86: (m) => m.list(m.many(2)), // TUPLE2
  0x87: (m) => m.list(m.many(3)), // TUPLE3
  0x74: (m) => m.list(m.marked()), // TUPLE
  0x5d: (m) => m.list([]), // EMPTY_LIST
  0x6c: (m) => m.list(m.marked()), // LIST
  0x61: (m) => m.append(m.many(1)), // APPEND
  0x65: (m) => m.append(m.marked()), // APPENDS
  0x7d: (m) => m.dict([]), // EMPTY_DICT
  0x64: (m) => m.dict(m.marked()), // DICT
  0x73: (m) => m.setItems(m.many(2)), // SETITEM
  0x75: (m) => m.setItems(m.marked()), // SETITEMS
  0x8f: (m) => m.set([]), // EMPTY_SET
  0x90: (m) => m.addItems(m.marked()), // ADDITEMS
  0x91: (m) => m.set(m.marked()), // FROZENSET
  0x70: (m) => m.memoize(Number(m.in.line())), // PUT
  0x71: (m) => m.memoize(m.in.u8()), // BINPUT
  0x72: (m) => m.memoize(m.in.u32()), // LONG_BINPUT
  0x94: (m) => m.memoize(m.memo.size), // MEMOIZE
  0x67: (m) => m.recall(Number(m.in.line())), // GET
  0x68: (m) => m.recall(m.in.u8()), // BINGET
  0x6a: (m) => m.recall(m.in.u32()), // LONG_BINGET
  0x63: (m) => m.global(m.in.line(), m.in.line()), // GLOBAL
  0x93: (m) => m.global(...(m.many(2) as [unknown, unknown])), // STACK_GLOBAL
  0x82: (m) => m.extension(m.in.u8()), // EXT1
  0x83: (m) => m.extension(m.in.u16()), // EXT2
  0x84: (m) => m.extension(m.in.i32()), // EXT4
  0x52: (m) => m.construct(...(m.many(2) as [unknown, unknown])), // REDUCE
  0x81: (m) => m.construct(...(m.many(2) as [unknown, unknown])), // NEWOBJ
  0x92: (m) => m.construct(...(m.many(3) as [unknown, unknown])), // NEWOBJ_EX, without its keywords
  0x69: (m) => (m.global(m.in.line(), m.in.line()), m.construct(m.pop(), m.marked())), // INST
  0x6f: (m) => (([callee, ...args]) => m.construct(callee, args))(m.marked()), // OBJ
  0x62: (m) => m.build(), // BUILD
  0x50: (m) => m.push(m.allowed.persistent(m.in.line())), // PERSID
  0x51: (m) => m.push(m.allowed.persistent(m.pop())), // BINPERSID
};

const STOP = 0x2e;

/**
 * Reads one pickle from `bytes` and leaves the reader behind it. Lists and tuples become arrays, dictionaries
 * Maps, integers numbers where they fit and bigints where not. Nothing is ever executed: what a pickle names goes
 * through `allowed`, and what that does not know becomes `Inert`.
 * @param fileBytes of the file that the pickle is in: what it may hold goes by that.
 * @throws FormatError for a damaged pickle, and for one that asks for too much work, memory or depth.
 */
export function unpickle(bytes: ByteReader, allowed: Allowed, fileBytes = bytes.bytes.length): unknown {
  const machine = new Machine(bytes, allowed, fileBytes);
  for (;;) {
    const opcode = bytes.u8();
    if (opcode === STOP) return checkDepth(bytes, machine.pop());
    const run = OPCODES[opcode];
    if (!run) return bytes.fail(`an opcode must be one of pickle's protocols 0 to 5; got 0x${opcode.toString(16)}`);
    machine.spend(COST.operation);
    run(machine);
  }
}

/** Walks level by level, so that no reader behind this one meets more calls in each other than there may be. */
function checkDepth(bytes: ByteReader, value: unknown): unknown {
  const seen = new Set<unknown>();
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH) bytes.refuse(`the values of a pickle must lie at most ${DEPTH} in each other; got more`, ADVICE);
    level = level.flatMap((v) => {
      if (!(Array.isArray(v) || v instanceof Map || v instanceof Set) || seen.has(v)) return [];
      seen.add(v);
      return v instanceof Map ? [...v].flat() : [...(v as Iterable<unknown>)];
    });
  }
  return value;
}
