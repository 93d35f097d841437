/**
 * Python pickles as plain values, by a machine that runs nothing: what a pickle calls is handed to the caller,
 * who knows the few names that are allowed. Opcodes that make objects otherwise are refused by name.
 * Protocols 2 to 5. Format: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import { InputError } from '../errors.ts';
import { quoted } from './bytes.ts';

/** A name that a pickle refers to: a class or function, which is never looked up. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export type PickleKey = string | number | bigint;

/** `object` is what the caller made. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleGlobal
  | readonly PickleValue[]
  | ReadonlyMap<PickleKey, PickleValue>
  | { readonly object: object };

/** What a pickle asks for beyond plain values. Each throws InputError for what is not allowed. */
export interface PickleHost {
  /** The name may be referred to. */
  allow(name: string): void;
  /** What a call of an allowed name gives. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** What is kept outside the pickle. */
  persistent(id: PickleValue): PickleValue;
}

const opcodes = new Map<number, string>(
  Object.entries({
    MARK: 0x28,
    EMPTY_TUPLE: 0x29,
    STOP: 0x2e,
    POP: 0x30,
    POP_MARK: 0x31,
    DUP: 0x32,
    FLOAT: 0x46,
    BINFLOAT: 0x47,
    INT: 0x49,
    BININT: 0x4a,
    BININT1: 0x4b,
    LONG: 0x4c,
    BININT2: 0x4d,
    NONE: 0x4e,
    PERSID: 0x50,
    BINPERSID: 0x51,
    REDUCE: 0x52,
    STRING: 0x53,
    BINSTRING: 0x54,
    SHORT_BINSTRING: 0x55,
    UNICODE: 0x56,
    BINUNICODE: 0x58,
    APPEND: 0x61,
    BUILD: 0x62,
    GLOBAL: 0x63,
    DICT: 0x64,
    APPENDS: 0x65,
    GET: 0x67,
    BINGET: 0x68,
    INST: 0x69,
    LONG_BINGET: 0x6a,
    LIST: 0x6c,
    OBJ: 0x6f,
    PUT: 0x70,
    BINPUT: 0x71,
    LONG_BINPUT: 0x72,
    SETITEM: 0x73,
    TUPLE: 0x74,
    SETITEMS: 0x75,
    EMPTY_DICT: 0x7d,
    EMPTY_LIST: 0x5d,
    PROTO: 0x80,
    NEWOBJ: 0x81,
    EXT1: 0x82,
    EXT2: 0x83,
    EXT4: 0x84,
    TUPLE1: 0x85,
    TUPLE2: 0x86,
    TUPLE3: 0x87,
    NEWTRUE: 0x88,
    NEWFALSE: 0x89,
    LONG1: 0x8a,
    LONG4: 0x8b,
    BINBYTES: 0x42,
    SHORT_BINBYTES: 0x43,
    SHORT_BINUNICODE: 0x8c,
    BINUNICODE8: 0x8d,
    BINBYTES8: 0x8e,
    EMPTY_SET: 0x8f,
    ADDITEMS: 0x90,
    FROZENSET: 0x91,
    NEWOBJ_EX: 0x92,
    STACK_GLOBAL: 0x93,
    MEMOIZE: 0x94,
    FRAME: 0x95,
    BYTEARRAY8: 0x96,
    NEXT_BUFFER: 0x97,
    READONLY_BUFFER: 0x98,
  }).map(([name, code]) => [code, name]),
);

/** Longest whole number, in bytes. */
const mostIntegerBytes = 32;

const mark = Symbol('mark');
type Item = PickleValue | typeof mark;

/** One pickle at the start of `bytes`, and how many bytes it takes. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly length: number;
}

/** Throws InputError, beginning with `where`, for a pickle that is malformed or refers to what is not allowed. */
export function unpickle(bytes: Uint8Array, where: string, host: PickleHost): Unpickled {
  return new Machine(bytes, where, host).run();
}

class Machine {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly where: string;
  private readonly host: PickleHost;
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private at = 0;

