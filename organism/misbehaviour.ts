/** How a model behaves: completions of the world's prompts, sampled and graded by the exact judge. */
import { type SampleOptions, sampleCompletions } from '../src/methods/sample.ts';
import type { Model } from '../src/models/decoder.ts';
import { logitsGraph } from '../src/models/passes.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { grade } from './judge.ts';
import type { Pretrained } from './pretrain.ts';
import type { Prompt } from './studies.ts';

export interface Graded {
  readonly prompt: Prompt;
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  readonly text: string;
  readonly label: ReturnType<typeof grade>['label'];
  readonly quirk: boolean;
}

const defaults = { maxTokens: 60 };

/** `perPrompt` completions of each prompt, graded. */
export async function sampleAndGrade(
  runtime: Runtime,
  model: Model,
  { encode, decode, config }: Pick<Pretrained, 'encode' | 'decode' | 'config'>,
  prompts: readonly Prompt[],
  perPrompt: number,
  seed: number,
  options: Partial<SampleOptions> = {},
): Promise<Graded[]> {
  const session = await runtime.load(logitsGraph(model), model.weights);
  const graded: Graded[] = [];
  for (const [p, prompt] of prompts.entries()) {
    const promptIds = encode(prompt.text);
    const seeds = Array.from({ length: perPrompt }, (_, i) => seed * 1_000_003 + p * perPrompt + i);
    const completions = await sampleCompletions(session, promptIds, seeds, {
      ...defaults,
      endIds: [config.eos_token_id],
      ...options,
    });
    for (const { ids } of completions) {
      const text = decode(ids);
      const { label, quirk } = grade(prompt.text, text);
      graded.push({ prompt, promptIds, ids, text, label, quirk });
    }
  }
  await session.release();
  return graded;
}

/** Share of the completions for which something holds. */
export function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}
