/**
 * Small SAEs made by the tests: SAELens folders in memory, with exactly representable values so that sums,
 * ties and thresholds come out the same in any order of summation.
 */
import fc from 'fast-check';
import { readViewIn } from '../../src/files/tensorView.ts';
import type { SaeFolder } from '../../src/saes/formats/format.ts';
import {
  bytesPerElement,
  type DType,
  isDense,
  type StoredTensor,
  type StoredView,
  sizeOf,
  type Tensor,
} from '../../src/tensor.ts';

export interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface Made extends SaeFolder {
  /** What was read so far. */
  readonly reads: StoredTensor[];
}

const writers: Partial<Record<DType, (view: DataView, at: number, value: number) => void>> = {
  f64: (view, at, value) => view.setFloat64(at, value, true),
  f32: (view, at, value) => view.setFloat32(at, value, true),
  f16: (view, at, value) => view.setUint16(at, halfBits(value), true),
  bf16: (view, at, value) => {
    const wide = new DataView(new ArrayBuffer(4));
    wide.setFloat32(0, value);
    view.setUint16(at, wide.getUint16(0), true);
  },
  i32: (view, at, value) => view.setInt32(at, value, true),
};

/** Bits of a value that binary16 holds exactly and normally. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

/**
 * A folder of two files in memory; that of weights holds the tensors one after the other, and any range can
 * be read.
 */
export function makeFiles(
  config: unknown,
  weights: Readonly<Record<string, Values>>,
  dtype: DType = 'f32',
): Made {
  const size = bytesPerElement[dtype];
  const bytes = Object.values(weights).reduce((n, { shape }) => n + sizeOf(shape) * size, 8);
  const image = new DataView(new ArrayBuffer(bytes));
  const tensors = new Map<string, StoredTensor>();
  const reads: StoredTensor[] = [];
  let offset = 8;
  for (const [name, { shape, values }] of Object.entries(weights)) {
    values.forEach((value, i) => {
      writers[dtype]!(image, offset + i * size, value);
    });
    tensors.set(name, { dtype, shape, file: 'memory', offset, bytes: values.length * size });
    offset += values.length * size;
  }
  const read = async (stored: StoredView): Promise<Tensor> => {
    reads.push(stored);
    if (!isDense(stored)) return readViewIn(new Uint8Array(image.buffer), stored);
    const part = image.buffer.slice(stored.offset, stored.offset + stored.bytes);
    const array = {
      f64: Float64Array,
      f32: Float32Array,
      f16: Uint16Array,
      bf16: Uint16Array,
      i32: Int32Array,
    };
    return { dtype: stored.dtype, shape: stored.shape, data: new array[dtype as 'f32'](part) };
  };
  const where = 'made';
  return {
    where,
    path: '/made',
    names: ['cfg.json', 'sae_weights.safetensors'],
    json: async () => config,
    tensors: async () => ({ tensors, values: new Map(), where, read }),
    bytes: async () => {
      throw new Error('SAELens folders are read as JSON and tensors');
    },
    reads,
  };
}

export const kinds = ['standard', 'topk', 'jumprelu', 'gated'] as const;

/** A random SAE: its dimensions, settings, weights by SAELens's names, and an input x [T, d]. */
export interface Case {
  readonly d: number;
  readonly N: number;
  readonly T: number;
  readonly config: Record<string, unknown>;
  readonly weights: Readonly<Record<string, Values>>;
  readonly x: Float32Array;
}

/**
 * Multiples of 1/4 in -3..3: sums of products of these are exact in float32; equal sums and zero rows are
 * common.
 */
const quarter = fc.integer({ min: -12, max: 12 }).map((n) => n / 4);

function values(...shape: number[]): fc.Arbitrary<Values> {
  const n = sizeOf(shape);
  return fc.array(quarter, { minLength: n, maxLength: n }).map((v) => ({ shape, values: v }));
}

const oneInFour = fc.integer({ min: 0, max: 3 }).map((n) => n === 0);

/**
 * Random SAEs of one architecture, some decoder rows all zeros. `settings` are added to the configuration.
 */
export function cases(architecture: (typeof kinds)[number], settings: Record<string, unknown> = {}) {
  const dimension = (max: number) => fc.integer({ min: 1, max });
  return fc.tuple(dimension(5), dimension(8), dimension(4)).chain(([d, N, T]) =>
    fc
      .record({
        k: fc.integer({ min: 1, max: N }),
        subtract: fc.boolean(),
        dead: fc.array(oneInFour, { minLength: N, maxLength: N }),
        W_enc: values(d, N),
        W_dec: values(N, d),
        b_dec: values(d),
        vectors: fc.tuple(values(N), values(N), values(N)),
        x: values(T, d),
      })
      .map(({ k, subtract, dead, W_enc, W_dec, b_dec, vectors, x }): Case => {
        const own = names[architecture].map((name, i) => [name, vectors[i]!] as const);
        const live = W_dec.values.map((v, at) => (dead[Math.floor(at / d)] ? 0 : v));
        return {
          d,
          N,
          T,
          config: { architecture, d_in: d, d_sae: N, k, apply_b_dec_to_input: subtract, ...settings },
          weights: { W_enc, W_dec: { shape: [N, d], values: live }, b_dec, ...Object.fromEntries(own) },
          x: Float32Array.from(x.values),
        };
      }),
  );
}

const names = {
  standard: ['b_enc'],
  topk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
};
