/**
 * Stage 0: what may be wired wrongly, looked at before a run. A failure stops the run where `check.mode` is
 * stop.
 */
import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { readJson } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';
import { type CheckLine, checkSchema, checkTroubles, resultFiles } from '../../results.ts';
import { leftToTheStudy } from '../config/schema.ts';
import { checkSection } from '../config/sections/check.ts';
import { judgeOf } from '../judging/openJudge.ts';
import { saidOptions } from '../open/openSae.ts';
import { type StageStop, studyStage } from '../open/stage.ts';
import { hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { promptHash } from '../store/contentHash.ts';
import { finishStage, stageIsDone } from '../store/finishStage.ts';
import { jsonHash } from '../store/hash.ts';
import { stageKey } from '../store/key.ts';
import { Timings } from '../store/runRecord.ts';
import type { Stage } from '../store/stageState.ts';
import { checkLines } from './checkRun.ts';

export interface StudyCheck {
  readonly lines: readonly CheckLine[];
  readonly upToDate: boolean;
}

/** Its prompts, or those of imported completions, as one hash. */
async function promptsHash(study: OpenStudy): Promise<string> {
  if (study.config.prompts === undefined)
    return jsonHash((await study.completions()).map(({ prompt }) => promptHash(prompt)));
  const { discovery, evaluation, calibration } = await study.prompts();
  return jsonHash(
    [discovery, evaluation, calibration].map((kind) => kind.map(({ prompt }) => promptHash(prompt))),
  );
}

async function planCheck(study: OpenStudy): Promise<Stage> {
  const { config, recorder } = study;
  const { baseline, interpret, sae, check } = config;
  const judge = await judgeOf(study).fingerprint();
  const corpus = baseline && 'corpus' in baseline ? baseline.corpus : interpret?.corpus?.[0];
  const inputs = {
    ...(await study.modelHashes('subject', config.subject)),
    ...(await study.modelHashes('reference', config.reference)),
    sae: await study.hashedSae(),
    ...judge.inputs,
    ...(corpus !== undefined && { corpus: await study.hashed(corpus) }),
    ...(baseline && 'file' in baseline && { baseline: await study.hashed(baseline.file) }),
    ...(check.labels !== undefined && { labels: await study.hashed(check.labels) }),
  };
  const options = {
    site: sae.site ?? null,
    ...saidOptions(sae),
    answers: check.answers,
    sampling: jsonHash(config.sampling),
    judge: jsonHash([judge.options, judge.threshold]),
    prompts: await promptsHash(study),
  };
  const key = stageKey({ options, inputs: hashesOf(inputs), versions: computing(recorder.versions) });
  return { name: 'check', key, inputs, options, outputs: [resultFiles.check] };
}

/** Why a run goes no further; undefined where it does. */
function stopFor({ config, folder }: OpenStudy, lines: readonly CheckLine[]): StageStop | undefined {
  const failed = checkTroubles(lines).filter(({ status }) => status === 'fail');
  if (failed.length === 0 || config.check.mode !== 'stop') return undefined;
  const [first] = failed;
  const more =
    failed.length === 1 ? '' : ` (and ${failed.length - 1} more, see ${join(folder, resultFiles.check)})`;
  return {
    reason: `${first!.name}: ${first!.what_to_do}${more}; check.mode: warn in study.yaml goes on all the same`,
    spent: false,
  };
}

async function runCheck(study: OpenStudy): Promise<StudyCheck> {
  const { folder, recorder, clock } = study;
  const path = join(folder, resultFiles.check);
  const stage = await planCheck(study);
  if (await stageIsDone(folder, stage))
    return { lines: checked(checkSchema, await readJson(path), path), upToDate: true };
  const timings = new Timings(clock);
  const lines = await timings.of('check', () => checkLines(study));
  const counts = Object.fromEntries(
    (['pass', 'warn', 'fail', 'skipped'] as const).map((status) => [
      status,
      lines.filter((line) => line.status === status).length,
    ]),
  );
  await finishStage(folder, stage, { counts, seconds: timings.seconds }, recorder, () =>
    replaceFile(path, (file) => file.writeFile(`${JSON.stringify(lines, undefined, 1)}\n`)),
  );
  return { lines, upToDate: false };
}

export const checkStage = studyStage({
  name: 'check',
  about: 'what may be wired wrongly, looked at before anything is computed',
  needs: [],
  outputs: [resultFiles.check],
  aside: true,
  section: checkSection,
  skip: ({ config }) =>
    leftToTheStudy(config) ?? (config.check.mode === 'skip' ? 'check.mode is skip' : undefined),
  plan: planCheck,
  async run(study) {
    const result = await runCheck(study);
    return { result, stopped: stopFor(study, result.lines) };
  },
  units: async () => ({ units: 1, known: true }),
  async estimate(study, { prompt, token, status }) {
    const { answers } = study.config.check;
    // both models' answers, the texts that both read some times over, differences of the loss
    const tokens = 2 * answers * (prompt + 40) + 8_000 + 40 * (prompt + 40);
    return { seconds: status.left * (tokens * token + 2), note: 'what may be wired wrongly' };
  },
});
