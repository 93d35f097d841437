/** NaN and infinity in stored tensors are found, in each float type and wherever they stand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkFinite } from '../../src/files/finite.ts';
import { openSafetensors, writeSafetensors } from '../../src/files/safetensors.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const f16 = (...bits: number[]) => tensor('f16', [bits.length], Uint16Array.from(bits));
const bf16 = (...bits: number[]) => tensor('bf16', [bits.length], Uint16Array.from(bits));
const f32 = (...values: number[]) => tensor('f32', [values.length], Float32Array.from(values));
const f64 = (...values: number[]) => tensor('f64', [values.length], Float64Array.from(values));

async function check(tensors: Record<string, Tensor>): Promise<void> {
  const path = join(folder, 'x.safetensors');
  await writeSafetensors(path, tensors);
  await checkFinite(await openSafetensors(path), 'model x');
}

describe('values that are', () => {
  it('finite pass, to the greatest and least of each type; integers are not looked at', async () => {
    await check({
      a: f32(3.4028234e38, -3.4028234e38, 1e-45, -0),
      b: f16(0x7bff, 0xfbff, 0x0001, 0x8000),
      c: bf16(0x7f7f, 0xff7f, 0x0001, 0x8000),
      d: f64(3.4e38, -3.4e38, 1e-300),
      e: tensor('i16', [2], Int16Array.of(0x7c00, -1)),
    });
  });

  it.each<[string, Tensor]>([
    ['f32 NaN', f32(1, 2, Number.NaN)],
    ['f32 infinity', f32(1, 2, Number.POSITIVE_INFINITY)],
    ['f32 minus infinity', f32(1, 2, Number.NEGATIVE_INFINITY)],
    ['f16 NaN', f16(1, 2, 0x7e00)],
    ['f16 infinity', f16(1, 2, 0xfc00)],
    ['bf16 NaN', bf16(1, 2, 0xffc0)],
    ['bf16 infinity', bf16(1, 2, 0x7f80)],
    ['f64 NaN', f64(1, 2, Number.NaN)],
    ['f64 beyond float32', f64(1, 2, 1e39)],
  ])('%s is found', async (_, t) => {
    await expect(check({ before: f32(1), it: t })).rejects.toThrow(
      'model x: tensor "it": expected finite values, found NaN or infinity at [2]',
    );
  });

  it('found behind the first piece, with their place along each axis', async () => {
    const data = new Float32Array(3 * 2 ** 20).fill(1);
    data[2 ** 20 + 2 ** 10 + 7] = Number.NaN;
    await expect(check({ big: tensor('f32', [3, 2 ** 10, 2 ** 10], data) })).rejects.toThrow('at [1,1,7]');
  });
});
