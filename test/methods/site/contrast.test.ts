/** What one contrast gives, against docs/method.md's definition computed from each completion run alone. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import {
  type Contrast,
  type ContrastOptions,
  contrastRows,
  type LossKind,
  lossKinds,
  type TokenSet,
  tokenSets,
} from '../../../src/methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../../src/methods/site/siteGradient.ts';
import { packTree } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { f32 } from '../../../src/tensor.ts';
import { expectClose, greatest, greatestDifference } from '../../support/close.ts';
import { fakePass } from '../../support/fakePass.ts';
import { draw } from '../../support/opCases.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel();
const d = tiny.config.hidden_size;
/** Token 0 has a huge embedding, so that it is an attention sink wherever it stands. */
const table = tiny.weights.get('model.embed_tokens.weight')!;
tiny.weights.set(
  'model.embed_tokens.weight',
  f32(
    table.shape,
    table.data.map((x, i) => (i < d ? 400 * x : x)),
  ),
);
const baseline = normal(draw(5), [d], 1).data;

/** Σ_t g_t c_tᵀ [d, d] of rows, in float64. */
const outer = (g: Float32Array, c: Float32Array) =>
  Array.from({ length: d * d }, (_, at) => {
    let sum = 0;
    for (let row = 0; row < g.length; row += d) sum += g[row + Math.floor(at / d)]! * c[row + (at % d)]!;
    return sum;
  });

/**
 * M = mean over pairs of [mean_t g⁺(a⁺−ā)ᵀ − mean_t g⁻(a⁻−ā)ᵀ], each completion by itself and token 0 left
 * out; and the greatest term of all completions, before any cancel.
 */
async function slowMatrix(pass: SitePass, given: Contrast, set: TokenSet, loss: LossKind) {
  let size = 0;
  const ofCompletion = async (completion: readonly number[]) => {
    const ids = [...given.prompt, ...completion];
    const weight = loss === 'mean' ? 1 / completion.length : 1;
    const { activation, gradient } = await pass.run(packTree(given.prompt, [completion]), () => [weight]);
    const inSet = (t: number) => set === 'all' || t < given.prompt.length === (set === 'prompt');
    const tokens = [...ids.keys()].filter((t) => ids[t] !== 0 && inSet(t));
    const rows = (x: Float32Array) => tokens.flatMap((t) => [...x.subarray(t * d, (t + 1) * d)]);
    const g = Float32Array.from(rows(gradient), (x) => x / tokens.length);
    const c = Float32Array.from(rows(activation), (x, i) => x - baseline[i % d]!);
    size = Math.max(size, greatest(g) * greatest(c));
    return outer(g, c);
  };
  const [positives, negatives] = await Promise.all(
    [given.positives, given.negatives].map((side) => Promise.all(side.map(ofCompletion))),
  );
  const pairs = positives!.flatMap((p) => negatives!.map((n) => p.map((x, i) => x - n[i]!)));
  return { m: pairs[0]!.map((_, i) => pairs.reduce((sum, pair) => sum + pair[i]!, 0) / pairs.length), size };
}

const ids = (maxLength: number) => fc.array(fc.integer({ min: 1, max: 28 }), { minLength: 1, maxLength });
/** Prompts that begin with the sink, completions some of which hold it. */
const contrasts: fc.Arbitrary<Contrast> = fc.record({
  id: fc.constant('made'),
  prompt: fc.tuple(ids(1), ids(4)).map(([a, b]) => [0, ...a, ...b]),
  positives: fc.array(ids(4), { minLength: 1, maxLength: 3 }),
  negatives: fc.array(
    fc.tuple(ids(4), fc.boolean()).map(([x, sink]) => (sink ? [...x, 0] : x)),
    { minLength: 1, maxLength: 3 },
  ),
});

describe('contrastRows equals the definition', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: SitePass;
  beforeAll(async () => {
    pass = await sitePass(runtime, tiny.model, 1);
  });
  afterAll(() => runtime.close());

  describe.each(tokenSets)('over the tokens of %s', (tokenSet) => {
    it.each(lossKinds)('for the %s of the loss', async (loss) => {
      await fc.assert(
        fc.asyncProperty(contrasts, async (given) => {
          const { gradient, centred, tokens } = await contrastRows(pass, given, { baseline, tokenSet, loss });
          expect(tokens.every(({ id }) => id !== 0)).toBe(true);
          const { m, size } = await slowMatrix(pass, given, tokenSet, loss);
          // float32: a few 1e-6 of the terms, which may cancel
          expect(greatestDifference(outer(gradient, centred), m)).toBeLessThanOrEqual(5e-6 * size);
        }),
        { numRuns: 8 },
      );
    });
  });
});

