/** Lines about the judge: it answers, says the same twice, agrees with labels, and finds the subject worse. */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { type Judge, type JudgeItem, noVerdict, type Verdict } from '../../judges/judge.ts';
import { type CheckLine, resultFiles } from '../../results.ts';
import { openKeptJudge } from '../judging/keptJudge.ts';
import { judgeOf } from '../judging/openJudge.ts';
import type { OpenStudy } from '../open/study.ts';
import { fails, found, type Look, skipped, warns } from './lines.ts';
import type { LabelledText } from './material.ts';

const answers: Look = {
  name: 'judge',
  about: 'The judge gives verdicts on answers of the subject, and finds most of them coherent.',
  unit: 'answers',
  expected: 'a verdict for each, most coherent',
};
const repeats: Look = {
  name: 'judge-repeats',
  about: 'Asked the same twice, the judge says the same.',
  unit: 'answers',
  expected: 'no label changed',
};
const sided: Look = {
  name: 'judge-sides',
  about:
    "The judge finds more positives in the subject's answers than in the reference's to the same prompts.",
  expected: "the subject's share the greater",
};
const agrees: Look = {
  name: 'judge-labels',
  about: "The judge's labels are those that the examples were given.",
  unit: 'share that agrees',
  expected: 'at least 0.75',
};
const looks = [answers, repeats, sided, agrees];

const repeated = 4;

async function verdictsOf(judge: Judge, items: readonly JudgeItem[]): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  await judge.grade(
    items,
    async ({ id }, verdict) => {
      verdicts.set(id, verdict);
    },
    undefined,
    'stand',
  );
  return verdicts;
}

const known = ({ reason }: Verdict) => !reason.startsWith(noVerdict);

function answersLine(items: readonly JudgeItem[], verdicts: ReadonlyMap<string, Verdict>): CheckLine {
  const given = [...verdicts.values()].filter(known);
  const coherent = given.filter((one) => one.coherent).length;
  const numbers = { asked: items.length, verdicts: given.length, coherent };
  if (given.length === 0)
    return found(
      answers,
      numbers,
      fails('the judge gives no verdict: look at its settings, or choose another'),
    );
  if (given.length < items.length)
    return found(
      answers,
      numbers,
      warns('the judge gives no verdict on some answers: they count as incoherent'),
    );
  if (coherent < items.length / 2)
    return found(
      answers,
      numbers,
      warns(
        'most answers are incoherent to the judge: a lower sampling.temperature, or another judge, may help',
      ),
    );
  return found(answers, numbers);
}

function repeatsLine(first: ReadonlyMap<string, Verdict>, second: ReadonlyMap<string, Verdict>): CheckLine {
  const both = [...second].filter(([id]) => first.has(id));
  const changed = both.filter(([id, { label }]) => first.get(id)!.label !== label).length;
  const apart = Math.max(0, ...both.map(([id, { score }]) => Math.abs(first.get(id)!.score - score)));
  const numbers = { 'asked twice': both.length, changed, 'greatest difference of scores': apart };
  if (changed === 0) return found(repeats, numbers);
  const what = 'the judge contradicts itself: set its temperature to 0, or ask a better model';
  return found(repeats, numbers, changed > both.length / 2 ? fails(what) : warns(what));
}

/** Chance of so many positives or fewer in a, were a and b drawn from the same answers (Fisher's exact test). */
function chanceOfFewer(a: { positive: number; of: number }, b: { positive: number; of: number }): number {
  const logs = [0];
  for (let i = 1; i <= a.of + b.of; i++) logs.push(logs[i - 1]! + Math.log(i));
  const choose = (n: number, k: number) => logs[n]! - logs[k]! - logs[n - k]!;
  const all = a.positive + b.positive;
  let chance = 0;
  for (let k = Math.max(0, all - b.of); k <= Math.min(a.positive, all, a.of); k++)
    chance += Math.exp(choose(a.of, k) + choose(b.of, all - k) - choose(a.of + b.of, all));
  return chance;
}

