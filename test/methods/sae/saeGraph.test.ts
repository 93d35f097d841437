/**
 * The objective of SAE training: gradients against differences of the float64 reference, and what the
 * estimators must give.
 */
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/graph/gradient.ts';
import { parameterShapes, type SaeGraphOptions, saeObjective } from '../../../src/methods/sae/saeGraph.ts';
import { evaluate } from '../../../src/runtime/reference.ts';
import { i64, sizeOf, type Tensor, tensor } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';

const base: SaeGraphOptions = {
  kind: 'topk',
  width: 5,
  latents: 9,
  batch: 4,
  k: 3,
  scale: 0.7,
  variance: 2.5,
  auxK: 0,
};

type Feeds = Record<string, Tensor>;

function feedsOf(options: SaeGraphOptions, seed: number): Feeds {
  const d = draw(seed);
  const random = (shape: readonly number[], mean = 0) =>
    tensor(
      'f64',
      shape,
      Float64Array.from({ length: sizeOf(shape) }, () => mean + d.normal()),
    );
  const shapes = Object.entries(parameterShapes(options));
  return {
    x: random([options.batch, options.width]),
    ...Object.fromEntries(
      shapes.map(([name, shape]) => [name, random(shape, name === 'logThreshold' ? -1 : 0)]),
    ),
  };
}

function derivatives(options: SaeGraphOptions, feeds: Feeds) {
  const { outputs, differentiable, parameters } = saeObjective(options);
  const names = [...parameters.keys()];
  const grads = gradient(differentiable, [...parameters.values()]);
  const found = evaluate(
    { outputs: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) },
    new Map(),
    feeds,
  );
  const loss = (name: string, i: number, change: number) => {
    const data = (feeds[name]!.data as Float64Array).slice();
    data[i]! += change;
    return evaluate({ outputs: { loss: outputs.loss } }, new Map(), {
      ...feeds,
      [name]: { ...feeds[name]!, data } as Tensor,
    }).loss!.data[0]!;
  };
  const numeric = (name: string, i: number) => (loss(name, i, 1e-6) - loss(name, i, -1e-6)) / 2e-6;
  return { found, numeric };
}

describe('gradients of the objective', () => {
  it.each([1, 2, 3])('topk: every parameter, as differences give them (seed %i)', (seed) => {
    const feeds = feedsOf(base, seed);
    const { found, numeric } = derivatives(base, feeds);
    for (const [name, { data }] of Object.entries(found))
      data.forEach((g, i) => {
        expect(g, `${name} ${i}`).toBeCloseTo(numeric(name, i), 6);
      });
  });

  it('the auxiliary loss reaches dead latents as differences say, and those that only fill up not at all', () => {
    const options = { ...base, auxK: 3 };
    const feeds = feedsOf(options, 4);
    const dead = [6, 7];
    const bias = (feeds.encoderBias!.data as Float64Array).map((b, i) => (dead.includes(i) ? -50 : b));
    // so far below that the main loss never sees them, and made up for among the dead
    feeds.encoderBias = { ...feeds.encoderBias!, data: bias } as Tensor;
    feeds.dead = i64([3], [...dead, 0]);
    feeds.deadOffset = tensor('f64', [3], Float64Array.of(50, 50, -1e30));
    feeds.auxWeight = tensor('f64', [], Float64Array.of(0.4));
    const { found, numeric } = derivatives(options, feeds);
    const without = derivatives(base, feeds).found;
    let moved = 0;
    for (const name of ['encoder', 'decoder'])
      for (let latent = 0; latent < options.latents; latent++)
        for (let j = 0; j < options.width; j++) {
          const i = latent * options.width + j;
          const g = found[name]!.data[i]!;
          if (dead.includes(latent)) {
            expect(g).toBeCloseTo(numeric(name, i), 6);
            moved += Math.abs(g);
          } else expect(g).toBe(without[name]!.data[i]!);
        }
    expect(moved).toBeGreaterThan(0.01);
  });

  it('jumprelu: all but the thresholds as differences give them', () => {
    const options = { ...base, kind: 'jumprelu' as const };
    const feeds = feedsOf(options, 5);
    const { found, numeric } = derivatives(options, feeds);
    for (const name of ['encoder', 'decoder', 'encoderBias', 'decoderBias'])
      found[name]!.data.forEach((g, i) => {
        expect(g, `${name} ${i}`).toBeCloseTo(numeric(name, i), 6);
      });
  });

  it('jumprelu: a threshold is moved by the tokens within half a bandwidth of it', () => {
    // one latent, one coordinate: pre = x; token 0 lies just above θ = 1, token 1 far above
    const options: SaeGraphOptions = {
      kind: 'jumprelu',
      width: 1,
      latents: 1,
      batch: 2,
      k: 0.5,
      scale: 1,
      variance: 1,
      auxK: 0,
    };
    const one = (...x: number[]) => Float64Array.from(x);
    const decode = 0.5;
    const feeds: Feeds = {
      x: tensor('f64', [2, 1], one(1.02, 3)),
      encoder: tensor('f64', [1, 1], one(1)),
      decoder: tensor('f64', [1, 1], one(decode)),
      encoderBias: tensor('f64', [1], one(0)),
      decoderBias: tensor('f64', [1], one(0)),
      logThreshold: tensor('f64', [1], one(0)),
    };
    const { found } = derivatives(options, feeds);
    // ∂loss/∂z of token 0 = −2 (x − x̂)/B · w; ∂z/∂θ = −θ/ε; L0 = 1, twice the aim: ∂(L0/k − 1)²/∂θ = 2 ·
    // 1/k · (−1/ε)/B
    const slope = (-2 * (1.02 - decode * 1.02) * decode) / 2;
    expect(found.logThreshold!.data[0]).toBeCloseTo((slope * -1) / 0.1 + ((2 / 0.5) * (-1 / 0.1)) / 2, 8);
  });
});
