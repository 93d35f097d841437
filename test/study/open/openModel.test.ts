/** What a model path may name, and what is told where it names nothing that can run. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/files/safetensors.ts';
import { Scope } from '../../../src/models/decoder.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { type StoredTensor, type Tensor, tensor } from '../../../src/tensor.ts';
import { adapterConfig } from '../../support/adapters.ts';
import {
  adapterFactors,
  ggufOf,
  put,
  putAdapter,
  putAll,
  putModel,
  tiny as subject,
  type TinyFolder,
  width,
} from '../../support/tinyFolder.ts';
import { tinyModel } from '../../support/tinyModel.ts';
import { byteLevelConfig, byteLevelJson } from '../../support/tokenizers.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
/** A copy of the model folder, to be damaged. */
function copy(): string {
  const path = join(folder, `copy${copies++}`);
  cpSync(tiny.model, path, { recursive: true });
  return path;
}

const open = (path: string, adapter?: string) => openModel(path, { cacheDir: tiny.cache, adapter });

async function valuesOf(path: string): Promise<Map<string, unknown>> {
  const { model } = await open(path);
  const values = new Map<string, unknown>();
  for (const [name, weight] of model.weights) {
    const stored = weight as StoredTensor;
    values.set(name, (await readTensor(stored)).data);
  }
  return new Map([...values].sort());
}

describe('the same model', () => {
  const expected = new Map([...subject.weights].map(([name, { data }]) => [name, data] as const).sort());

  it('as a folder of safetensors', async () => {
    expect(await valuesOf(tiny.model)).toEqual(expected);
  });

  it('as a GGUF file alone: weights in the published order, the text side from its metadata', async () => {
    expect(await valuesOf(tiny.gguf)).toEqual(expected);
    const [alone, published] = [await open(tiny.gguf), await open(tiny.model)];
    expect(alone.source).toBe(tiny.gguf);
    const chat = [{ role: 'user', content: 'Is it late?' }];
    expect(alone.codec.encodePrompt(chat)).toEqual(published.codec.encodePrompt(chat));
    expect(alone.codec.endOfTurnId).toBe(published.codec.endOfTurnId);
    const { family, width, blocks, vocabulary, context } = published.model.decoder;
    expect(alone.model.decoder).toMatchObject({ family, width, blocks, vocabulary, context });
  });

  it('as a folder with a GGUF: config.json and tokenizer.json beside it come first, and count', async () => {
    const path = join(folder, 'with-gguf');
    put(join(path, 'tiny.gguf'), ggufOf());
    expect(await valuesOf(path)).toEqual(expected);
    put(join(path, 'config.json'), { ...subject.config, max_position_embeddings: 99 });
    put(join(path, 'tokenizer.json'), byteLevelJson());
    put(join(path, 'tokenizer_config.json'), {
      ...byteLevelConfig,
      chat_template: '{{ messages[0].content }}',
    });
    const { model, codec, source } = await open(path);
    expect(model.decoder.context).toBe(99);
    expect(codec.chatText([{ role: 'user', content: 'x' }], { addGenerationPrompt: true })).toBe('x');
    expect(source).toBe(path);
  });

  it('in shards, and behind links as a cache of downloads has them', async () => {
    const path = copy();
    const tensors = await openSafetensors(path);
    const weight_map: Record<string, string> = {};
    for (const [i, part] of [[...tensors].slice(0, 9), [...tensors].slice(9)].entries()) {
      const name = `model-${i}.safetensors`;
      const read = await Promise.all(part.map(async ([n, t]) => [n, await readTensor(t)] as const));
      await writeSafetensors(join(path, name), read);
      for (const [n] of part) weight_map[n] = name;
    }
    rmSync(join(path, 'model.safetensors'));
    put(join(path, 'model.safetensors.index.json'), { weight_map });
    mkdirSync(join(folder, 'blobs'));
    renameSync(join(path, 'model-1.safetensors'), join(folder, 'blobs', 'abc'));
    symlinkSync(join(folder, 'blobs', 'abc'), join(path, 'model-1.safetensors'));
    expect(await valuesOf(path)).toEqual(expected);
    const { model } = await open(path);
    expect(new Set([...model.weights.values()].map((w) => (w as StoredTensor).file))).toEqual(
      new Set([join(path, 'model-0.safetensors'), join(folder, 'blobs', 'abc')]),
    );
  });

  it('with an adapter: its factors beside the weights', async () => {
    const { model } = await open(tiny.model, tiny.adapter);
    const factors = adapterFactors();
    expect(model.updates.size).toBe(factors.size / 2);
    for (const { a, rank, scale } of model.updates.values()) {
      expect(rank).toBe(adapterConfig.r);
      expect(scale).toBe(3);
      expect((await readTensor(model.weights.get(a) as StoredTensor)).data).toEqual(factors.get(a)!.data);
    }
  });
});

