/** The judge that a study names, by its kind. */
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import type { JudgeConfig } from '../config/schema.ts';
import type { Section } from '../config/section.ts';
import type { OpenStudy } from '../open/study.ts';
import type { GradingWork, JudgeKind, JudgeOf } from './judgeKind.ts';
import { judgeKinds } from './kinds.ts';

const expected = (kinds: readonly JudgeKind[]) =>
  `expected a judge of one kind: ${kinds.map(({ kind }) => kind).join(', ')}`;

/** Throws InputError for a kind that is none. */
export function judgeKindOf({ kind }: JudgeConfig): JudgeKind {
  const found = judgeKinds.find((one) => one.kind === kind);
  if (found === undefined) throw new InputError(`judge.kind: ${expected(judgeKinds)}, found ${quoted(kind)}`);
  return found;
}

/** The judge of a study, by its config. */
export function judgeOf(study: OpenStudy): JudgeOf {
  const { judge } = study.config;
  return judgeKindOf(judge).of(judge, study);
}

/** The section of study.yaml that names the judge: the fields of one of the kinds. */
export const judgeSection = (kinds = judgeKinds): Section => ({
  name: 'judge',
  about: 'What decides which completions are positive (show the behaviour) and which are coherent.',
  schema(folder) {
    const [first, ...more] = kinds.map((kind) => kind.schema(folder));
    return z.discriminatedUnion('kind', [first!, ...more], { error: expected(kinds) });
  },
});

/** The section of a second judge, of the same kinds: a study may leave it out. */
export const secondJudgeSection = (kinds = judgeKinds): Section => ({
  name: 'second_judge',
  about:
    'A second judge, which grades the completions, a sample of steered and removed texts, and the texts of confirmed latents after the causal test; the result says how far the two agree.',
  schema: (folder) => judgeSection(kinds).schema(folder).optional().meta({ unlisted: true }),
});

/** For the estimate: what a study's judge would take for so many completions, and cost. */
export interface JudgeEstimate {
  readonly seconds: number;
  readonly price: number | undefined;
}

/**
 * What it reads and writes before its first verdict counts as completions to grade, where `first` and any
 * are left.
 */
export async function judgeEstimate(
  study: OpenStudy,
  work: GradingWork,
  { first }: { readonly first: boolean },
): Promise<JudgeEstimate> {
  const { judge } = study.config;
  const kind = judgeKindOf(judge);
  const more = first ? ((await kind.firstTexts?.(judge, study)) ?? 0) : 0;
  const completions = work.completions === 0 ? 0 : work.completions + more;
  return { seconds: kind.seconds(judge, { ...work, completions }), price: kind.price?.(judge, work) };
}
