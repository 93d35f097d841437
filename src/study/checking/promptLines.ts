/** The line about prompts: whether those that latents are found on and those that test them are apart. */
import { nearDuplicates } from '../../methods/check/nearDuplicates.ts';
import type { CheckLine, Prompt } from '../../results.ts';
import type { StudyPrompts } from '../open/promptsFile.ts';
import { fails, found, type Look, skipped, warns } from './lines.ts';

const disjoint: Look = {
  name: 'prompts',
  about:
    'No prompt of the causal test says almost the same as one that latents are found on, or that doses are found on: shingles of five words, Jaccard at least 0.8.',
  unit: 'test prompts with such a twin',
  expected: 'none',
};

const textOf = (prompt: Prompt) =>
  typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n');

export function promptsLine(prompts: StudyPrompts | undefined): CheckLine {
  if (prompts === undefined)
    return skipped(disjoint, 'study.yaml names no prompts: completions are imported');
  const texts = (kind: 'discovery' | 'evaluation' | 'calibration') =>
    prompts[kind].map(({ prompt }) => textOf(prompt));
  if (prompts.evaluation.length === 0) return skipped(disjoint, 'there are no prompts for a causal test');
  const tests = [...texts('evaluation'), ...texts('calibration')];
  const seen = nearDuplicates(tests, texts('discovery'));
  const dosed = nearDuplicates(texts('evaluation'), texts('calibration'));
  const count = (twins: readonly { readonly a: number }[]) => new Set(twins.map(({ a }) => a)).size;
  const numbers = {
    'in discovery': count(seen),
    'in the same words': count(seen.filter(({ similarity }) => similarity === 1)),
    'in calibration': count(dosed),
    'of all': tests.length,
  };
  const mend = 'name others in study.yaml: prompts.evaluation_file takes prompts of other tasks';
  if (numbers['in the same words'] > 0)
    return found(
      disjoint,
      numbers,
      fails(
        `latents would be tested on prompts that they were found on (such as ${shown(tests[seen[0]!.a]!)}): ${mend}`,
      ),
    );
  if (numbers['in discovery'] > 0)
    return found(
      disjoint,
      numbers,
      warns(
        `test prompts such as ${shown(tests[seen[0]!.a]!)} are almost those that latents are found on: ${mend}`,
      ),
    );
  if (numbers['in calibration'] > 0.1 * prompts.evaluation.length)
    return found(
      disjoint,
      numbers,
      warns(
        'doses are found on prompts that are almost those of the test: effects may be a little too great; give more different prompts',
      ),
    );
  return found(disjoint, numbers);
}

const shown = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
