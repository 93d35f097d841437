/** Each family's fixture as a GGUF, as llama.cpp's converter would write it, gives transformers' logits. Needs ../shared. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dequantiseOnce } from '../../src/files/dequantised.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { decoderOf, familyOfGguf, readDecoder } from '../../src/models/families.ts';
import { logitsGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { checkAllRead } from '../../src/models/weightsRead.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { i64, type Tensor } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { temporaryFolder } from '../support/folder.ts';
import { fixtureAsGguf, ggufWritten } from '../support/ggufFamilies.ts';
import { floatTensor, type TestTensor } from '../support/ggufWriter.ts';
import {
  asFixtureRan,
  fixtureConfig,
  fixtureModel,
  fixtureNumbers,
  jsonAt,
} from '../support/modelFixtures.ts';
import { shared } from '../support/shared.ts';

type Name = keyof typeof ggufWritten;
const names = Object.keys(ggufWritten) as Name[];
/** What the metadata of these cannot say: Mistral's window, and which of SmolLM3's layers have no positions. */
const unsaid: readonly Name[] = ['mistral', 'smollm3'];

describe.skipIf(!shared)('needs ../shared: a GGUF', () => {
  const at = temporaryFolder();

  async function read(name: Name, more = {}, besides: readonly TestTensor[] = []) {
    const { weights } = await fixtureModel(name);
    const config = fixtureConfig(name);
    const path = at('model.gguf');
    writeFileSync(
      path,
      fixtureAsGguf(ggufWritten[name], weights as ReadonlyMap<string, Tensor>, config, more, besides),
    );
    const gguf = await readGguf(path);
    const family = familyOfGguf(gguf.metadata, path);
    const own = family.gguf.config(gguf.metadata, gguf.tensors, path);
    const plan = [...gguf.tensors.keys()].map((source) => ({ source, ...family.gguf.rename(source, own)! }));
    const found = new Map<string, Tensor>();
    for (const [key, stored] of await openSafetensors(
      await dequantiseOnce({ gguf, plan, cacheDir: at('cache') }),
    ))
      found.set(key, await readTensor(stored));
    return { family, own, config, weights: found, published: weights as ReadonlyMap<string, Tensor> };
  }

  it.each(names)('of %s', async (name) => {
    const { family, own, config, weights, published } = await read(name);
    expect([...weights.keys()].sort()).toEqual([...published.keys()].sort());
    for (const [key, tensor] of published) {
      expect(weights.get(key)!.shape).toEqual(tensor.shape);
      // norms come back from a sum with 1
      expectClose(weights.get(key)!.data as Float32Array, tensor.data as Float32Array, 1e-6);
    }
    const isSaid = !unsaid.includes(name);
    const decoder = asFixtureRan(name, isSaid ? readDecoder(family, own, name) : decoderOf(config, name));
    const model = { decoder, weights, updates: new Map(), where: name };
    const graph = logitsGraph(model);
    checkAllRead(model, graph);
    const golden = await fixtureNumbers(name);
    const ids = golden.rows[0]!;
    const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
    expectClose(evaluate(graph, weights, feeds).logits!.data as Float64Array, golden.of('logits', 0), 1e-5);
    const difference = name === 'mistral' ? undefined : family.gguf.difference?.(config, own);
    expect(difference?.field).toBe(name === 'smollm3' ? 'no_rope_layers' : undefined);
  });

  it('of phi3 with longrope, whose factors are tensors', async () => {
    const variants = jsonAt(resolve(import.meta.dirname, 'variants.json')) as unknown as {
      family: string;
      name: string;
      over: { rope_scaling?: { short_factor: number[]; long_factor: number[] } };
      logits: number[][];
    }[];
    const { over, logits } = variants.find((one) => one.name === 'longrope')!;
    const { short_factor: short, long_factor: long } = over.rope_scaling!;
    const metadata = {
      context_length: 4096,
      'rope.scaling.original_context_length': 64,
      'rope.scaling.attn_factor': Math.SQRT2,
    };
    const { family, own, weights } = await read('phi3', metadata, [
      floatTensor('rope_factors_short.weight', [4], short),
      floatTensor('rope_factors_long.weight', [4], long),
    ]);
    const model = { decoder: readDecoder(family, own, 'phi3'), weights, updates: new Map(), where: 'phi3' };
    expect(model.decoder.context).toBe(64);
    const graph = logitsGraph(model);
    checkAllRead(model, graph);
    const feeds = {
      ...treeFeeds(sequence((await fixtureNumbers('phi3')).rows[0]!)),
      rows: i64([2], [7, 19]),
    };
    expectClose(evaluate(graph, weights, feeds).logits!.data as Float64Array, logits.flat(), 1e-5);
  });

  it.each<[Name, Record<string, number | boolean>, RegExp]>([
    ['gemma2', { 'attention.scale': 0.5 }, /gemma2\.attention\.scale: not supported/],
    ['gemma3', { attn_logit_softcapping: 5 }, /gemma3\.attn_logit_softcapping: not supported/],
    ['qwen2', { 'attention.sliding_window': 6 }, /qwen2\.attention\.sliding_window: not supported/],
    ['qwen3', { expert_count: 8 }, /qwen3\.expert_count: not supported/],
    ['gpt_neox', { 'rope.scaling.factor': 2 }, /gptneox\.rope\.scaling\.factor: not known/],
    ['gpt2', { something: 1 }, /gpt2\.something: not known/],
    ['phi3', { 'rope.scaling.yarn_ext_factor': 2 }, /phi3\.rope\.scaling\.yarn_ext_factor: not supported/],
  ])('of %s with %j is refused', async (name, more, message) => {
    await expect(read(name, more)).rejects.toThrow(message);
  });
});
