/** The direction between two halves of the prompts, from a made model whose residuals are known. */
import { expect, it } from 'vitest';
import type { Contrast } from '../../../src/methods/site/contrast.ts';
import type { Tree } from '../../../src/models/tree.ts';
import { topicDirection } from '../../../src/study/steering/topicDirection.ts';

/** Residuals: a token's topic along the first axis; token 9 is an attention sink that would swamp the rest. */
const residualOf = (id: number) => (id === 9 ? [0, 900, 0, 0] : [id < 5 ? 1 : -1, 0.01 * id, 0, 0]);
const pass = {
  activation: async ({ ids }: Tree) => Float32Array.from([...ids].flatMap((id) => residualOf(Number(id)))),
};
const contrast = (id: string, prompt: number[]): Contrast => ({
  id,
  prompt,
  positives: [[1]],
  negatives: [[2]],
});
const contrasts = [
  contrast('a', [9, 1, 2, 3]),
  contrast('b', [9, 6, 7, 8]),
  contrast('c', [9, 2, 3, 1]),
  contrast('d', [9, 7, 6, 6]),
];
/** Completions: the topic along the third axis, what is judged (positive, negative) along the fourth. */
const completion = (topic: number, positive: boolean) => Float32Array.of(0, 0, 3 * topic, positive ? 8 : -8);
const completions = [1, -1, 1, -1].flatMap((topic) => [completion(topic, true), completion(topic, false)]);
const gradient = Float32Array.of(0, 0, 2, 1);

it('is the mean difference of the halves, in which the behaviour is on both sides alike', async () => {
  const [found, ...more] = await topicDirection({ pass, contrasts, completions, gradient, seed: 1 });
  expect(more).toEqual([]);
  expect([found!.name, found!.role, found!.latent]).toEqual(['unrelated: topic', 'control', null]);
  expect([...found!.vector]).toEqual([0, 0, 1, 0]);
  // along it the positives' loss rises: adding it makes them less likely
  expect(found!.sign).toBe(-1);
});

it('leaves out a prompt of which one completion is of sinks alone', async () => {
  const some = completions.map((mean, i) => (i === 3 ? undefined : mean));
  const [found] = await topicDirection({ pass, contrasts, completions: some, gradient, seed: 1 });
  expect([...found!.vector]).toEqual([0, 0, 1, 0]);
});

it('there is none of one prompt', async () => {
  const one = {
    pass,
    contrasts: contrasts.slice(0, 1),
    completions: completions.slice(0, 2),
    gradient,
    seed: 1,
  };
  expect(await topicDirection(one)).toEqual([]);
});
