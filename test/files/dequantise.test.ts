import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packings, type WeightType } from '../../src/files/dequantise.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { halfToNumber, sizeOf } from '../../src/tensor.ts';
import { blocks, type QuantisedType } from '../support/ggufBlocks.ts';
import { draw } from '../support/opCases.ts';
import { inShared, shared } from '../support/shared.ts';

function dequantised(type: WeightType, bytes: Uint8Array): Float32Array {
  const { blockBytes, blockElements, dequantise } = packings[type];
  const values = new Float32Array((bytes.length / blockBytes) * blockElements);
  dequantise(bytes, values);
  return values;
}

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('dequantising', () => {
  it.each(Object.keys(blocks) as QuantisedType[])('gives %s bit for bit', (type) => {
    const random = draw(7);
    const made = Array.from({ length: 200 }, () => blocks[type](random));
    const found = dequantised(type, Buffer.concat(made.map(({ bytes }) => bytes)));
    const expected = Float32Array.from(made.flatMap(({ values }) => values));
    expect(expected.some((value) => value !== 0)).toBe(true);
    expect(bitsOf(found)).toEqual(bitsOf(expected));
  });

  it('widens every finite float16 and its infinities', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
      (i) => !Number.isNaN(halfToNumber(i)),
    );
    const found = dequantised('F16', new Uint8Array(bits.buffer));
    expect(bitsOf(found)).toEqual(bitsOf(Float32Array.from(bits, halfToNumber)));
    expect([...dequantised('F16', Uint8Array.of(0, 0x3c, 1, 0, 0xff, 0xfb))]).toEqual([1, 2 ** -24, -65504]);
  });

  it('widens bfloat16 to the upper half of a float32, and copies float32', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const found = bitsOf(dequantised('BF16', new Uint8Array(bits.buffer)));
    expect(found).toEqual(Uint32Array.from(bits, (b) => b * 65536));
    const values = Float32Array.of(1, -0, Number.NaN, Math.PI);
    expect(bitsOf(dequantised('F32', new Uint8Array(values.buffer)))).toEqual(bitsOf(values));
  });

  it('works on bytes and values at any place in their buffers', () => {
    const { bytes, values } = blocks.Q5_K(draw(3));
    const moved = new Uint8Array(bytes.length + 3).subarray(3);
    moved.set(bytes);
    const out = new Float32Array(258).subarray(1, 257);
    packings.Q5_K.dequantise(moved, out);
    expect([...out]).toEqual(values);
  });
});

describe.skipIf(!shared)("needs ../shared: gguf-py's values", () => {
  const types = (Object.keys(packings) as WeightType[]).filter((type) => type !== 'F32');
  it.each(types)('%s is equal bit for bit', async (type) => {
    const gguf = await readGguf(inShared('fixtures/gguf', `${type.toLowerCase()}.gguf`));
    const { offset, bytes, shape, type: found } = gguf.tensors.get('w')!;
    expect([found, sizeOf(shape)]).toEqual([type, 8 * 512]);
    const golden = await readTensor(
      (await openSafetensors(inShared('fixtures/gguf/golden.safetensors'))).get(type)!,
    );
    const values = dequantised(type, readFileSync(gguf.path).subarray(offset, offset + bytes));
    expect(bitsOf(values)).toEqual(bitsOf(golden.data as Float32Array));
  });
});
