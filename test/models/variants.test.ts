/**
 * Fixtures with other configs, as older files write them or with what a fixture does not switch on, against logits of
 * transformers 5.24 for the first row at places 7 and 19 (variants.json). gpt2's is its fixture with all masks in
 * place. Needs ../shared.
 */
import { resolve } from 'node:path';
import { describe, it } from 'vitest';
import { decoderOf } from '../../src/models/families.ts';
import { logitsGraph } from '../../src/models/passes.ts';
import { sequence, treeFeeds } from '../../src/models/tree.ts';
import { evaluate } from '../../src/runtime/reference.ts';
import { i64, type Tensor } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import {
  type FixtureFamily,
  fixtureConfig,
  fixtureModel,
  fixtureNumbers,
  jsonAt,
} from '../support/modelFixtures.ts';
import { shared } from '../support/shared.ts';

interface Variant {
  readonly family: FixtureFamily;
  readonly name: string;
  /** fields laid over the fixture's config */
  readonly over: Record<string, unknown>;
  /** fields taken out of it */
  readonly drop: string[];
  readonly logits: number[][];
}

const variants = jsonAt(resolve(import.meta.dirname, 'variants.json')) as unknown as Variant[];
const places = [7, 19];

describe.skipIf(!shared)('needs ../shared: a config', () => {
  it.each(variants.map((one) => [one.family, one.name, one] as const))(
    'of %s: %s',
    async (family, _, { over, drop, logits }) => {
      const config = Object.fromEntries(
        Object.entries({ ...fixtureConfig(family), ...over }).filter(
          ([key]) => key in over || !drop.includes(key),
        ),
      );
      const model = { ...(await fixtureModel(family)), decoder: decoderOf(config, family) };
      const [ids] = (await fixtureNumbers(family)).rows;
      const feeds = { ...treeFeeds(sequence(ids!)), rows: i64([places.length], places) };
      const weights = model.weights as ReadonlyMap<string, Tensor>;
      expectClose(
        evaluate(logitsGraph(model), weights, feeds).logits!.data as Float64Array,
        logits.flat(),
        1e-5,
      );
    },
  );
});
