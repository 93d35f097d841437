/**
 * Latents of other questions: which completions stand against which, by what the pass is asked, and that the
 * latent is the first of those contrasts.
 */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Contrast, contrastRows } from '../../../src/methods/site/contrast.ts';
import type { SitePass } from '../../../src/methods/site/siteGradient.ts';
import type { Tree } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Sae } from '../../../src/saes/sae.ts';
import { unrelatedDirections } from '../../../src/study/steering/unrelatedDirections.ts';
import { fakePass } from '../../support/fakePass.ts';
import { draw } from '../../support/opCases.ts';

const d = 6;
const latents = 9;
const random = draw(12);
const units = Array.from({ length: latents }, () => {
  const row = Array.from({ length: d }, () => random.normal());
  return row.map((x) => x / Math.hypot(...row));
});
const sae = {
  width: d,
  latents,
  decoderRows: async (from: number, to: number) => Float32Array.from(units.slice(from, to).flat()),
} as unknown as Sae;

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** What a completion's tokens are to the fake model: any function of them. */
const wave = (id: number, i: number, seed: number) => Math.sin(id * (i + 1) * 0.7 + seed);
const rowOf = (id: number, seed: number) => Array.from({ length: d }, (_, i) => wave(id, i, seed));
const fake = fakePass({
  activation: (tree, place) => rowOf(tree.ids[place]!, 1),
  gradient: (tree, b, place) => rowOf(tree.ids[tree.branches[b]!.start]! + tree.ids[place]!, 2),
});

type Text = string;
const idsOf = (text: Text) => [...text].map((letter) => letter.charCodeAt(0));
const textOf = (ids: readonly number[]) => String.fromCharCode(...ids);
const contrast = (id: string, positives: readonly Text[], negatives: readonly Text[]): Contrast => ({
  id,
  prompt: idsOf('what'),
  positives: positives.map(idsOf),
  negatives: negatives.map(idsOf),
});

interface Asked {
  readonly more: string[];
  readonly less: string[];
}
let asked: Asked[] = [];
beforeEach(() => {
  asked = [];
});
/** Tells which completions count as positive and which as negative. */
const pass: SitePass = {
  ...fake,
  run(tree, weights) {
    return fake.run(tree, (losses) => {
      const given = weights(losses);
      const texts = (is: (weight: number) => boolean) =>
        tree.branches.filter((_, b) => is(given[b]!)).map((branch) => branchText(tree, branch));
      asked.push({ more: texts((weight) => weight > 0), less: texts((weight) => weight < 0) });
      return given;
    });
  },
};
const branchText = (tree: Tree, { start, end }: Tree['branches'][number]) =>
  textOf(tree.ids.slice(start, end));

const options = { baseline: new Float32Array(d), tokenSet: 'all' } as const;
const found = (...contrasts: Contrast[]) =>
  unrelatedDirections({ runtime, pass, sae, contrasts, options, textOf });

const positives = [' bee', ' apples', ' figs and', ' c'];
const negatives = [' zebra and', ' yak', ' x-ray'];

describe('completions stand against others of their own kind and prompt', () => {
  it('by length, then by letter, positives and negatives as many on both sides', async () => {
    const directions = await found(contrast('one', positives, negatives));
    expect(directions.map(({ name, role }) => [name, role])).toEqual([
      ['unrelated: length', 'control'],
      ['unrelated: first letter', 'control'],
    ]);
    const sorted = ({ more, less }: Asked) => [more.toSorted(), less.toSorted()];
    // of three negatives the one in the middle stands nowhere
    expect(asked.map(sorted)).toEqual([
      [
        [' apples', ' figs and', ' zebra and'],
        [' bee', ' c', ' yak'],
      ],
      [
        [' apples', ' bee', ' x-ray'],
        [' c', ' figs and', ' zebra and'],
      ],
    ]);
    for (const { more, less } of asked)
      for (const kind of [positives, negatives])
        expect(more.filter((text) => kind.includes(text))).toHaveLength(
          less.filter((text) => kind.includes(text)).length,
        );
  });

  it('none where each kind has one completion', async () => {
    expect(await found(contrast('one', [' yes, of course'], [' no']))).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('and none of a kind whose halves meet in one answer', async () => {
    // lengths 2, 3, 3, 4: the halves meet at 3
    const [length] = await found(contrast('one', [' a', ' bb', ' cc', ' ddd'], [' e', ' fff']));
    expect(length!.name).toBe('unrelated: length');
    expect(asked[0]).toEqual({ more: [' fff'], less: [' e'] });
  });
});

it('is the first latent by Δ of these contrasts, with the sign of their gradient', async () => {
  const others = [
    contrast('one', [' apples', ' figs and'], [' bee', ' c']),
    contrast('two', [' long text'], [' brief']),
  ];
  const given = [
    contrast('one', [' apples', ' c'], [' figs and', ' bee']),
    contrast('two', [' long text', ' brief'], [' single']),
    contrast('three', [' alone'], [' single']),
  ];
  const [length] = await found(...given);
  const m = Array.from({ length: d }, () => Array<number>(d).fill(0));
  const g = Array<number>(d).fill(0);
  for (const other of others) {
    const rows = await contrastRows(fake, other, options);
    for (let t = 0; t < rows.gradient.length / d; t++)
      for (let i = 0; i < d; i++) {
        g[i]! += rows.gradient[t * d + i]! / others.length;
        for (let j = 0; j < d; j++)
          m[i]![j]! += (rows.gradient[t * d + i]! * rows.centred[t * d + j]!) / others.length;
      }
  }
  const delta = units.map((unit) =>
    unit.reduce((sum, x, i) => sum - unit.reduce((part, y, j) => part + x * m[i]![j]! * y, 0), 0),
  );
  const first = delta.indexOf(Math.max(...delta));
  expect(length!.latent).toBe(first);
  expect(length!.vector).toEqual(Float32Array.from(units[first]!));
  expect(length!.sign).toBe(units[first]!.reduce((sum, x, i) => sum + x * g[i]!, 0) > 0 ? -1 : 1);
});
