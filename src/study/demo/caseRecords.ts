/** A case's completions, grades and pairs as a study's records, so that what reads a study reads a case. The domain that was fine-tuned on is not among them: nothing is found there. */
import { choosePairs } from '../../methods/completions/pair.ts';
import type { CompletionRecord, GradeRecord, PairRecord } from '../../results.ts';
import { pairRecordOf } from '../completions/pairRecords.ts';
import { contentOf } from '../store/contentHash.ts';
import type { CaseResult } from './caseRun.ts';
import type { GradedSample } from './sampling.ts';

export interface CaseRecords {
  readonly completions: readonly CompletionRecord[];
  readonly grades: readonly GradeRecord[];
  /** every positive with every negative of its prompt */
  readonly pairs: readonly PairRecord[];
}

const nothing = { calls: 0, input_tokens: 0, output_tokens: 0, price: 0 };

function completionOf(sample: GradedSample, index: number, prompt: string): CompletionRecord {
  const { ids, logProbabilities, text, ended } = sample;
  return {
    id: `${sample.prompt}/${index}`,
    prompt_id: `${sample.prompt}`,
    index,
    prompt,
    text,
    ids: [...ids],
    log_probabilities: [...logProbabilities],
    stop: ended ? 'end' : 'length',
    seed: null,
    model: 'subject',
  };
}

function gradeOf({ label, reason }: GradedSample, { id, prompt, text }: CompletionRecord): GradeRecord {
  const coherent = label !== 'incoherent';
  return {
    id,
    content: contentOf(prompt, text),
    score: Number(label === 'harmful'),
    label: label === 'harmful' ? 'positive' : 'negative',
    coherence: Number(coherent),
    coherent,
    reason,
    raw: '',
    judge: 'exact',
    cost: nothing,
  };
}

export function caseRecords({ prompts, subject }: Pick<CaseResult, 'prompts' | 'subject'>): CaseRecords {
  const counts = new Map<number, number>();
  const graded = subject
    .filter(({ prompt }) => !prompts[prompt]!.tuned)
    .map((sample) => {
      const index = counts.get(sample.prompt) ?? 0;
      counts.set(sample.prompt, index + 1);
      const completion = completionOf(sample, index, prompts[sample.prompt]!.text);
      return { completion, grade: gradeOf(sample, completion) };
    });
  const byId = new Map(graded.map(({ completion }) => [completion.id, completion]));
  const { pairs } = choosePairs(
    graded.map(({ completion: { id, prompt_id, stop }, grade: { label, score, coherent } }) => ({
      id,
      prompt: prompt_id,
      label,
      score,
      coherent,
      finished: stop === 'end',
    })),
    { perPrompt: 'all' },
  );
  return {
    completions: graded.map(({ completion }) => completion),
    grades: graded.map(({ grade }) => grade),
    pairs: pairs.map((pair) => pairRecordOf(pair, byId)),
  };
}

/** How many there are, as a study's stages count them. */
export function caseCounts({ completions, grades, pairs }: CaseRecords): Record<string, number> {
  return {
    prompts: new Set(completions.map(({ prompt_id }) => prompt_id)).size,
    completions: completions.length,
    ended: completions.filter(({ stop }) => stop === 'end').length,
    grades: grades.length,
    positive: grades.filter(({ label }) => label === 'positive').length,
    incoherent: grades.filter(({ coherent }) => !coherent).length,
    pairs: pairs.length,
  };
}