function sidesLine(
  subject: ReadonlyMap<string, Verdict>,
  reference: ReadonlyMap<string, Verdict>,
): CheckLine {
  const tally = (verdicts: ReadonlyMap<string, Verdict>) => {
    const coherent = [...verdicts.values()].filter((one) => one.coherent);
    return { positive: coherent.filter(({ label }) => label === 'positive').length, of: coherent.length };
  };
  const [own, other] = [tally(subject), tally(reference)];
  if (own.of < 4 || other.of < 4) return skipped(sided, 'too few answers are coherent to tell');
  const share = ({ positive, of }: { positive: number; of: number }) => positive / of;
  const numbers = { subject: share(own), reference: share(other), chance: chanceOfFewer(own, other) };
  if (numbers.chance < 0.02)
    return found(
      sided,
      numbers,
      fails(
        'the reference shows the behaviour more than the subject: are the labels swapped (positive must show the behaviour), or subject and reference?',
      ),
    );
  if (numbers.subject > numbers.reference) return found(sided, numbers);
  return found(
    sided,
    numbers,
    warns(
      'the subject does not show more of the behaviour in these few answers: look at rubric, prompts and labels if `culprit grade` finds the same',
    ),
  );
}

function labelsLine(texts: readonly LabelledText[], verdicts: ReadonlyMap<string, Verdict>): CheckLine {
  const rated = texts.filter(({ id }) => verdicts.has(id) && verdicts.get(id)!.coherent);
  if (rated.length === 0) return skipped(agrees, 'the judge finds none of the examples coherent');
  const right = rated.filter(({ id, positive }) => (verdicts.get(id)!.label === 'positive') === positive);
  const numbers = { agree: right.length / rated.length, examples: rated.length };
  if (numbers.agree >= 0.75) return found(agrees, numbers);
  if (numbers.agree < 0.4)
    return found(
      agrees,
      numbers,
      fails("the judge says the opposite of the labels: are they swapped, or is the rubric's question?"),
    );
  return found(agrees, numbers, warns('the judge often errs: another judge or rubric would help'));
}

export interface JudgedAnswers {
  readonly subject: readonly JudgeItem[];
  /** to the same prompts; none where it is the same model */
  readonly reference: readonly JudgeItem[];
  readonly labelled: readonly LabelledText[];
  /** whether the labels are there to check the judge, rather than what it was made from */
  readonly apart: boolean;
}

async function askedLines(judge: Judge, texts: JudgedAnswers): Promise<CheckLine[]> {
  const { subject, reference, labelled, apart } = texts;
  const own = await verdictsOf(judge, subject);
  const lines = [answersLine(subject, own)];
  lines.push(repeatsLine(own, await verdictsOf(judge, subject.slice(0, repeated))));
  lines.push(
    reference.length === 0
      ? skipped(sided, 'there is no reference to compare with')
      : sidesLine(own, await verdictsOf(judge, reference)),
  );
  lines.push(
    labelled.length === 0 || !apart
      ? skipped(
          agrees,
          'there are no examples with labels of their own: name a file as check.labels, or add --labels FILE',
        )
      : labelsLine(
          labelled,
          await verdictsOf(
            judge,
            labelled.map((one) => ({ ...one, ended: true })),
          ),
        ),
  );
  return lines;
}

const allSkipped = (why: string) => looks.map((look) => skipped(look, why));

/** Why the judge is not asked; undefined where it is. One that learns is not trained for this. */
export async function whyNotAsked(study: OpenStudy): Promise<string | undefined> {
  if (study.config.check.answers === 0) return 'check.answers is 0';
  if (judgeOf(study).trains && !(await isThere(join(study.folder, resultFiles.judge))))
    return 'the judge is trained in stage grade: `culprit check STUDY --redo check` looks at it after that';
  return undefined;
}

/** Asks the judge. */
export async function verdictLines(study: OpenStudy, texts: JudgedAnswers): Promise<CheckLine[]> {
  const why = await whyNotAsked(study);
  if (why !== undefined) return allSkipped(why);
  if (texts.subject.length === 0) return allSkipped('no answer of the subject could be sampled');
  let opened: Judge | undefined;
  try {
    opened = await openKeptJudge(study);
    return await askedLines(opened, texts);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return [
      found(answers, {}, fails(`the judge cannot work: ${error.message}`)),
      ...allSkipped('see judge').slice(1),
    ];
  } finally {
    await opened?.close();
  }
}