describe('a model of tied tables', () => {
  const tied = tinyModel({ tied: true, config: { vocab_size: 272, max_position_embeddings: 256 } });
  const table = tied.weights.get('model.embed_tokens.weight')!;
  const other = tensor(
    'f32',
    table.shape,
    table.data.map((x) => -x),
  );

  it.each<[string, Record<string, Tensor<'f32'> | undefined>, Float32Array]>([
    ['has one table', {}, table.data],
    [
      'has it under the other name',
      { 'model.embed_tokens.weight': undefined, 'lm_head.weight': other },
      other.data,
    ],
    ['has both, which differ: it is not tied', { 'lm_head.weight': other }, other.data],
  ])('%s', async (_, over, expected) => {
    const weights = new Map(tied.weights);
    for (const [name, t] of Object.entries(over)) t ? weights.set(name, t) : weights.delete(name);
    const path = await putModel(join(folder, `tied${copies++}`), { ...tied, weights });
    const { model } = await open(path);
    const head = model.decoder.unembedding(new Scope(model)).attributes as { name: string };
    const stored = model.weights.get(head.name) as StoredTensor;
    expect((await readTensor(stored)).data).toEqual(expected);
  });
});

describe('is refused', () => {
  it.each<[string, (path: string) => unknown, RegExp]>([
    ['no config.json', (p) => rmSync(join(p, 'config.json')), /config\.json: no such file or folder$/],
    [
      'a config.json that is no JSON',
      (p) => put(join(p, 'config.json'), '{'),
      /config\.json: expected JSON: /,
    ],
    ['no tokenizer', (p) => rmSync(join(p, 'tokenizer.json')), /tokenizer\.json: no such file or folder$/],
    [
      'no weights',
      (p) => rmSync(join(p, 'model.safetensors')),
      /expected model\.safetensors, .* found none of these$/,
    ],
    [
      'another family',
      (p) => put(join(p, 'config.json'), { ...subject.config, model_type: 'mamba' }),
      /config\.json: model_type: expected one of .*llama.*, found "mamba"$/,
    ],
    [
      'a config of another width than the weights',
      (p) => put(join(p, 'config.json'), { ...subject.config, intermediate_size: 24 }),
      /weight model\.layers\.0\.mlp\.gate_proj\.weight: config expects \[24,16\], the file has \[20,16\]$/,
    ],
    [
      'a block too many',
      (p) => put(join(p, 'config.json'), { ...subject.config, num_hidden_layers: 4 }),
      /weight model\.layers\.3\.\S+ is missing$/,
    ],
    [
      'a tokenizer of more tokens than the embedding has',
      async (p) => putModel(p, tinyModel({ config: { vocab_size: 200 } })),
      /the tokenizer has 272 tokens, the model an embedding for 200$/,
    ],
  ])('%s', async (_, damage, message) => {
    const path = copy();
    await damage(path);
    await expect(open(path)).rejects.toThrow(message);
  });

  const withWeights = (path: string, more: readonly (readonly [string, Tensor])[]) =>
    writeSafetensors(join(path, 'model.safetensors'), new Map([...subject.weights, ...more]));
  const row = (dtype: 'i8' | 'f32', values: number[]) =>
    tensor(dtype, [values.length], dtype === 'i8' ? Int8Array.from(values) : Float32Array.from(values));

  it.each<[string, Tensor, RegExp]>([
    ['model.layers.0.self_attn.q_proj.SCB', row('f32', [1]), /SCB: belongs to quantised weights/],
    ['model.layers.0.mlp.up_proj.qweight', row('i8', [1]), /qweight: belongs to quantised weights/],
    ['model.layers.0.mlp.up_proj.weight_scale', row('f32', [1]), /weight_scale: belongs to quantised/],
    ['model.layers.0.mlp.up_proj.bias', row('f32', Array(20).fill(1)), /config says that there is no bias/],
    ['model.layers.0.self_attn.q_norm.weight', row('f32', [1]), /q_norm\.weight: not read for a llama of 3/],
    ['model.layers.3.input_layernorm.weight', row('f32', [1]), /layers\.3\.\S+: not read for a llama of 3/],
    ['score.weight', row('f32', [1]), /score\.weight: not read for a llama of 3 blocks/],
    ['a\nline', row('f32', [1]), /tensor "a\\nline": not read/],
    ['model.norm.weight', row('i8', Array(width).fill(1)), /expected float values, found i8/],
    [
      'model.norm.weight',
      row('f32', [...Array(width - 1).fill(1), Infinity]),
      /"model\.norm\.weight": .* \[15\]$/,
    ],
  ])('a folder with %j', async (name, t, message) => {
    const path = copy();
    await withWeights(path, [[name, t]]);
    await expect(open(path)).rejects.toThrow(message);
  });

  it('but not for frequencies that old files store', async () => {
    const path = copy();
    await withWeights(path, [['model.layers.0.self_attn.rotary_emb.inv_freq', row('f32', [1])]]);
    await expect(open(path)).resolves.toBeDefined();
  });

  it.each<[object, RegExp]>([
    [{ rms_norm_eps: 0.01 }, /config\.json: rms_norm_eps: expected .*, as .*tiny\.gguf says, found 0\.01$/],
    [{ rope_theta: 5e5 }, /config\.json: rope_theta: expected 100, .* found 500000$/],
    [
      { rope_scaling: { type: 'linear', factor: 2 } },
      /config\.json: rope_scaling: expected .* found .*linear/,
    ],
    [{ num_attention_heads: 8, head_dim: 4 }, /config\.json: head_dim: expected 8, .* found 4$/],
    [{ head_dim: 2 ** 40 }, /config\.json: head_dim: expected 8, .* found 1099511627776$/],
  ])('a config.json that says other arithmetic than the GGUF beside it: %j', async (over, message) => {
    const path = join(folder, `beside${copies++}`);
    put(join(path, 'tiny.gguf'), ggufOf());
    put(join(path, 'config.json'), { ...subject.config, ...over });
    await expect(open(path)).rejects.toThrow(message);
  });

  it('a GGUF that lacks what its metadata stand for, whatever lies beside it', async () => {
    const path = join(folder, `beside${copies++}`);
    const weights = new Map(subject.weights);
    weights.delete('model.embed_tokens.weight');
    put(join(path, 'tiny.gguf'), ggufOf({ ...subject, weights }));
    put(join(path, 'config.json'), subject.config);
    await expect(open(path)).rejects.toThrow(/tiny\.gguf: vocab_size: .*found undefined$/);
  });

  it('two GGUF files in a folder, none of them named', async () => {
    for (const name of ['a.gguf', 'b.gguf']) put(join(folder, 'two', name), ggufOf());
    await expect(open(join(folder, 'two'))).rejects.toThrow(/found 2 \.gguf files \(name one of them\)$/);
  });

  it('a safetensors file by its own name', async () => {
    await expect(open(join(tiny.model, 'model.safetensors'))).rejects.toThrow(
      /name the folder of this file$/,
    );
  });

  it('an adapter of another model', async () => {
    const deeper = tinyModel({ config: { num_hidden_layers: 4 } });
    const wider = tinyModel({ config: { hidden_size: 24 } });
    await expect(open(tiny.model, await putAdapter(join(folder, 'deeper'), deeper))).rejects.toThrow(
      /adapts model\.layers\.3\.\S+, which .* does not have: an adapter for another model\?$/,
    );
    await expect(open(tiny.model, await putAdapter(join(folder, 'wider'), wider))).rejects.toThrow(
      /lora_A\.weight: expected \[2,16\] to fit .*, found \[2,24\]$/,
    );
  });

  it('an adapter of no name', async () => {
    await expect(open(tiny.model, '')).rejects.toThrow(/expected a folder with adapter_config\.json/);
  });
});
