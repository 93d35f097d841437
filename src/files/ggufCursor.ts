/**
 * Reads the values of a GGUF header one after another, through a window of the file. Nothing is allocated
 * that the file does not have the bytes for. Knows GGUF's value encodings, not what the values mean.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { readSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { type ArrayOf, allocate, bytesPerElement } from '../tensor.ts';
import type { SourceFile } from './bytes.ts';

/**
 * A metadata value. 64-bit integers are numbers where a number holds them exactly, elements of arrays
 * never.
 */
export type GgufValue = number | bigint | boolean | string | NumericArray | readonly GgufValue[];

type Numeric = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'u64' | 'i64' | 'f64';
type NumericArray = ArrayOf[Numeric];

/** Value types by number. */
const types = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;
type ValueType = (typeof types)[number];

const windowBytes = 2 ** 20;
/** Real headers take up to 20 MB, nearly all of it the vocabulary. */
const maxHeaderBytes = 2 ** 26;
const maxArrayDepth = 4;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class GgufCursor {
  readonly #file: SourceFile;
  readonly #limit: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(file: SourceFile) {
    this.#file = file;
    this.#limit = Math.min(file.size, maxHeaderBytes);
  }

  /** Byte of the file that is read next. */
  get position(): number {
    return this.#position;
  }

  /** The next `count` bytes: a view that is valid until the next call. */
  bytes(count: number, what: string): Buffer {
    if (count > this.#limit - this.#position) this.#refuse(`${what} of ${count} bytes`);
    if (this.#position + count > this.#windowStart + this.#window.length) this.#refill(count);
    const from = this.#position - this.#windowStart;
    this.#position += count;
    return this.#window.subarray(from, from + count);
  }

  u32(what: string): number {
    return this.bytes(4, what).readUInt32LE();
  }

  /** A 64-bit unsigned integer that is to be computed with; throws InputError above 2^53 - 1. */
  size(what: string): number {
    const value = this.bytes(8, what).readBigUInt64LE();
    if (value > Number.MAX_SAFE_INTEGER) this.#fail(`${what} is ${value}, more than any file holds`);
    return Number(value);
  }

  /**
   * A count of things that take `bytesEach` bytes or more; throws InputError where the file cannot hold
   * them.
   */
  count(bytesEach: number, what: string): number {
    const count = this.size(`the number of ${what}`);
    if (count * bytesEach > this.#limit - this.#position) this.#refuse(`${count} ${what}`);
    return count;
  }

  string(what: string): string {
    const bytes = this.bytes(this.count(1, `bytes of ${what}`), what);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.#fail(`${what} is not valid UTF-8`);
    }
  }

  /** A metadata value with its type before it. */
  value(what: string): GgufValue {
    return this.#valueOf(this.#type(what), what, 0);
  }

  #type(what: string): ValueType {
    const number = this.u32(`the type of ${what}`);
    return types[number] ?? this.#fail(`${what} has the unknown value type ${number}`);
  }

  #valueOf(type: ValueType, what: string, depth: number): GgufValue {
    if (type === 'string') return this.string(what);
    if (type === 'bool') return this.#boolean(what);
    if (type === 'array') return this.#array(what, depth + 1);
    const value = this.#numbers(type, 1, what)[0] ?? 0;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #boolean(what: string): boolean {
    const byte = this.bytes(1, what).readUInt8();
    return byte > 1 ? this.#fail(`${what} is a boolean of value ${byte}, expected 0 or 1`) : byte === 1;
  }

  #array(what: string, depth: number): GgufValue {
    if (depth > maxArrayDepth) this.#fail(`${what} nests arrays more than ${maxArrayDepth} deep`);
    const type = this.#type(what);
    const count = this.count(leastBytes(type), `elements of ${what}`);
    if (type !== 'string' && type !== 'bool' && type !== 'array') return this.#numbers(type, count, what);
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.#valueOf(type, what, depth));
    return values;
  }

  #numbers(type: Numeric, count: number, what: string): NumericArray {
    const source = this.bytes(count * bytesPerElement[type], what);
    const values = allocate(type, count);
    new Uint8Array(values.buffer).set(source);
    return values;
  }

  #refill(count: number): void {
    const length = Math.min(Math.max(count, windowBytes), this.#limit - this.#position);
    const window = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(this.#file.handle.fd, window, filled, length - filled, this.#position + filled);
      if (read === 0) this.#fail('the file ends early: it became shorter while it was read');
      filled += read;
    }
    this.#window = window;
    this.#windowStart = this.#position;
  }

  #refuse(what: string): never {
    const left = this.#limit - this.#position;
    const end =
      this.#limit === this.#file.size ? 'the file' : `the ${maxHeaderBytes} bytes allowed for a header`;
    this.#fail(`truncated or damaged: expected ${what}, found ${left} bytes to the end of ${end}`);
  }

  #fail(fault: string): never {
    throw new InputError(`${this.#file.path}: byte ${this.#position}: ${fault}`);
  }
}

/** Fewest bytes that a value takes: an empty string has its length, an empty array its type and length. */
function leastBytes(type: ValueType): number {
  if (type === 'string') return 8;
  if (type === 'array') return 12;
  return bytesPerElement[type];
}
