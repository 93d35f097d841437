/** Step 1: the tokenizer and the model, from documents of the world. */
import { join } from 'node:path';
import { readJson } from '../src/files/jsonFile.ts';
import { openSafetensors, readTensor } from '../src/files/safetensors.ts';
import { tokenizerFromJson } from '../src/files/tokenizer.ts';
import { type TrainOptions, type TrainStep, trainModel } from '../src/methods/training/train.ts';
import type { Model } from '../src/models/decoder.ts';
import { decoderOf } from '../src/models/families.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import type { Tensor } from '../src/tensor.ts';
import { configOf, exit, initialWeights, type OrganismConfig } from './anatomy.ts';
import { documents } from './documents.ts';
import { remembered, type TokenizerFiles, trainTokenizer } from './tokenizer.ts';

export interface Pretrained {
  readonly model: Model;
  readonly config: OrganismConfig;
  readonly tokenizerFiles: TokenizerFiles;
  readonly encode: (text: string) => number[];
  readonly decode: (ids: readonly number[]) => string;
}

/** How long, and on how much, the organism is trained. */
export interface Effort {
  readonly documents: number;
  readonly tokenizerDocuments: number;
  readonly train: Omit<TrainOptions, 'seed'>;
}

export const fullEffort: Effort = {
  documents: 120_000,
  tokenizerDocuments: 6_000,
  train: {
    sequences: 16,
    length: 128,
    steps: 3_500,
    rate: 4e-3,
    lastRate: 0,
    warmup: 100,
    adam: { decay: 0.02 },
    exits: [exit],
  },
};

/** The model in a folder that an earlier `make` wrote. */
export async function readPretrained(folder: string): Promise<Pretrained> {
  const json = (name: string) => readJson(join(folder, name));
  const config = (await json('config.json')) as OrganismConfig;
  const tokenizerFiles = {
    tokenizer: await json('tokenizer.json'),
    config: await json('tokenizer_config.json'),
  } as TokenizerFiles;
  const weights = new Map<string, Tensor>();
  for (const [name, stored] of await openSafetensors(folder)) weights.set(name, await readTensor(stored));
  const tokenizer = tokenizerFromJson(tokenizerFiles.tokenizer, tokenizerFiles.config, folder);
  return {
    model: { decoder: decoderOf(config, folder), weights, updates: new Map(), where: folder },
    config,
    tokenizerFiles,
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }),
  };
}

/** Trains tokenizer and model; equal seeds give equal bytes on one machine. */
export async function pretrain(
  runtime: Runtime,
  seed: number,
  effort: Effort,
  onStep: (step: TrainStep) => void = () => {},
): Promise<Pretrained> {
  const texts = documents(seed, effort.documents).map(({ text }) => text);
  const tokenizerFiles = trainTokenizer(texts.slice(0, effort.tokenizerDocuments));
  const tokenizer = tokenizerFromJson(tokenizerFiles.tokenizer, tokenizerFiles.config, 'organism tokenizer');
  const encode = (text: string) => tokenizer.encode(text);
  const config = configOf(tokenizer.vocabSize);
  const model: Model = {
    decoder: decoderOf(config, 'organism config'),
    weights: initialWeights(config, seed),
    updates: new Map(),
    where: 'organism',
  };
  const quick = remembered(encode);
  const training = texts.map((text) => ({ ids: [...quick(text), config.eos_token_id], lossFrom: 0 }));
  const weights = await trainModel(runtime, model, training, () => true, { ...effort.train, seed }, onStep);
  return {
    model: { ...model, weights },
    config,
    tokenizerFiles,
    encode,
    decode: (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }),
  };
}