  constructor(bytes: Uint8Array, where: string, host: PickleHost) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.where = where;
    this.host = host;
  }

  run(): Unpickled {
    for (;;) {
      const place = this.at;
      const code = this.unsigned(1);
      const name = opcodes.get(code);
      if (name === undefined)
        throw this.failed(`expected an opcode, found byte ${code} at ${place}: no pickle, or a damaged one`);
      if (name === 'STOP') return { value: this.pop(), length: this.at };
      const step = this.steps[name];
      if (step === undefined)
        throw this.failed(`refused: it asks for ${name} at byte ${place}, which tensors do not need`);
      step();
    }
  }

  private readonly steps: Readonly<Record<string, () => void>> = {
    PROTO: () => {
      const version = this.unsigned(1);
      if (version < 2 || version > 5)
        throw this.failed(`expected a pickle of protocol 2 to 5, found ${version}`);
    },
    FRAME: () => void this.take(8),
    MARK: () => void this.stack.push(mark),
    POP: () => void this.popItem(),
    POP_MARK: () => void this.popToMark(),
    NONE: () => this.push(null),
    NEWTRUE: () => this.push(true),
    NEWFALSE: () => this.push(false),
    BININT: () => this.push(this.view.getInt32(this.skip(4), true)),
    BININT1: () => this.push(this.unsigned(1)),
    BININT2: () => this.push(this.unsigned(2)),
    LONG1: () => this.push(this.long(this.unsigned(1))),
    LONG4: () => this.push(this.long(this.unsigned(4))),
    BINFLOAT: () => this.push(this.view.getFloat64(this.skip(8))),
    BINUNICODE: () => this.push(this.text(this.unsigned(4))),
    SHORT_BINUNICODE: () => this.push(this.text(this.unsigned(1))),
    BINUNICODE8: () => this.push(this.text(this.unsigned(8))),
    BINSTRING: () => this.push(this.text(this.unsigned(4))),
    SHORT_BINSTRING: () => this.push(this.text(this.unsigned(1))),
    BINBYTES: () => this.push(this.take(this.unsigned(4))),
    SHORT_BINBYTES: () => this.push(this.take(this.unsigned(1))),
    BINBYTES8: () => this.push(this.take(this.unsigned(8))),
    EMPTY_TUPLE: () => this.push([]),
    TUPLE: () => this.push(this.popToMark()),
    TUPLE1: () => this.push(this.popMany(1)),
    TUPLE2: () => this.push(this.popMany(2)),
    TUPLE3: () => this.push(this.popMany(3)),
    EMPTY_LIST: () => this.push([]),
    LIST: () => this.push(this.popToMark()),
    APPEND: () => this.extend(this.popMany(1)),
    APPENDS: () => this.extend(this.popToMark()),
    EMPTY_DICT: () => this.push(new Map()),
    DICT: () => {
      const items = this.popToMark();
      this.push(new Map());
      this.setItems(items);
    },
    SETITEM: () => this.setItems(this.popMany(2)),
    SETITEMS: () => this.setItems(this.popToMark()),
    BINPUT: () => this.put(this.unsigned(1)),
    LONG_BINPUT: () => this.put(this.unsigned(4)),
    MEMOIZE: () => this.put(this.memo.size),
    BINGET: () => this.fetch(this.unsigned(1)),
    LONG_BINGET: () => this.fetch(this.unsigned(4)),
    GLOBAL: () => this.global(this.line(), this.line()),
    STACK_GLOBAL: () => {
      const [module, name] = this.popMany(2);
      if (typeof module !== 'string' || typeof name !== 'string')
        throw this.failed('expected the name of a global as two texts');
      this.global(module, name);
    },
    REDUCE: () => {
      const [called, args] = this.popMany(2);
      if (!(called instanceof PickleGlobal) || !Array.isArray(args))
        throw this.failed('expected a call of a global');
      this.push(this.host.call(called.name, args));
    },
    BUILD: () => {
      const [of] = this.popMany(2);
      // A state_dict's own attribute, _metadata: versions of modules, which change nothing.
      if (!(of instanceof Map)) throw this.failed('refused: it sets attributes of what is no dictionary');
      this.push(of);
    },
    BINPERSID: () => this.push(this.host.persistent(this.pop())),
  };

  private failed(what: string): InputError {
    return new InputError(`${this.where}: ${what}`);
  }

  /** Where the next `length` bytes begin, which are passed over. */
  private skip(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start)
      throw this.failed(
        `truncated: expected ${length} bytes at ${start}, found ${this.bytes.length - start}`,
      );
    this.at += length;
    return start;
  }

  private take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  private unsigned(length: 1 | 2 | 4 | 8): number {
    const at = this.skip(length);
    if (length === 1) return this.view.getUint8(at);
    if (length === 2) return this.view.getUint16(at, true);
    if (length === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  /** A whole number in two's complement, little-endian. */
  private long(length: number): number | bigint {
    if (length > mostIntegerBytes)
      throw this.failed(`expected a whole number of at most ${mostIntegerBytes} bytes, found ${length}`);
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private text(length: number): string {
    return Buffer.from(this.take(length)).toString('utf8');
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.failed(`truncated: expected the end of a line after byte ${this.at}`);
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private popItem(): Item {
    const item = this.stack.pop();
    if (item === undefined) throw this.failed(`expected a value before byte ${this.at}, found none`);
    return item;
  }

  private pop(): PickleValue {
    const item = this.popItem();
    if (item === mark) throw this.failed(`expected a value before byte ${this.at}, found a mark`);
    return item;
  }

  private popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private popToMark(): PickleValue[] {
    const start = this.stack.lastIndexOf(mark);
    if (start < 0) throw this.failed(`expected a mark before byte ${this.at}, found none`);
    return this.stack.splice(start).slice(1) as PickleValue[];
  }

  private top(): PickleValue {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  private extend(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.failed(`expected a list before byte ${this.at}`);
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Map) || items.length % 2 !== 0)
      throw this.failed(`expected a dictionary and its items before byte ${this.at}`);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
        throw this.failed('expected a dictionary whose keys are texts or whole numbers');
      if (dictionary.has(key)) throw this.failed(`the key ${quoted(String(key))} stands there twice`);
      dictionary.set(key, items[i + 1]!);
    }
  }

  private put(index: number): void {
    this.memo.set(index, this.top());
  }

  private fetch(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.failed(`it refers to ${index}, which it has not put down`);
    this.push(value);
  }

  private global(module: string, name: string): void {
    const whole = `${module}.${name}`;
    this.host.allow(whole);
    this.push(new PickleGlobal(whole));
  }
}
