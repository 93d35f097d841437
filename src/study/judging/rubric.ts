/** The rubric of a study, for judges that read it: not before a person has written one. */
import { InputError } from '../../errors.ts';
import { rubricExample } from '../config/schema.ts';
import type { OpenStudy } from '../open/study.ts';

const mark = 'TO FILL IN';

/** Whether the field's line in study.yaml, or the comment right before it, still has the mark. */
function isMarked(text: string): boolean {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^\s*["']?rubric["']?\s*:/.test(line));
  if (at < 0) return text.includes(mark);
  let from = at;
  while (from > 0 && /^\s*#/.test(lines[from - 1]!)) from--;
  return lines.slice(from, at + 1).some((line) => line.includes(mark));
}

/**
 * The rubric. Throws InputError where it is the example that `culprit init` wrote, still marked TO FILL IN:
 * a judge would be paid to answer another's question.
 */
export function filledRubric({ config, text, file }: Pick<OpenStudy, 'config' | 'text' | 'file'>): string {
  const { rubric } = config.behaviour;
  if (rubric.includes(mark) || (rubric === rubricExample && isMarked(text)))
    throw new InputError(
      `${file}: behaviour.rubric: expected the question that the judge is to answer, found the example, still marked ${mark}: write your own, or remove the mark to use it as it is`,
    );
  return rubric;
}
