/** Texts read behind their prompts: as alone whatever the company, sinks left out, each set its own tokens. */
import { afterAll, describe, expect, it } from 'vitest';
import { residualPass, rowsAt } from '../../../src/methods/site/residuals.ts';
import { textPass } from '../../../src/methods/site/textRows.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { draw } from '../../support/opCases.ts';
import { withSink } from '../../support/tinyFolder.ts';
import { randomIds, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel();
const runtime = nodeRuntime();
afterAll(() => runtime.close());
const d = 16;
const r = draw(3);
const prompt = randomIds(r, 9, tiny);

const near = (a: Float32Array, b: Float32Array) => {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThan(1e-4);
  });
};

describe('rows of a text', () => {
  it('are those that it has alone, of the set’s tokens', async () => {
    // more than fit behind one copy of the prompt
    const completions = [400, 500, 300, 7].map((count) => randomIds(r, count, tiny));
    const [pass, plain] = [
      await textPass(runtime, tiny.model, 1),
      await residualPass(runtime, tiny.model, 1),
    ];
    for (const tokens of ['completion', 'all', 'prompt'] as const) {
      const found = await pass.read(prompt, completions, tokens);
      for (const [n, completion] of completions.entries()) {
        const ids = tokens === 'prompt' ? prompt : [...prompt, ...completion];
        const { activation, places } = await plain.run(ids);
        const wanted = places.filter((place) => tokens !== 'completion' || place >= prompt.length);
        near(found[n]!.rows, rowsAt(activation, d, wanted));
        expect(found[n]!.tokens).toEqual(wanted.map((place) => ({ id: ids[place], position: place })));
      }
    }
    await Promise.all([pass.release(), plain.release()]);
  });

  it('are without attention sinks', async () => {
    const sinking = withSink();
    const pass = await textPass(runtime, { ...sinking.model, weights: sinking.weights }, 1);
    const letter = 'Q'.charCodeAt(0);
    const [found] = await pass.read([3, 4, 5], [[6, letter, 7, 8]], 'completion');
    expect(found!.tokens.map(({ id }) => id)).toEqual([6, 7, 8]);
    await pass.release();
  });
});
