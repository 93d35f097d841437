/** A model whose weights stand in random order within each tensor: of the same sizes, and untrained. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { isThere } from '../../files/ifThere.ts';
import {
  openSafetensors,
  readSafetensorsHeader,
  readTensor,
  writeSafetensorsStream,
} from '../../files/safetensors.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import type { Model } from '../../models/decoder.ts';
import type { StoredTensor, Tensor } from '../../tensor.ts';
import { makeWorkFolder, workFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';

/** Where the weights stand while they are needed. */
export const shuffledModelFile = (folder: string): string =>
  join(workFolder(folder), 'shuffled-model.safetensors');

/** In place (Fisher and Yates). */
function shuffle(data: { readonly length: number; [n: number]: unknown }, random: RandomGenerator): void {
  for (let i = data.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [data[i], data[j]] = [data[j], data[i]];
  }
}

const isStored = (weight: Tensor | StoredTensor): weight is StoredTensor => 'file' in weight;

/** A copy of its data. */
const dataOf = async (weight: Tensor | StoredTensor) =>
  isStored(weight) ? (await readTensor(weight)).data : weight.data.slice();

/**
 * The model with the entries of each weight in an order drawn by the seed, adapter left out: mean and deviation
 * of every tensor stay, what was learnt goes. Written once into the working folder of the study `folder`, as
 * large as the model. Throws InputError where the disk has no room for it.
 */
export async function shuffledModel(model: Model, folder: string, seed: number): Promise<Model> {
  await makeWorkFolder(folder);
  const path = shuffledModelFile(folder);
  const ofAdapter = new Set([...model.updates.values()].flatMap(({ a, b }) => [a, b]));
  const own = [...model.weights].filter(([name]) => !ofAdapter.has(name));
  const made = jsonHash([model.where, seed, own.map(([name]) => name)]);
  const kept = (await isThere(path)) && (await readSafetensorsHeader(path)).metadata.made === made;
  if (!kept)
    await writeSafetensorsStream(
      path,
      own.map(([name, weight], n) => ({
        name,
        dtype: weight.dtype,
        shape: weight.shape,
        async produce() {
          const data = await dataOf(weight);
          shuffle(data, generatorOf(seed + n * 7919));
          return data;
        },
      })),
      { made },
    );
  const file = await realpath(path);
  const tensors = [...(await openSafetensors(path))].map(([name, one]) => [name, { ...one, file }] as const);
  return { ...model, weights: new Map(tensors), updates: new Map(), where: `${model.where}, shuffled` };
}
