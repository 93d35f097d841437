/** The directions that need no dictionary, and that of a shuffled one, from evidence made by hand. */
import { afterAll, expect, it } from 'vitest';
import { shuffledDictionary } from '../../../src/methods/attribution/shuffledDictionary.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Sae } from '../../../src/saes/sae.ts';
import {
  type ComparisonEvidence,
  comparisonDirections,
} from '../../../src/study/steering/comparisonDirections.ts';
import { draw } from '../../support/opCases.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const d = 5;
const latents = 7;
const random = draw(30);
const row = () => Float32Array.from({ length: d }, () => random.normal());
const unit = (x: Float32Array) => x.map((value) => value / Math.hypot(...x));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

const units = Float32Array.from(Array.from({ length: latents }, () => [...unit(row())]).flat());
const sae = {
  width: d,
  latents,
  decoderRows: async (from: number, to: number) => units.slice(from * d, to * d),
} as unknown as Sae;

/** −3 u uᵀ − v vᵀ for two axes. */
const m = new Float32Array(d * d);
m[0] = -3;
m[d + 1] = -1;
// adding along it makes positives less likely
const gradient = Float32Array.of(2, -1, 0, 0.5, 0);
const positive = Array.from({ length: 12 }, (_, i) => i % 2 === 0);
// positives and negatives lie apart along the third axis alone
const completions = positive.map((is) => row().map((x, i) => 0.2 * x + (i === 2 ? (is ? 2 : -2) : 0)));
const evidence = (over: Partial<ComparisonEvidence> = {}): ComparisonEvidence => ({
  runtime,
  sae,
  m,
  gradient,
  subject: { norm: 1, mean: Float32Array.of(1, 2, 3, 4, 5), completions },
  reference: { norm: 1, mean: Float32Array.of(1, 2, 3, 4, 2), completions },
  positive,
  seed: 3,
  ...over,
});

it('are unit vectors with σ, each as its name says', async () => {
  const found = await comparisonDirections(evidence());
  expect(found.map(({ name, role }) => [name, role])).toEqual([
    ['contrastive gradient', 'comparison'],
    ['eigenvector 1', 'comparison'],
    ['eigenvector 2', 'comparison'],
    ['mean difference of completions', 'comparison'],
    ['probe', 'comparison'],
    ['mean difference of models', 'comparison'],
    ['shuffled dictionary', 'control'],
  ]);
  for (const { vector } of found) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  const named = (name: string) => found.find((one) => one.name === name)!;
  expect(dot(named('contrastive gradient').vector, unit(gradient))).toBeCloseTo(-1, 6);
  const [first, second] = [named('eigenvector 1'), named('eigenvector 2')];
  expect(Math.abs(first.vector[0]!)).toBeCloseTo(1, 4);
  expect(Math.abs(second.vector[1]!)).toBeCloseTo(1, 4);
  // an eigenvector has no sign of its own: σ makes σ v go against the gradient
  for (const { sign, vector } of [first, second]) expect(sign * dot(gradient, vector)).toBeLessThan(0);
  const of = (is: boolean, i: number) => {
    const some = completions.filter((_, n) => positive[n] === is);
    return some.reduce((sum, one) => sum + one[i]!, 0) / some.length;
  };
  const apart = Float32Array.from({ length: d }, (_, i) => of(true, i) - of(false, i));
  expect(dot(named('mean difference of completions').vector, unit(apart))).toBeCloseTo(1, 6);
  expect(named('mean difference of models').vector).toEqual(Float32Array.of(0, 0, 0, 0, 1));
  const { vector: probe } = named('probe');
  for (const [n, one] of completions.entries()) expect(dot(probe, one) > 0).toBe(positive[n]);
  // these point to the positives, or to the subject, and are added as they are
  for (const name of ['contrastive gradient', 'mean difference of completions', 'probe'])
    expect(named(name).sign).toBe(1);
});

it('go without completions that are of sinks alone, and without what needs both kinds where one is missing', async () => {
  const names = async (told: typeof completions | (Float32Array | undefined)[]) =>
    (await comparisonDirections(evidence({ subject: { norm: 1, mean: completions[0]!, completions: told } })))
      .filter(({ vector }) => vector.every(Number.isFinite))
      .map(({ name }) => name);
  const ofBoth = ['mean difference of completions', 'probe'];
  const some = completions.map((one, n) => (n === 0 ? undefined : one));
  expect(await names(some)).toEqual(expect.arrayContaining(ofBoth));
  const positives = completions.map((one, n) => (positive[n] ? one : undefined));
  for (const name of ofBoth) expect(await names(positives)).not.toContain(name);
});

it('the shuffled dictionary’s is its first by Δ', async () => {
  const found = (await comparisonDirections(evidence())).at(-1)!;
  const rows = await shuffledDictionary(sae, 3).decoderRows(0, latents);
  const all = Array.from({ length: latents }, (_, i) => rows.slice(i * d, (i + 1) * d));
  const delta = (x: Float32Array) => 3 * x[0]! ** 2 + x[1]! ** 2;
  const first = all.toSorted((a, b) => delta(b) - delta(a))[0]!;
  expect(found.vector).toEqual(unit(first));
  expect(found.sign).toBe(dot(gradient, first) > 0 ? -1 : 1);
});

it('one without a direction is left out', async () => {
  const { subject } = evidence();
  const found = await comparisonDirections(evidence({ reference: subject }));
  expect(found.map(({ name }) => name)).not.toContain('mean difference of models');
  expect(found).toHaveLength(6);
});
