/** Quantiles of projections, against the formulas' own forward pass; attention sinks left out. */
import { afterAll, expect, it } from 'vitest';
import { projectionQuantiles } from '../../../src/methods/steering/projectionQuantile.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { draw } from '../../support/opCases.ts';
import { slowResiduals } from '../../support/slowLlama.ts';
import { layer, withSink } from '../../support/tinyFolder.ts';
import { normal, randomIds } from '../../support/tinyModel.ts';

const tiny = withSink();
const model = { ...tiny.model, weights: tiny.weights };
const sink = 'Q'.charCodeAt(0);
const random = draw(8);
const texts = [6, 9, 5].map((length, n) => ({
  ids: randomIds(random, length, tiny).toSpliced(n, 0, sink),
  start: 4,
}));
const directions = [0, 1].map(() => normal(random, [tiny.config.hidden_size], 1).data);
const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

it.each(['all', 'prompt', 'completion'] as const)('over the tokens of set %s', async (tokens) => {
  const isIn = (place: number) => tokens === 'all' || (tokens === 'prompt' ? place < 4 : place >= 4);
  const share = 0.8;
  const found = await projectionQuantiles(runtime, model, layer, { texts, tokens, directions, share });
  for (const [k, direction] of directions.entries()) {
    const values = texts
      .flatMap(({ ids }) =>
        slowResiduals(tiny, ids)[layer]!.filter((_, place) => ids[place] !== sink && isIn(place)),
      )
      .map((row) => row.reduce((sum, x, i) => sum + x * direction[i]!, 0))
      .sort((a, b) => a - b);
    const at = share * (values.length - 1);
    const [low, high] = [values[Math.floor(at)]!, values[Math.ceil(at)]!];
    expect(found[k]).toBeCloseTo(low + (at % 1) * (high - low), 3);
  }
});
