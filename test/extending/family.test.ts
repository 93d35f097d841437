/**
 * Adds a model family by one object in the list: it loads a tiny model from a folder, which runs as any
 * other.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../src/files/jsonFile.ts';
import { openSafetensors, writeSafetensors } from '../../src/files/safetensors.ts';
import { add, gather, rmsNorm, tanh } from '../../src/graph/build.ts';
import { decoderOf, families, familyOfGguf } from '../../src/models/families.ts';
import { type Family, type GgufFamily, metadataReader } from '../../src/models/family.ts';
import { logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { i64, type Tensor, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { draw } from '../support/opCases.ts';
import { refusal } from '../support/refusal.ts';
import { normal } from '../support/tinyModel.ts';

const config = z.object({
  model_type: z.literal('made-up'),
  vocab: z.int(),
  width: z.int(),
  blocks: z.int(),
});

/** Each block adds tanh(x W) to the residual stream; tokens do not see one another. */
const madeUp: GgufFamily = {
  modelType: 'made-up',
  keys: { applied: Object.keys(config.shape) },
  decoder(given) {
    const { vocab, width, blocks } = config.parse(given);
    const finalGain: ReturnType<Family['decoder']>['finalGain'] = (scope) => scope.param('norm', [width]);
    return {
      family: 'made-up',
      width,
      blocks,
      vocabulary: vocab,
      context: 64,
      embed: (scope, { ids }) => gather(scope.param('embed', [vocab, width]), ids),
      block: (layer, x, scope) => add(x, tanh(scope.linear(x, `block.${layer}`, width, width))),
      finalNorm: (x, scope) => rmsNorm(x, finalGain(scope), 1e-6),
      finalGain,
      unembedding: (scope) => scope.param('embed', [vocab, width]),
    };
  },
  gguf: {
    architecture: 'made_up',
    keys: { applied: ['made_up.blocks'] },
    config(metadata, tensors, where) {
      const [vocab, width] = tensors.get('embed')!.shape;
      return {
        model_type: 'made-up',
        vocab,
        width,
        blocks: metadataReader(metadata, where).number('made_up.blocks'),
      };
    },
    rename: (name) => ({ target: name }),
  },
};

const known = [...families, madeUp];
const folder = mkdtempSync(join(tmpdir(), 'culprit-family-'));
const runtime = nodeRuntime({ threads: 1 });
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const [V, d, blocks] = [11, 6, 2];
const r = draw(5);
const weights = new Map<string, Tensor<'f32'>>([
  ['embed', normal(r, [V, d], 1)],
  ['norm', normal(r, [d], 0.2, 1)],
  ...Array.from({ length: blocks }, (_, l) => [`block.${l}.weight`, normal(r, [d, d], 0.5)] as const),
]);

/** x + tanh(W x) */
function blockOf(x: readonly number[], layer: number): number[] {
  const w = weights.get(`block.${layer}.weight`)!.data;
  return x.map((value, i) => value + Math.tanh(x.reduce((sum, v, j) => sum + v * w[i * d + j]!, 0)));
}

it('is read from its config.json, and its residuals and logits are those of its formula', async () => {
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ model_type: 'made-up', vocab: V, width: d, blocks }),
  );
  const file = join(folder, 'model.safetensors');
  await writeSafetensors(file, weights);
  const decoder = decoderOf(await readJson(join(folder, 'config.json')), 'config.json', known);
  const model = { decoder, weights: await openSafetensors(file), updates: new Map(), where: folder };
  const ids = [3, 0, 10, 3];
  const embed = weights.get('embed')!.data;
  const rows = ids.map((id) => blockOf(blockOf([...embed.slice(id * d, (id + 1) * d)], 0), 1));
  const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
  const run = async (graph: ReturnType<typeof logitsGraph>) => {
    const session = await runtime.load(graph, model.weights);
    const found = await session.run(feeds);
    await session.release();
    return found;
  };
  const residuals = await run(residualGraph(model, [1]));
  expectClose(toFloat32(residuals['resid_post.1']!), rows.flat(), 1e-5);
  const gain = weights.get('norm')!.data;
  const logits = rows.flatMap((row) => {
    const size = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / d + 1e-6);
    const hidden = row.map((x, j) => (x / size) * gain[j]!);
    return Array.from({ length: V }, (_, id) =>
      hidden.reduce((sum, x, j) => sum + x * embed[id * d + j]!, 0),
    );
  });
  expectClose(toFloat32((await run(logitsGraph(model))).logits!), logits, 1e-5);
});

it('is chosen by the architecture of a GGUF file', () => {
  const metadata = new Map<string, unknown>([
    ['general.architecture', 'made_up'],
    ['made_up.blocks', blocks],
  ]);
  expect(familyOfGguf(metadata, 'x.gguf', known)).toBe(madeUp);
  const tensors = new Map([['embed', { shape: [V, d] }]]);
  const found = madeUp.gguf.config(metadata, tensors, 'x.gguf');
  expect(decoderOf(found, 'x.gguf', known)).toMatchObject({ width: d, blocks, vocabulary: V });
});

it('is refused with a key that it does not apply and that looks as if it changed the arithmetic', () => {
  const given = { model_type: 'made-up', vocab: V, width: d, blocks, embedding_multiplier: 12, mup_shift: 2 };
  expect(refusal(() => decoderOf(given, 'config', known))).toMatch(/^config: embedding_multiplier: /);
  expect(refusal(() => decoderOf({ ...given, embedding_multiplier: 1 }, 'config', known))).toMatch(
    /^config: mup_shift: not known here/,
  );
  const metadata = new Map<string, unknown>([
    ['general.architecture', 'made_up'],
    ['made_up.shift', 2],
  ]);
  expect(refusal(() => familyOfGguf(metadata, 'x.gguf', known))).toMatch(/^x\.gguf: made_up\.shift: /);
});

it('is unknown without its place in the list, and named where another is unknown', () => {
  const given = { model_type: 'made-up', vocab: V, width: d, blocks };
  expect(refusal(() => decoderOf(given, 'config'))).toBe(
    `config: model_type: expected one of ${families.map((one) => one.modelType).join(', ')}, found "made-up"`,
  );
  expect(refusal(() => decoderOf({ model_type: 'other' }, 'config', known))).toBe(
    `config: model_type: expected one of ${known.map((one) => one.modelType).join(', ')}, found "other"`,
  );
});
