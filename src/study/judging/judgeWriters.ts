/**
 * The texts that a classifier judge learns broken text from: completions by the reference model, steered
 * along random directions so strongly that they garble, and the same model's left alone.
 */

import { type SampleJob, sampler } from '../../methods/completions/sample.ts';
import { randomDirection } from '../../methods/statistics/random.ts';
import { meanNorm } from '../../methods/steering/meanNorm.ts';
import { addedVector } from '../../methods/steering/steer.ts';
import type { Prompt } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Writer, Writers } from './classifierTexts.ts';

const maxTokens = 80;

/** Doses, as parts of the mean residual norm at the site, one drawn for each text. */
const doses = { from: 0.5, to: 1 };

/** Prompts that the mean norm is taken over. */
const normPrompts = 16;

/**
 * The writers of a model, which is opened only when they are asked for a text; they steer at resid_post
 * `layer`.
 */
export function judgeWriters(runtime: () => Runtime, open: () => Promise<OpenModel>, layer: number): Writers {
  const write =
    (steered: boolean): Writer =>
    async (prompts, seeds) => {
      const { model, codec } = await open();
      const ids = prompts.map((prompt) => codec.encodePrompt(prompt));
      const norm = steered ? await meanNorm(runtime(), model, layer, ids.slice(0, normPrompts)) : 0;
      const jobs = ids.map((prompt, i): SampleJob => {
        const seed = seeds[i]!;
        if (!steered) return { prompt, seeds: [seed] };
        const { direction, uniform } = randomDirection(model.decoder.width, seed);
        const dose = doses.from + (doses.to - doses.from) * uniform;
        return { prompt, seeds: [seed], steer: addedVector(direction.map((x) => dose * norm * x)) };
      });
      const texts: string[] = [];
      const made = await sampler(runtime(), model, {
        capacity: Math.max(...ids.map(({ length }) => length)) + maxTokens,
        ...(steered && { steerAt: layer }),
      });
      await made.sample(jobs, { maxTokens, endIds: codec.endOfTurnIds }, (job, _, { ids: grown }) => {
        texts[job] = codec.tokenizer.decode(grown, { skipSpecialTokens: true });
      });
      await made.release();
      return prompts.map((prompt: Prompt, i) => ({ prompt, completion: texts[i]! }));
    };
  return {
    identity: { maxTokens, doses, normPrompts, layer },
    steered: write(true),
    unsteered: write(false),
  };
}
