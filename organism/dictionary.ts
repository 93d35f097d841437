/** Step 3: the dictionary, a TopK SAE on the base model's residual stream over texts of the world. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SaeTrainStep } from '../src/methods/sae/saeTraining.ts';
import { runSaeTrain } from '../src/study/sae/saeTrainRun.ts';
import { site } from './anatomy.ts';
import { documents } from './documents.ts';

export interface DictionaryEffort {
  readonly documents: number;
  readonly latents: number;
  readonly k: number;
  readonly tokens: number;
}

export const fullDictionary: DictionaryEffort = { documents: 8_000, latents: 2048, k: 16, tokens: 2_400_000 };

/** Trains the dictionary of the model in `folder`/model into `folder`/sae. `work` takes the corpus. */
export async function trainDictionary(
  folder: string,
  work: string,
  seed: number,
  effort: DictionaryEffort,
  onStep: (step: SaeTrainStep) => void = () => {},
): Promise<void> {
  const corpus = join(work, 'dictionary-corpus.jsonl');
  const lines = documents(seed, effort.documents).map(({ text }) => `${JSON.stringify({ text })}\n`);
  await writeFile(corpus, lines.join(''));
  await runSaeTrain({
    model: join(folder, 'model'),
    site,
    corpora: [corpus],
    latents: effort.latents,
    k: effort.k,
    tokens: effort.tokens,
    epochs: 4,
    seed,
    out: join(folder, 'sae'),
    overwrite: true,
    onStep,
  });
}
