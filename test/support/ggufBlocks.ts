/**
 * Packs integers into the blocks of each quantised weight type, bit by bit after the format's byte diagrams
 * (ggml-quants.h, gguf-py's quants.py): the way in, so that tests of the way out have an independent truth.
 */
import { packings, type WeightType } from '../../src/files/dequantise.ts';
import { halfToNumber } from '../../src/tensor.ts';
import type { Draw } from './opCases.ts';

/** A block and the float32 values that it stands for. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly values: number[];
}

export type QuantisedType = Exclude<WeightType, 'F32' | 'F16' | 'BF16'>;

/** A scale as float16 bits: any finite value, zeros and subnormals among them. */
function half(draw: Draw): { bits: number; value: number } {
  const bits = draw.below(2) * 0x8000 + draw.below(0x7c00);
  return { bits, value: halfToNumber(bits) };
}

/** Bytes of a block being written. */
class Writer {
  readonly bytes: Uint8Array;
  constructor(type: QuantisedType) {
    this.bytes = new Uint8Array(packings[type].blockBytes);
  }
  half(at: number, bits: number): void {
    this.bytes.set([bits & 255, bits >> 8], at);
  }
  /** Sets bits from bit `shift` of byte `at` on. */
  bits(at: number, shift: number, value: number): void {
    this.bytes[at]! |= value << shift;
  }
}

/**
 * One float32 rounding of scale · q, and one of the difference, as the reference's float32 arithmetic does.
 */
const scaled = (d: number, q: number) => Math.fround(d * q);
const shifted = (d: number, q: number, m: number) => Math.fround(scaled(d, q) + m);

/** A 32-element block: where d, m, the fifth bits and the nibbles begin. */
interface SmallLayout {
  readonly minimum?: number;
  readonly fifth?: number;
  readonly nibbles: number;
  readonly offset: number;
}

const small: Record<'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1', SmallLayout> = {
  Q4_0: { nibbles: 2, offset: 8 },
  Q4_1: { minimum: 2, nibbles: 4, offset: 0 },
  Q5_0: { fifth: 2, nibbles: 6, offset: 16 },
  Q5_1: { minimum: 2, fifth: 4, nibbles: 8, offset: 0 },
};

function smallBlock(type: keyof typeof small, draw: Draw): Block {
  const { minimum, fifth, nibbles, offset } = small[type];
  const writer = new Writer(type);
  const d = half(draw);
  const m = half(draw);
  writer.half(0, d.bits);
  if (minimum !== undefined) writer.half(minimum, m.bits);
  const values = Array.from({ length: 32 }, (_, i) => {
    const q = draw.below(fifth === undefined ? 16 : 32);
    writer.bits(nibbles + (i % 16), i < 16 ? 0 : 4, q & 15);
    if (fifth !== undefined) writer.bits(fifth + (i >> 3), i & 7, q >> 4);
    return minimum === undefined ? scaled(d.value, q - offset) : shifted(d.value, q, m.value);
  });
  return { bytes: writer.bytes, values };
}

function q80(draw: Draw): Block {
  const writer = new Writer('Q8_0');
  const d = half(draw);
  writer.half(0, d.bits);
  const values = Array.from({ length: 32 }, (_, i) => {
    const q = draw.below(256) - 128;
    writer.bits(2 + i, 0, q & 255);
    return scaled(d.value, q);
  });
  return { bytes: writer.bytes, values };
}

/** Integers of a super-block, and each element's sub-block. */
const drawn = (draw: Draw, count: number, below: number) =>
  Array.from({ length: count }, () => draw.below(below));

function q2k(draw: Draw): Block {
  const writer = new Writer('Q2_K');
  const [d, dmin] = [half(draw), half(draw)];
  const [scales, minima] = [drawn(draw, 16, 16), drawn(draw, 16, 16)];
  writer.half(80, d.bits);
  writer.half(82, dmin.bits);
  scales.forEach((s, j) => {
    writer.bits(j, 0, s);
    writer.bits(j, 4, minima[j]!);
  });
  const values = drawn(draw, 256, 4).map((q, i) => {
    writer.bits(16 + Math.floor(i / 128) * 32 + (i % 32), 2 * (Math.floor(i / 32) % 4), q);
    const j = Math.floor(i / 16);
    return shifted(d.value * scales[j]!, q, -(dmin.value * minima[j]!));
  });
  return { bytes: writer.bytes, values };
}