const options = (more: Partial<ContrastOptions> = {}): ContrastOptions => ({
  baseline: Float32Array.of(1, 2),
  ...more,
});

describe('rows', () => {
  /** Tokens ≥ 100 have norms to be sinks by; gradients tell branch and place. */
  const pass = fakePass({
    activation: (tree, place) => [tree.ids[place]!, 0],
    gradient: (_, b, place) => [b + 1, place],
    nll: (b, i) => b + i,
  });
  const given: Contrast = {
    id: 'x',
    prompt: [900, 5, 6],
    positives: [[7, 8], [9]],
    negatives: [[10, 11, 12]],
  };

  it('hold gradient and activation with signs, means and baseline folded in, and say which tokens they are', async () => {
    const rows = await contrastRows(pass, given, options());
    // losses' weights a token: +1/2/2, +1/2/1, −1/3; rows' weight 1/2
    const g = 1 / 4 + 2 / 2 - 3 / 3;
    const w = 1 / 4 + 1 / 2 - 1 / 3;
    expectClose(rows.gradient, [g / 2, w / 2, g / 2, w], 1e-6);
    expect([...rows.centred]).toEqual([4, -2, 5, -2]);
    expect(rows.tokens).toEqual([
      { id: 5, position: 1, branch: -1 },
      { id: 6, position: 2, branch: -1 },
    ]);
    expect(rows).toMatchObject({ id: 'x', losses: [0.5, 1, 3], packed: 9, sinks: 1 });
  });

  it('of completions stand after the prompt, positives before negatives; losses may be sums', async () => {
    const rows = await contrastRows(pass, given, options({ tokenSet: 'all', loss: 'sum' }));
    expect(rows.tokens.map(({ branch }) => branch)).toEqual([-1, -1, 0, 0, 1, 2, 2, 2]);
    expect(rows.tokens.map(({ position }) => position)).toEqual([1, 2, 3, 4, 3, 3, 4, 5]);
    expect(rows.losses).toEqual([1, 1, 9]);
    // ±1/n by 1/|T| of each completion's own set
    const weights = [1 / 2 / 4, 1 / 2 / 3, -1 / 5];
    expectClose(
      rows.gradient.slice(4, 10),
      [weights[0]!, weights[0]! * 3, weights[0]!, weights[0]! * 4, 2 * weights[1]!, weights[1]! * 5],
      1e-6,
    );
    const alone = await contrastRows(pass, given, options({ tokenSet: 'completion' }));
    expect(alone.tokens).toEqual(rows.tokens.slice(2));
  });

  it('leave a prompt token out of every completion where it is a sink in one', async () => {
    // 95 is beyond ten times the median of [95, 5, 6, 7] only
    const uneven = { ...given, prompt: [95, 5, 6], positives: [[7]], negatives: [[50, 60, 70, 80]] };
    for (const tokenSet of tokenSets) {
      const rows = await contrastRows(pass, uneven, options({ tokenSet }));
      expect(rows.tokens.some(({ id }) => id === 95)).toBe(false);
      expect(rows.sinks).toBe(1);
    }
    const kept = await contrastRows(pass, { ...uneven, positives: uneven.negatives }, options());
    expect(kept).toMatchObject({ sinks: 0 });
    expect(kept.tokens[0]!.id).toBe(95);
  });

  it('go by the sink factor given', async () => {
    const rows = await contrastRows(pass, given, options({ sinkFactor: 1000 }));
    expect(rows.sinks).toBe(0);
    expect(rows.tokens.map(({ id }) => id)).toEqual([900, 5, 6]);
  });

  it.each<[TokenSet, Contrast, string]>([
    ['prompt', { ...given, prompt: [900] }, '1 of 7 tokens'],
    ['completion', { ...given, positives: [[7, 8], [900]] }, '2 of 9 tokens'],
    ['completion', { ...given, negatives: [[900]] }, '2 of 7 tokens'],
  ])('are refused where the set %s is left empty', async (tokenSet, empty, count) => {
    const attempt = contrastRows(pass, empty, options({ tokenSet }));
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(
      `pair x: no token of the set '${tokenSet}' is left once attention sinks are taken out (${count})`,
    );
  });
});
