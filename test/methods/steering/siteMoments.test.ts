/** Means of residuals over texts, against the formulas' own forward pass, attention sinks left out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meanNorm } from '../../../src/methods/steering/meanNorm.ts';
import { type SiteMoments, siteMoments } from '../../../src/methods/steering/siteMoments.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { draw } from '../../support/opCases.ts';
import { slowResiduals } from '../../support/slowLlama.ts';
import { layer, withSink } from '../../support/tinyFolder.ts';
import { randomIds } from '../../support/tinyModel.ts';

const tiny = withSink();
const model = { ...tiny.model, weights: tiny.weights };
const sink = 'Q'.charCodeAt(0);
const d = tiny.config.hidden_size;
const random = draw(3);
const texts = [4, 7, 5].map((length, n) => ({
  ids: randomIds(random, length, tiny).toSpliced(n, 0, sink),
  start: length - 1,
}));
/** By text, the rows that are no sinks, with their places. */
const rows = texts.map(({ ids }) =>
  slowResiduals(tiny, ids)
    [layer]!.map((row, place) => ({ row, place }))
    .filter(({ place }) => ids[place] !== sink),
);

describe('siteMoments', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let found: SiteMoments;
  beforeAll(async () => {
    found = await siteMoments(runtime, model, layer, texts);
  });
  afterAll(() => runtime.close());

  const meanRow = (some: readonly { readonly row: readonly number[] }[]) =>
    Array.from({ length: d }, (_, i) => some.reduce((sum, { row }) => sum + row[i]!, 0) / some.length);
  const expectRow = (row: Float32Array, expected: readonly number[]) => {
    expected.forEach((x, i) => {
      expect(row[i]).toBeCloseTo(x, 4);
    });
  };

  it('has the mean norm of all tokens that are no sinks, as meanNorm has', async () => {
    const all = rows.flat();
    const norm = all.reduce((sum, { row }) => sum + Math.hypot(...row), 0) / all.length;
    expect(found.norm / norm).toBeCloseTo(1, 5);
    const ids = texts.map((text) => text.ids);
    expect(found.norm).toBeCloseTo(await meanNorm(runtime, model, layer, ids), 10);
  });

  it('has the mean over all of them, and over each completion’s own', () => {
    expectRow(found.mean, meanRow(rows.flat()));
    expect(found.completions).toHaveLength(3);
    texts.forEach(({ start }, n) => {
      expectRow(found.completions[n]!, meanRow(rows[n]!.filter(({ place }) => place >= start)));
    });
  });

  it('has none of a completion without tokens of its own, and loses nothing of the rest by it', async () => {
    const [first, ...others] = texts;
    const bare = { ids: first!.ids, start: first!.ids.length };
    const again = await siteMoments(runtime, model, layer, [bare, ...others]);
    expect(again.completions[0]).toBeUndefined();
    expect(again.completions.slice(1)).toEqual(found.completions.slice(1));
    expect([again.norm, again.mean]).toEqual([found.norm, found.mean]);
  });

  it('is not a number without texts', async () => {
    expect((await siteMoments(runtime, model, layer, [])).norm).toBeNaN();
  });
});
