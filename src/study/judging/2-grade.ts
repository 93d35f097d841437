/**
 * Stage 2: every completion's verdict by the study's judge. A completion that has been graded under the
 * same judge is not graded again.
 */

import { type JudgeItem, noVerdict, type Verdict } from '../../judges/judge.ts';
import { type CompletionRecord, type GradeRecord, gradeRecord, resultFiles } from '../../results.ts';
import type { JudgeConfig } from '../config/schema.ts';
import { leftToTheStudy } from '../config/schema.ts';
import { gradesAreImported } from '../open/records.ts';
import { type StageOutcome, studyStage } from '../open/stage.ts';
import type { OpenStudy } from '../open/study.ts';
import { runUnits, stageOf, type UnitPlan, type UnitResult, unitsOf } from '../open/units.ts';
import { contentOf } from '../store/contentHash.ts';
import { jsonHash } from '../store/hash.ts';
import type { Abreast } from '../store/status.ts';
import { judgeCounts, judgeCountsIn, judgeLines } from './judgeReport.ts';
import { keptAmong, openKeptJudge } from './keptJudge.ts';
import { judgeEstimate, judgeKindOf, judgeOf, judgeSection } from './openJudge.ts';
import { judgeKey, keptFile } from './verdictFile.ts';

function gradeOf(completion: CompletionRecord, judge: string, verdict: Verdict): GradeRecord {
  const { calls, inputTokens, outputTokens, price } = verdict.cost;
  const { score, label, coherence, coherent, reason, raw } = verdict;
  return {
    id: completion.id,
    content: contentOf(completion.prompt, completion.text),
    score,
    label,
    coherence,
    coherent,
    reason,
    raw,
    judge,
    cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price },
  };
}

export const judgeItem = ({ id, prompt, text, stop }: CompletionRecord): JudgeItem => ({
  id,
  prompt,
  completion: text,
  ended: stop !== 'length',
});

/**
 * The plan for completions that are there; what the judge is made from stands in `inputs`, what it is told
 * in the options.
 */
async function gradePlan(
  study: OpenStudy,
  completions: readonly CompletionRecord[],
): Promise<UnitPlan<typeof gradeRecord>> {
  const { inputs, options, shown, threshold, computed } = await judgeOf(study).fingerprint();
  const contents = new Map(completions.map(({ id, prompt, text }) => [id, contentOf(prompt, text)]));
  return {
    name: 'grade',
    file: resultFiles.grades,
    schema: gradeRecord,
    idOf: ({ id }) => id,
    order: [...contents.keys()],
    fits: ({ id, content }) => contents.get(id) === content,
    unitOptions: options,
    shownOptions: shown,
    kept: judgeOf(study).keeps ? [keptFile(study.folder, await judgeKey(study))] : [],
    computed,
    inputs,
    units: jsonHash([[...contents], threshold]),
    shown: (grade) => ({ ...grade, label: grade.score >= threshold ? 'positive' : 'negative' }),
  };
}

/** The completions to grade: those that are missing, or all of each prompt that misses one. */
function missingOf(
  completions: readonly CompletionRecord[],
  missing: ReadonlySet<string>,
  wholePrompts: boolean,
): CompletionRecord[] {
  const prompts = new Set(completions.filter(({ id }) => missing.has(id)).map(({ prompt_id }) => prompt_id));
  return completions.filter(({ id, prompt_id }) => (wholePrompts ? prompts.has(prompt_id) : missing.has(id)));
}

