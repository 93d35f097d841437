/** What the encoder and deflation say of a latent, against plain sums over the same rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attribute } from '../../../src/methods/attribution/attribute.ts';
import { deflatedMatrix } from '../../../src/methods/attribution/deflation.ts';
import { encoderEvidence } from '../../../src/methods/attribution/encoderEvidence.ts';
import { type LatentEvidence, latentEvidence } from '../../../src/methods/attribution/latentEvidence.ts';
import { signsOf } from '../../../src/methods/attribution/sign.ts';
import type { ContrastRows } from '../../../src/methods/site/contrast.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { saeGraph } from '../../../src/saes/graph.ts';
import type { Sae } from '../../../src/saes/sae.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { tensor, toFloat32 } from '../../../src/tensor.ts';
import { expectClose } from '../../support/close.ts';
import { madeDictionary, madeRows } from '../../support/directions.ts';
import { draw } from '../../support/opCases.ts';
import { latents, putSae, width } from '../../support/tinyFolder.ts';

const runtime = nodeRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
const d = draw(5);
const baseline = Float32Array.from({ length: width }, () => d.normal());
const contrasts: ContrastRows[] = [7, 30, 12].map((count, p) => ({
  ...madeRows(d, count, width),
  id: `${p}`,
  tokens: Array.from({ length: count }, (_, i) => ({ id: i, position: i, branch: -1 })),
  losses: [1, 2],
  packed: count,
  sinks: 0,
}));
let sae: Sae;
let rows: Float32Array;
/** activations of every latent, contrast by contrast */
let z: Float32Array[];
beforeAll(async () => {
  sae = await openSae(await putSae(join(folder, 'sae')));
  rows = await sae.decoderRows(0, latents);
  const { graph, weights } = await saeGraph(sae);
  const session = await runtime.load(graph, weights);
  z = [];
  for (const { centred } of contrasts) {
    const x = centred.map((c, at) => c + baseline[at % width]!);
    z.push(toFloat32((await session.run({ x: tensor('f32', [x.length / width, width], x) })).z!));
  }
  await session.release();
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const along = (values: Float32Array, t: number, latent: number) => {
  let sum = 0;
  for (let j = 0; j < width; j++) sum += values[t * width + j]! * rows[latent * width + j]!;
  return sum;
};

it.each([
  ['in memory', undefined],
  ['by blocks of 5 latents', 4 * width * 5],
])(
  'the silent share is δ of the tokens without activation, the activation form takes z for the projection, %s',
  async (_, held) => {
    const chosen = [3, 0, 39, 17];
    const found = await encoderEvidence(runtime, contrasts, baseline, sae, chosen, held);
    const expected = chosen.map((latent) => {
      let [total, silent, active] = [0, 0, 0];
      contrasts.forEach(({ gradient, centred }, p) => {
        for (let t = 0; t < gradient.length / width; t++) {
          const slope = along(gradient, t, latent);
          const delta = -slope * along(centred, t, latent);
          const activation = z[p]![t * latents + latent]!;
          total += delta;
          if (activation === 0) silent += delta;
          active -= slope * activation;
        }
      });
      return { share: silent / total, active: active / contrasts.length };
    });
    expectClose(
      Float32Array.from(found.silentShare),
      Float32Array.from(expected, ({ share }) => share),
      1e-4,
    );
    expectClose(
      Float32Array.from(found.activationDelta),
      Float32Array.from(expected, ({ active }) => active),
      1e-4,
    );
    const alive = Uint8Array.from({ length: latents }, (_, i) =>
      z.some((values) => values.some((x, at) => at % latents === i && x > 0)) ? 1 : 0,
    );
    expect(found.alive).toEqual(alive);
  },
);

it('deflation leaves nothing of the first, everything across it, and a part of what lies between', () => {
  const made = madeDictionary(3, 4, 8);
  const u = made.directions.subarray(0, 4);
  const r = draw(2);
  const m = Float32Array.from({ length: 16 }, () => r.normal());
  const form = (matrix: Float32Array, v: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) sum -= v[i]! * matrix[i * 4 + j]! * v[j]!;
    return sum;
  };
  const left = deflatedMatrix(m, u);
  expect(form(left, u)).toBeCloseTo(0, 5);
  const v = made.directions.subarray(4, 8);
  const cosine = v.reduce((sum, x, i) => sum + x * u[i]!, 0);
  const across = Float32Array.from(v, (x, i) => x - cosine * u[i]!);
  expect(form(left, v)).toBeCloseTo(form(m, across), 5);
  expect(form(left, across)).toBeCloseTo(form(m, across), 5);
});

it('the sign is against the gradient: a step along σ d lowers the contrastive loss; zeros have +1', async () => {
  const directions = Float32Array.of(1, 0, 0, 1, -1, 0, 0, 0);
  const dictionary = {
    width: 2,
    latents: 4,
    decoderRows: async (from: number, to: number) => directions.slice(2 * from, 2 * to),
  };
  expect([...(await signsOf(dictionary, [2, -3]))]).toEqual([-1, 1, 1, 1]);
});

it('contrasts of one prompt are one cluster, and the evidence says so', async () => {
  const result = await attribute(runtime, contrasts, sae, { top: 5 });
  const request = { rows: contrasts, baseline, sae };
  const of = (clusters: string[]): Promise<LatentEvidence> =>
    latentEvidence(runtime, result, { ...request, clusters });
  const [apart, together] = [await of(['a', 'b', 'c']), await of(['a', 'b', 'a'])];
  expect([apart.clusters, together.clusters]).toEqual([3, 2]);
  expect([apart.flips.flips, together.flips.flips]).toEqual([8, 4]);
  expect(apart.standardErrors).not.toEqual(together.standardErrors);
  expect(Math.min(...together.flips.p)).toBeGreaterThanOrEqual(0.5);
  // fewer latents than a hundred: all of them
  expect(apart.first).toHaveLength(latents);
  expect(apart.deflated[apart.first[0]!]).toBeCloseTo(0, 4);
});
