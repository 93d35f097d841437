/**
 * The K-quants of GGUF files: super-blocks of 256 weights, whose sub-blocks have small integer scales (and
 * minima) that are multiples of the super-block's own float16. Each function turns whole super-blocks of
 * bytes into float32 values. Source: ggml-quants.c and gguf-py's quants.py in llama.cpp. Knows no file.
 */
import { halfAt } from './halves.ts';

/** Weights in a super-block. */
const superBlock = 256;

/** 84 bytes: 16 × (scale, minimum) of 4 bits each, 64 bytes of four 2-bit weights, d, dmin. */
export function dequantiseQ2K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += superBlock, at += 84) {
    const d = halfAt(bytes, at + 80);
    const dmin = halfAt(bytes, at + 82);
    for (let e = 0; e < superBlock; e += 16) {
      const scale = bytes[at + (e >> 4)]!;
      const dl = d * (scale & 15);
      const ml = dmin * (scale >> 4);
      const q = at + 16 + (e >> 7) * 32 + (e & 16);
      const shift = ((e >> 5) & 3) * 2;
      for (let l = 0; l < 16; l++) out[block + e + l] = dl * ((bytes[q + l]! >> shift) & 3) - ml;
    }
  }
}

/**
 * 110 bytes: 32 bytes of high bits (clear means -4), 64 bytes of four 2-bit weights, 16 scales of 6 bits,
 * d.
 */
export function dequantiseQ3K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += superBlock, at += 110) {
    const d = halfAt(bytes, at + 108);
    for (let e = 0; e < superBlock; e += 16) {
      const dl = d * scaleQ3K(bytes, at + 96, e >> 4);
      const high = at + (e & 16);
      const bit = e >> 5;
      const q = at + 32 + (e >> 7) * 32 + (e & 16);
      const shift = (bit & 3) * 2;
      for (let l = 0; l < 16; l++)
        out[block + e + l] =
          dl * (((bytes[q + l]! >> shift) & 3) - 4 + (((bytes[high + l]! >> bit) & 1) << 2));
    }
  }
}

/** Scale `j` of 16: four low bits in bytes 0 to 7, two high bits in bytes 8 to 11, offset 32. */
function scaleQ3K(bytes: Uint8Array, at: number, j: number): number {
  const low = (bytes[at + (j & 7)]! >> ((j >> 3) * 4)) & 15;
  const high = (bytes[at + 8 + (j & 3)]! >> ((j >> 2) * 2)) & 3;
  return (low | (high << 4)) - 32;
}

/** Scale `j` of 8 in Q4_K and Q5_K: 6 bits; those from 4 on have their low bits in bytes 8 to 11. */
function scaleOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + 4 + j]! & 15) | ((bytes[at + j - 4]! >> 2) & 48);
}

/** Minimum `j` of 8, packed beside the scales. */
function minimumOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + 4 + j]! & 63 : (bytes[at + 4 + j]! >> 4) | ((bytes[at + j]! >> 2) & 48);
}

/** 144 bytes: d, dmin, 8 × (scale, minimum) of 6 bits each in 12 bytes, 128 bytes of two 4-bit weights. */
export function dequantiseQ4K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += superBlock, at += 144) {
    const d = halfAt(bytes, at);
    const dmin = halfAt(bytes, at + 2);
    for (let e = 0; e < superBlock; e += 32) {
      const dl = d * scaleOf(bytes, at + 4, e >> 5);
      const ml = dmin * minimumOf(bytes, at + 4, e >> 5);
      const q = at + 16 + (e >> 6) * 32;
      const shift = (e & 32) >> 3;
      for (let l = 0; l < 32; l++) out[block + e + l] = dl * ((bytes[q + l]! >> shift) & 15) - ml;
    }
  }
}

/** 176 bytes: as Q4_K, with 32 bytes of fifth bits before the 4-bit weights. */
export function dequantiseQ5K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += superBlock, at += 176) {
    const d = halfAt(bytes, at);
    const dmin = halfAt(bytes, at + 2);
    for (let e = 0; e < superBlock; e += 32) {
      const bit = e >> 5;
      const dl = d * scaleOf(bytes, at + 4, bit);
      const ml = dmin * minimumOf(bytes, at + 4, bit);
      const high = at + 16;
      const q = at + 48 + (e >> 6) * 32;
      const shift = (e & 32) >> 3;
      for (let l = 0; l < 32; l++)
        out[block + e + l] =
          dl * (((bytes[q + l]! >> shift) & 15) | (((bytes[high + l]! >> bit) & 1) << 4)) - ml;
    }
  }
}

/** 210 bytes: 128 bytes of low 4 bits, 64 bytes of high 2 bits, 16 signed 8-bit scales, d; offset 32. */
export function dequantiseQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; block < out.length; block += superBlock, at += 210) {
    const d = halfAt(bytes, at + 208);
    for (let e = 0; e < superBlock; e += 16) {
      const dl = d * ((bytes[at + 192 + (e >> 4)]! << 24) >> 24);
      const low = at + (e >> 7) * 64 + (e & 48);
      const lowShift = (e & 64) >> 4;
      const high = at + 128 + (e >> 7) * 32 + (e & 16);
      const highShift = ((e >> 5) & 3) * 2;
      for (let l = 0; l < 16; l++)
        out[block + e + l] =
          dl * (((bytes[low + l]! >> lowShift) & 15) + (((bytes[high + l]! >> highShift) & 3) << 4) - 32);
    }
  }
}