/** Grades what is missing. */
async function runGrade(study: OpenStudy): Promise<StageOutcome<UnitResult<GradeRecord>>> {
  const completions = await study.completions();
  const plan = await gradePlan(study, completions);
  let told: Record<string, number> | undefined;
  return runUnits(
    study,
    plan,
    async ({ missing, done, begin, save }) => {
      const { calls, price } = gradeCounts(done);
      const dearest = Math.max(0, ...done.map(({ cost }) => cost.price));
      const wanted = missingOf(completions, missing, judgeOf(study).wholePrompts);
      const judge = await openKeptJudge(study, {
        texts: wanted.map(judgeItem),
        spent: { calls: calls!, price: price!, dearest },
        onReport(report) {
          judgeLines(report).forEach(study.progress.note);
          told = judgeCounts(report);
        },
      });
      begin();
      const byId = new Map(wanted.map((completion) => [completion.id, completion]));
      const stage = study.progress.stage('Grading', plan.order.length, plan.order.length - wanted.length);
      const refused: string[] = [];
      try {
        const { stopped } = await judge.grade(wanted.map(judgeItem), async ({ id }, verdict, made) => {
          await save([gradeOf(byId.get(id)!, judge.name, verdict)], made);
          if (verdict.reason.startsWith(noVerdict)) refused.push(`${id}: ${verdict.reason}`);
          stage.advance();
        });
        if (refused.length > 0)
          study.progress.note(
            `judge: no verdict on ${refused.length} of ${wanted.length} completions, which count as incoherent; the first, ${refused[0]}`,
          );
        return stopped;
      } finally {
        stage.end();
        await judge.close();
      }
    },
    // a judge that has nothing to grade is not opened: what it told before stands
    (grades, before) => ({ ...gradeCounts(grades), ...(told ?? judgeCountsIn(before)) }),
  );
}

export function gradeCounts(grades: readonly GradeRecord[]): Record<string, number> {
  const total = (f: (grade: GradeRecord) => number) => grades.reduce((sum, grade) => sum + f(grade), 0);
  return {
    grades: grades.length,
    positive: total(({ label, coherent }) => Number(coherent && label === 'positive')),
    negative: total(({ label, coherent }) => Number(coherent && label === 'negative')),
    incoherent: total(({ coherent }) => Number(!coherent)),
    calls: total(({ cost }) => cost.calls),
    input_tokens: total(({ cost }) => cost.input_tokens),
    output_tokens: total(({ cost }) => cost.output_tokens),
    price: total(({ cost }) => cost.price),
  };
}

/** A judge that is asked several questions at a time is asked the first one alone. */
function abreastOf(judge: JudgeConfig): Abreast | undefined {
  const units = judgeKindOf(judge).abreast?.(judge);
  return units === undefined ? undefined : { units, firstAlone: true };
}

export const gradeStage = studyStage({
  name: 'grade',
  about: "each completion's verdict, by the study's judge",
  needs: [resultFiles.completions],
  outputs: [resultFiles.grades],
  section: judgeSection(),
  imported: gradesAreImported,
  skip: ({ config }) => leftToTheStudy(config),
  plan: async (study) => stageOf(await gradePlan(study, await study.completions()), study.recorder.versions),
  async check(study) {
    const judge = judgeOf(study);
    await judge.fingerprint();
    if (!(await gradesAreImported(study.folder))) await judge.check();
  },
  run: runGrade,
  async units(study, planned) {
    const { prompts, sampling } = study.config;
    if (planned === undefined)
      return { units: (prompts?.discovery ?? 0) * sampling.completions, known: true };
    const completions = await study.completions();
    const abreast = abreastOf(study.config.judge);
    const found = { ...(await unitsOf(study, await gradePlan(study, completions))), abreast };
    if (found.kept !== 0) return found;
    const kept = await keptAmong(study, completions.map(judgeItem));
    return { ...found, kept: kept.filter(Boolean).length };
  },
  async estimate(study, { prompt, token, status }) {
    const { completions, max_tokens } = study.config.sampling;
    const { kind, note, assumption } = judgeKindOf(study.config.judge);
    const work = {
      completions: status.left,
      perPrompt: completions,
      promptTokens: prompt,
      completionTokens: max_tokens,
      tokenSeconds: token,
    };
    return {
      ...(await judgeEstimate(study, work, { first: true })),
      note: [`${kind} judge`, ...(note === undefined ? [] : [note])].join(', '),
      assumption,
    };
  },
});
