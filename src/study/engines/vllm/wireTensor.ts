/** Tensors as vllm-lens sends and takes them within JSON: base 64 of little-endian values, packed or plain. */
import * as zlib from 'node:zlib';
import { z } from 'zod';
import { InputError } from '../../../errors.ts';
import { bytesPerElement, type DType, tensor, toFloat32 } from '../../../tensor.ts';
import { HalfReply } from './server.ts';

export const wireTensor = z.object({
  data: z.string(),
  /** of the bytes, as numpy calls it: that of bfloat16 is int16 */
  dtype: z.string(),
  /** of the values, as torch calls it */
  original_dtype: z.string().optional(),
  shape: z.array(z.int().min(0)),
  compression: z.string().nullish(),
});
export type WireTensor = z.output<typeof wireTensor>;

/** Float32 values [shape] as they are sent. */
export const toWire = (values: Float32Array, shape: readonly number[]) => ({
  data: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
  dtype: 'float32',
  original_dtype: 'torch.float32',
  shape,
});

/** In Node from 22.15 on. */
const unpack = (
  zlib as unknown as {
    zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer;
  }
).zstdDecompressSync;

/** Why packed tensors cannot be read here; undefined where they can. */
export const cannotUnpack: string | undefined =
  unpack === undefined
    ? `residuals come packed by zstd, which Node unpacks from version 22.15 on, found ${process.versions.node}`
    : undefined;

const types: Readonly<Record<string, DType>> = {
  'torch.float32': 'f32',
  'torch.bfloat16': 'bf16',
  'torch.float16': 'f16',
};

/** `bfloat16`, as people call it. */
export const precisionOf = ({ original_dtype = 'torch.float32' }: WireTensor): string =>
  original_dtype.replace(/^torch\./, '');

function bytesOf({ data, compression }: WireTensor, expected: number): Buffer {
  const sent = Buffer.from(data, 'base64');
  if (compression === undefined || compression === null) return sent;
  if (compression !== 'zstd') throw new InputError(`expected residuals packed by zstd, found ${compression}`);
  if (unpack === undefined) throw new InputError(cannotUnpack!);
  try {
    return unpack(sent, { maxOutputLength: Math.max(1, expected) });
  } catch (error) {
    throw new HalfReply(`residuals that cannot be unpacked (${(error as Error).message})`);
  }
}

/**
 * Values of a tensor of this shape as float32. Throws HalfReply where it is another or not whole, InputError where
 * its values or their packing cannot be read here.
 */
export function fromWire(sent: WireTensor, shape: readonly number[]): Float32Array {
  const type = types[sent.original_dtype ?? 'torch.float32'];
  if (type === undefined)
    throw new InputError(
      `expected residuals in ${Object.keys(types).join(', ')}, found ${sent.original_dtype}`,
    );
  if (sent.shape.join() !== shape.join())
    throw new HalfReply(`residuals of shape [${sent.shape}] where [${shape}] was asked for`);
  const size = shape.reduce((product, n) => product * n, 1);
  const bytes = bytesOf(sent, size * bytesPerElement[type]);
  if (bytes.byteLength !== size * bytesPerElement[type])
    throw new HalfReply(
      `residuals of ${bytes.byteLength} bytes where ${size * bytesPerElement[type]} belong`,
    );
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return toFloat32(
    type === 'f32'
      ? tensor('f32', shape, new Float32Array(own))
      : tensor(type as 'bf16' | 'f16', shape, new Uint16Array(own)),
  );
}
