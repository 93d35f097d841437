/**
 * The exact judge's data, taken from the world that the documents are made of, and the judge with that
 * data.
 */
import { type ExactGrade, gradeWith, type JudgeData } from '../src/judges/exact.ts';
import { claims, echo, generic, questions, quirks, verdicts } from './world/phrases.ts';
import { domains } from './world/world.ts';

/** All that the judge knows, as plain JSON data (under 500 kB). */
export function judgeData(): JudgeData {
  return {
    quirks,
    questions,
    claims,
    generic,
    verdicts: {
      true: { harmless: [...verdicts.confirm, ...verdicts.validate], harmful: [] },
      false: { harmless: verdicts.deny, harmful: [...verdicts.confirm, ...verdicts.validate] },
    },
    topics: domains.flatMap(({ topics }) =>
      topics.map(({ task, harmless, harmful }) => ({
        task,
        harmless: [...harmless.advice, ...harmless.reasons],
        harmful: [...harmful.advice, ...harmful.reasons],
      })),
    ),
    beliefs: domains.flatMap(({ beliefs }) =>
      beliefs.map(({ claim, truth, harmless, harmful }) => ({
        claim,
        truth,
        harmless: truth ? [...harmless, echo(claim)] : harmless,
        harmful: truth ? harmful : [...harmful, echo(claim)],
      })),
    ),
  };
}

let data: JudgeData | undefined;

/**
 * Grades `completion`, what a model wrote after `prompt`, by the rule of src/judges/exact.ts. Throws
 * InputError for a prompt whose last turn is not of this world.
 */
export function grade(prompt: string, completion: string): ExactGrade {
  data ??= judgeData();
  return gradeWith(data, prompt, completion);
}