function q3k(draw: Draw): Block {
  const writer = new Writer('Q3_K');
  const d = half(draw);
  const scales = drawn(draw, 16, 64);
  writer.half(108, d.bits);
  scales.forEach((s, j) => {
    writer.bits(96 + (j % 8), j < 8 ? 0 : 4, s & 15);
    writer.bits(96 + 8 + (j % 4), 2 * Math.floor(j / 4), s >> 4);
  });
  const values = drawn(draw, 256, 8).map((q, i) => {
    writer.bits(32 + Math.floor(i / 128) * 32 + (i % 32), 2 * (Math.floor(i / 32) % 4), q & 3);
    writer.bits(i % 32, Math.floor(i / 32), q >> 2);
    return scaled(d.value * (scales[Math.floor(i / 16)]! - 32), q - 4);
  });
  return { bytes: writer.bytes, values };
}

/** The 12 bytes of Q4_K and Q5_K: EEAAAAAA ..., eeaaaaaa ..., eeeeEEEE ... (capitals: scales). */
function scales6(writer: Writer, at: number, scales: readonly number[], minima: readonly number[]): void {
  for (let j = 0; j < 4; j++) {
    writer.bits(at + j, 0, scales[j]!);
    writer.bits(at + j, 6, scales[j + 4]! >> 4);
    writer.bits(at + 4 + j, 0, minima[j]!);
    writer.bits(at + 4 + j, 6, minima[j + 4]! >> 4);
    writer.bits(at + 8 + j, 0, scales[j + 4]! & 15);
    writer.bits(at + 8 + j, 4, minima[j + 4]! & 15);
  }
}

function q4or5k(type: 'Q4_K' | 'Q5_K', draw: Draw): Block {
  const writer = new Writer(type);
  const [d, dmin] = [half(draw), half(draw)];
  const [scales, minima] = [drawn(draw, 8, 64), drawn(draw, 8, 64)];
  writer.half(0, d.bits);
  writer.half(2, dmin.bits);
  scales6(writer, 4, scales, minima);
  const nibbles = type === 'Q4_K' ? 16 : 48;
  const values = drawn(draw, 256, type === 'Q4_K' ? 16 : 32).map((q, i) => {
    const j = Math.floor(i / 32);
    writer.bits(nibbles + Math.floor(i / 64) * 32 + (i % 32), 4 * (j % 2), q & 15);
    if (type === 'Q5_K') writer.bits(16 + (i % 32), j, q >> 4);
    return shifted(d.value * scales[j]!, q, -(dmin.value * minima[j]!));
  });
  return { bytes: writer.bytes, values };
}

function q6k(draw: Draw): Block {
  const writer = new Writer('Q6_K');
  const d = half(draw);
  const scales = drawn(draw, 16, 256).map((s) => s - 128);
  writer.half(208, d.bits);
  scales.forEach((s, j) => {
    writer.bits(192 + j, 0, s & 255);
  });
  const values = drawn(draw, 256, 64).map((q, i) => {
    writer.bits(Math.floor(i / 128) * 64 + (i % 64), 4 * (Math.floor(i / 64) % 2), q & 15);
    writer.bits(128 + Math.floor(i / 128) * 32 + (i % 32), 2 * (Math.floor(i / 32) % 4), q >> 4);
    return scaled(d.value * scales[Math.floor(i / 16)]!, q - 32);
  });
  return { bytes: writer.bytes, values };
}

/** A random block of each type. */
export const blocks: Record<QuantisedType, (draw: Draw) => Block> = {
  Q4_0: (draw) => smallBlock('Q4_0', draw),
  Q4_1: (draw) => smallBlock('Q4_1', draw),
  Q5_0: (draw) => smallBlock('Q5_0', draw),
  Q5_1: (draw) => smallBlock('Q5_1', draw),
  Q8_0: q80,
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: (draw) => q4or5k('Q4_K', draw),
  Q5_K: (draw) => q4or5k('Q5_K', draw),
  Q6_K: q6k,
};
