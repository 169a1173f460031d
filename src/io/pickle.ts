import { ByteReader } from './byte-reader.js';

/** What a pickle may name: a constructor that is called, or a type that is only referred to. */
export interface Global {
  readonly name: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** What is allowed in a pickle besides numbers, strings, lists, tuples and dictionaries. */
export interface Allowed {
  /** The meaning of `module.name`; undefined refuses it. */
  find(name: string): Global | undefined;
  /** The meaning of a persistent id. */
  persistent(id: unknown): unknown;
}

const MARK = Symbol('mark');

class Machine {
  readonly stack: unknown[] = [];
  readonly memo = new Map<number, unknown>();
  readonly in: ByteReader;
  readonly allowed: Allowed;

  constructor(bytes: ByteReader, allowed: Allowed) {
    this.in = bytes;
    this.allowed = allowed;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0 || this.top() === MARK) this.in.fail('an opcode finds its operands on the stack; got an empty one');
    return this.stack.pop();
  }

  top(): unknown {
    return this.stack[this.stack.length - 1];
  }

  /** Everything above the last mark, which goes too. */
  marked(): unknown[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) this.in.fail('an opcode of many operands needs a mark; got none');
    return this.stack.splice(at).slice(1);
  }

  many(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  append(items: unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) return this.in.fail('items are appended to a list; got another value');
    for (const item of items) list.push(item);
  }

  setItems(pairs: unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) return this.in.fail('a dictionary takes pairs of keys and values; got something else');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  }

  global(module: unknown, name: unknown): void {
    const full = `${String(module)}.${String(name)}`;
    this.push(this.allowed.find(full) ?? this.in.fail(`only tensors and containers are built; got ${JSON.stringify(full.slice(0, 200))}, which would run code`));
  }

  reduce(): void {
    const [callee, args] = this.many(2);
    const { call, name } = (callee ?? {}) as Partial<Global>;
    if (!call || !Array.isArray(args)) return this.in.fail(`only a constructor is called, with a tuple; got ${name ?? 'another value'}`);
    this.push(call(args));
  }

  /** Attributes of a dictionary, such as a state dict's `_metadata`, are passed over. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) this.in.fail('only dictionaries have attributes; got them for another value');
  }

  recall(at: number): void {
    if (!this.memo.has(at)) this.in.fail(`a value is remembered before it is recalled; got number ${at}`);
    this.push(this.memo.get(at));
  }

  memoize(at: number): void {
    if (this.stack.length === 0) this.in.fail('an opcode finds its operands on the stack; got an empty one');
    this.memo.set(at, this.top());
  }

  dict(): void {
    const pairs = this.marked();
    this.push(new Map());
    this.setItems(pairs);
  }
}

/** Protocols 2 to 5 of Python's pickle (PEP 307, 3154, 574; Lib/pickletools.py), as far as containers need them. */
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
  0x4a: (m) => m.push(m.in.i32()), // BININT
  0x4b: (m) => m.push(m.in.u8()), // BININT1
  0x4d: (m) => m.push(m.in.u16()), // BININT2
  0x8a: (m) => m.push(m.in.integer(m.in.u8())), // LONG1
  0x8b: (m) => m.push(m.in.integer(m.in.u32())), // LONG4
  0x47: (m) => m.push(m.in.f64()), // BINFLOAT
  0x58: (m) => m.push(m.in.text(m.in.u32())), // BINUNICODE
  0x8c: (m) => m.push(m.in.text(m.in.u8())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.in.text(m.in.u64())), // BINUNICODE8
  0x54: (m) => m.push(m.in.text(m.in.u32())), // BINSTRING
  0x55: (m) => m.push(m.in.text(m.in.u8())), // SHORT_BINSTRING
  0x42: (m) => m.push(m.in.take(m.in.u32()).slice()), // BINBYTES
  0x43: (m) => m.push(m.in.take(m.in.u8()).slice()), // SHORT_BINBYTES
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x85: (m) => m.push(m.many(1)), // TUPLE1
  0x86: (m) => m.push(m.many(2)), // TUPLE2
  0x87: (m) => m.push(m.many(3)), // TUPLE3
  0x74: (m) => m.push(m.marked()), // TUPLE
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x6c: (m) => m.push(m.marked()), // LIST
  0x61: (m) => m.append(m.many(1)), // APPEND
  0x65: (m) => m.append(m.marked()), // APPENDS
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x64: (m) => m.dict(), // DICT
  0x73: (m) => m.setItems(m.many(2)), // SETITEM
  0x75: (m) => m.setItems(m.marked()), // SETITEMS
  0x71: (m) => m.memoize(m.in.u8()), // BINPUT
  0x72: (m) => m.memoize(m.in.u32()), // LONG_BINPUT
  0x94: (m) => m.memoize(m.memo.size), // MEMOIZE
  0x68: (m) => m.recall(m.in.u8()), // BINGET
  0x6a: (m) => m.recall(m.in.u32()), // LONG_BINGET
  0x63: (m) => m.global(m.in.line(), m.in.line()), // GLOBAL
  0x93: (m) => m.global(...(m.many(2) as [unknown, unknown])), // STACK_GLOBAL
  0x52: (m) => m.reduce(), // REDUCE
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.push(m.allowed.persistent(m.pop())), // BINPERSID
};

const STOP = 0x2e;

/**
 * Reads one pickle from `bytes` and leaves the reader behind it. Lists and tuples become arrays, dictionaries
 * Maps, integers numbers where they fit and bigints where not. Nothing is ever executed: whatever a pickle names
 * goes through `allowed`. @throws FormatError for a damaged pickle, and for one that wants more.
 */
export function unpickle(bytes: ByteReader, allowed: Allowed): unknown {
  const machine = new Machine(bytes, allowed);
  for (;;) {
    const opcode = bytes.u8();
    if (opcode === STOP) return machine.pop();
    const run = OPCODES[opcode] ?? bytes.fail(`an opcode of pickle's protocols 2 to 5 for containers is expected; got 0x${opcode.toString(16)}`);
    run(machine);
  }
}
