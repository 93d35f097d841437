/** Checkpoints of PyTorch, in both layouts, and arrays of numpy. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiniteIn, readTensorFile } from '../../src/files/readTensorFile.ts';
import { sizeOf } from '../../src/tensor.ts';
import { each, type Format, promised } from '../format.ts';
import { floats } from './safetensors.ts';
import { npzPart, torchFloats, torchPart } from './zipped.ts';

const a = torchFloats(3, 4);
const checkpoint = {
  a,
  columns: { ...a, shape: [4, 3], strides: [1, 4] },
  part: { ...a, first: 5, shape: [2, 2], strides: [4, 1] },
  scalar: { ...torchFloats(), storage: floats(1) },
  half: { ...torchFloats(4), type: 'HalfStorage', storage: floats(2) },
  whole: { ...torchFloats(2), type: 'LongStorage', storage: floats(4) },
  parameter: { global: 'torch._utils _rebuild_parameter', args: [a, true, null] },
  inner: { activation: 'TopK', k: 32, inner: { b: torchFloats(2) } },
};
const arrays = { a: ['(3, 4)', floats(12)], b: ['(2,)', floats(2)], s: ['()', floats(1)] } as const;

export const tensorFiles: Format = {
  name: 'tensors',
  seeds: () => [
    { 'a.pt': torchPart(checkpoint) },
    { 'a.pth': torchPart(checkpoint, true) },
    { 'a.npz': npzPart(arrays, false) },
    { 'a.npz': npzPart(arrays, true) },
  ],
  async read(folder) {
    for (const name of readdirSync(folder))
      await each(async () => {
        const path = join(folder, name);
        const file = await readTensorFile(path);
        await each(() => checkFiniteIn(file, path, 'x'));
        for (const view of file.tensors.values())
          await each(async () => {
            const { data, shape } = await file.read(view);
            promised(data.length === sizeOf(shape), `${data.length} values for the shape [${shape}]`);
            promised(String(shape) === String(view.shape), 'a tensor of another shape');
          });
      });
  },
};
