/**
 * Texts read side by side behind their prompts against the same texts in one sequence each, for every family: caps,
 * windows and all. Needs ../shared.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { readingPass } from '../../src/methods/judging/reading.ts';
import { decoderOf } from '../../src/models/families.ts';
import { logitsGraph, residualGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { i64, toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { fixtureConfig, fixtureFamilies, fixtureModel, fixtureNumbers } from '../support/modelFixtures.ts';
import { shared } from '../support/shared.ts';

describe.skipIf(!shared)('needs ../shared: texts side by side', () => {
  const runtime = nodeRuntime({ threads: 1 });
  afterAll(() => runtime.close());

  it.each(fixtureFamilies)('%s', async (family) => {
    const golden = await fixtureNumbers(family);
    const model = { ...(await fixtureModel(family)), decoder: decoderOf(fixtureConfig(family), family) };
    const [layer, d] = [model.decoder.blocks - 1, model.decoder.width];
    const pass = await readingPass(runtime, model, layer);
    const residuals = await runtime.load(residualGraph(model, [layer]), model.weights);
    const allLogits = await runtime.load(logitsGraph(model), model.weights);
    const cuts = golden.rows.map((ids, b) => Math.max(1, Math.min(ids.length - 1, golden.prompt + 3 * b)));
    const texts = golden.rows.map((ids, b) => ({
      prompt: ids.slice(0, cuts[b]),
      completions: [ids.slice(cuts[b]), ids.slice(cuts[b], cuts[b]! + 1)],
    }));
    const readings = await pass.read(texts);
    for (const [b, ids] of golden.rows.entries()) {
      const feeds = { ...treeFeeds(sequence(ids)), rows: i64([ids.length], [...ids.keys()]) };
      const resid = toFloat32((await residuals.run(feeds))[`resid_post.${layer}`]!);
      const logits = toFloat32((await allLogits.run(feeds)).logits!);
      const vocabulary = logits.length / ids.length;
      for (const [k, completion] of texts[b]!.completions.entries()) {
        const places = completion.map((_, t) => cuts[b]! + t);
        const mean = Array.from(
          { length: d },
          (_, i) => places.reduce((sum, t) => sum + resid[t * d + i]!, 0) / places.length,
        );
        expectClose(readings[b]![k]!.mean, mean, 1e-5);
        const lnP = places.map((t) => {
          const row = Array.from(logits.subarray((t - 1) * vocabulary, t * vocabulary));
          const most = Math.max(...row);
          const sum = row.reduce((all, x) => all + Math.exp(x - most), 0);
          return row[ids[t]!]! - most - Math.log(sum);
        });
        const expected = lnP.reduce((sum, x) => sum + x, 0) / lnP.length;
        expect(Math.abs(readings[b]![k]!.logProbability - expected)).toBeLessThan(1e-5 * Math.abs(expected));
      }
    }
    await Promise.all([pass.release(), residuals.release(), allLogits.release()]);
  });
});
