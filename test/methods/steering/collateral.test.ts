/** What a change does to a text, against the forward pass written from the formulas. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CollateralPass,
  collateralPass,
  divergenceOf,
} from '../../../src/methods/steering/collateral.ts';
import { steeredBy, unchanged } from '../../../src/methods/steering/forced.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { draw } from '../../support/opCases.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { normal, tinyModel } from '../../support/tinyModel.ts';

const tiny = tinyModel({ seed: 41 });
const d = tiny.config.hidden_size;
const layer = 1;
const vector = normal(draw(42), [d], 0.7).data;
const texts = [
  [3, 8, 1, 20, 5, 6, 7],
  [2, 4, 9, 9],
];

const logitsOf = (ids: readonly number[], size: number) =>
  slowHead(
    tiny,
    layer,
    slowResiduals(tiny, ids)[layer]!.map((a) => a.map((x, i) => x + size * vector[i]!)),
  );
const softmax = (row: readonly number[]) => {
  const all = row.map((x) => Math.exp(x - Math.max(...row)));
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((x) => x / sum);
};
const greatest = (row: readonly number[]) => row.indexOf(Math.max(...row));

/** By the definitions, over both texts. */
function slow(size: number) {
  let [tokens, loss, same, divergence] = [0, 0, 0, 0];
  for (const ids of texts) {
    const [plain, changed] = [logitsOf(ids, 0), logitsOf(ids, size)];
    for (const x of slowLosses(changed, ids, 1)) loss += x;
    for (let t = 0; t < ids.length - 1; t++) {
      tokens++;
      if (greatest(plain[t]!) === greatest(changed[t]!)) same++;
      const [p, q] = [softmax(plain[t]!), softmax(changed[t]!)];
      divergence += p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]!), 0);
    }
  }
  return { tokens, loss: loss / tokens, agreement: same / tokens, divergence: divergence / tokens };
}

describe('collateralPass', () => {
  const runtime = nodeRuntime({ threads: 1 });
  let pass: CollateralPass;
  const sizes = [0, 0.5, -2];
  beforeAll(async () => {
    pass = await collateralPass(runtime, tiny.model, layer, 3);
    for (const ids of texts)
      await pass.add(
        ids,
        sizes.map((size) => () => (size === 0 ? unchanged : steeredBy(vector.map((x) => size * x)))),
      );
  });
  afterAll(() => runtime.close());

  it.each(sizes.map((size, n) => [size, n] as const))('with %s times a vector added', (size, n) => {
    const [found, expected] = [pass.found()[n]!, slow(size)];
    expect(found.tokens).toBe(expected.tokens);
    expect(found.agreement).toBe(expected.agreement);
    for (const key of ['loss', 'divergence'] as const) expect(found[key]).toBeCloseTo(expected[key], 4);
    expect(found.lossBefore).toBeCloseTo(slow(0).loss, 4);
  });

  it('says that a change changes something', () => {
    const [plain, , far] = pass.found();
    expect(plain).toMatchObject({ agreement: 1, divergence: 0 });
    expect(far!.divergence).toBeGreaterThan(0.1);
    expect(far!.agreement).toBeLessThan(1);
  });
});

it('the divergence of two rows is that of their distributions, however great the logits', () => {
  const row = (...x: number[]) => Float32Array.from(x);
  expect(divergenceOf(row(0, 0), row(0, 0))).toBe(0);
  expect(divergenceOf(row(1000, 1000), row(1000 + Math.log(3), 1000))).toBeCloseTo(
    0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25),
    3,
  );
});
