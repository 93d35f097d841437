/** Steering directions: safetensors, control vectors in GGUF, Neuronpedia's JSON. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readVector } from '../../src/files/vectorFile.ts';
import { each, type Format, jsonPart, promised } from '../format.ts';
import { ggufPart } from './gguf.ts';
import { f32Tensor, floats, safetensorsPart } from './safetensors.ts';

export const vectors: Format = {
  name: 'vectors',
  seeds: () => [
    { 'v.safetensors': safetensorsPart({ v: f32Tensor(4) }, { site: 'resid_post 3' }) },
    { 'v.safetensors': safetensorsPart({ v: f32Tensor(1, 4), w: f32Tensor(2) }, { site: 'resid_pre 1' }) },
    {
      'v.gguf': ggufPart({ 'general.architecture': 'controlvector', 'controlvector.layer_count': 2 }, [
        ['direction.1', 0, [4], floats(4)],
        ['direction.2', 0, [4], floats(4)],
      ]),
    },
    {
      'v.json': jsonPart({
        modelId: 'm',
        layer: '6-res',
        index: '7',
        vector: [0.5, -1, 2],
        hookName: 'blocks.2.hook_resid_pre',
      }),
    },
    {
      'v.json': jsonPart({
        vector: { values: [1, 2], layerNumber: 3, hookType: 'resid-post', vectorLabel: 'x' },
      }),
    },
  ],
  async read(folder) {
    for (const name of readdirSync(folder))
      for (const layer of [undefined, 1])
        for (const path of [join(folder, name), `${join(folder, name)}:v`])
          await each(async () => {
            const found = await readVector(path, layer);
            promised(
              found.vector.length > 0 && found.vector.every(Number.isFinite),
              'a vector that is not finite',
            );
            promised(
              found.vector.some((x) => x !== 0),
              'a vector of zeros',
            );
            promised(
              Number.isInteger(found.layer ?? 0) && (found.layer ?? 0) >= 0,
              `the layer ${found.layer}`,
            );
          });
  },
};
