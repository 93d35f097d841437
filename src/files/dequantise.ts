/**
 * The weight types of GGUF files that we read, and how their blocks of bytes become float32 values. Knows
 * no file. Source: ggml-quants.c and gguf-py's quants.py in llama.cpp. The values equal theirs bit for bit:
 * a float16 scale (11 bits) times a block's integers (13 bits at most) is exact in float32, so all rounding
 * happens where a value is stored.
 */
import { halfAt } from './halves.ts';
import { dequantiseQ2K, dequantiseQ3K, dequantiseQ4K, dequantiseQ5K, dequantiseQ6K } from './kquants.ts';

/** How a weight type packs values: `blockBytes` bytes hold `blockElements` of them. */
export interface Packing {
  /** Its number in a GGUF file. */
  readonly id: number;
  readonly blockElements: number;
  readonly blockBytes: number;
  /** Unpacks whole blocks; `out` must hold exactly their values. */
  readonly dequantise: (bytes: Uint8Array, out: Float32Array) => void;
}

const pack = (
  id: number,
  blockElements: number,
  blockBytes: number,
  dequantise: Packing['dequantise'],
): Packing => ({ id, blockElements, blockBytes, dequantise });

/** All weight types that we read, by ggml's name. */
export const packings = {
  F32: pack(0, 1, 4, copyF32),
  F16: pack(1, 1, 2, widenF16),
  BF16: pack(30, 1, 2, widenBF16),
  Q4_0: pack(2, 32, 18, dequantiseQ4_0),
  Q4_1: pack(3, 32, 20, dequantiseQ4_1),
  Q5_0: pack(6, 32, 22, dequantiseQ5_0),
  Q5_1: pack(7, 32, 24, dequantiseQ5_1),
  Q8_0: pack(8, 32, 34, dequantiseQ8_0),
  Q2_K: pack(10, 256, 84, dequantiseQ2K),
  Q3_K: pack(11, 256, 110, dequantiseQ3K),
  Q4_K: pack(12, 256, 144, dequantiseQ4K),
  Q5_K: pack(13, 256, 176, dequantiseQ5K),
  Q6_K: pack(14, 256, 210, dequantiseQ6K),
} as const satisfies Record<string, Packing>;

/** Name of a weight type. */
export type WeightType = keyof typeof packings;

function copyF32(bytes: Uint8Array, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

function widenF16(bytes: Uint8Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = halfAt(bytes, 2 * i);
}

function widenBF16(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
}

/** d, 16 bytes of two 4-bit weights (element i low, element i + 16 high), offset 8. */
function dequantiseQ4_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += 32, at += 18) {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 2 + i]!;
      out[block + i] = d * ((q & 15) - 8);
      out[block + i + 16] = d * ((q >> 4) - 8);
    }
  }
}

/** d, minimum, 16 bytes of two 4-bit weights. */
function dequantiseQ4_1(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += 32, at += 20) {
    const d = halfAt(bytes, at);
    const m = halfAt(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 4 + i]!;
      out[block + i] = d * (q & 15) + m;
      out[block + i + 16] = d * (q >> 4) + m;
    }
  }
}

/** The 32 fifth bits of a block, element i in bit i. */
function fifthBits(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** d, 4 bytes of fifth bits, 16 bytes of two 4-bit weights, offset 16. */
function dequantiseQ5_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += 32, at += 22) {
    const d = halfAt(bytes, at);
    const high = fifthBits(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 6 + i]!;
      out[block + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      out[block + i + 16] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  }
}

/** d, minimum, 4 bytes of fifth bits, 16 bytes of two 4-bit weights. */
function dequantiseQ5_1(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += 32, at += 24) {
    const d = halfAt(bytes, at);
    const m = halfAt(bytes, at + 2);
    const high = fifthBits(bytes, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 8 + i]!;
      out[block + i] = d * ((q & 15) | (((high >>> i) & 1) << 4)) + m;
      out[block + i + 16] = d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m;
    }
  }
}

/** d, 32 signed bytes. */
function dequantiseQ8_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += 32, at += 34) {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 32; i++) out[block + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
  }
}
