/**
 * The same directions in several subjects, such as the checkpoints of a fine-tune: how much of the behaviour each shows,
 * how far it lies along them, and what removing them and steering along them does. docs/method.md section 12.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import {
  type CheckpointSubject,
  type CheckpointsRecord,
  placeOfRow,
  resultFiles,
  type SteeringRow,
} from '../../results.ts';
import { readAttributionArrays } from '../attribution/attributionFiles.ts';
import { openFixWork } from '../fix/fixWork.ts';
import { given } from '../judging/given.ts';
import { judgeOf } from '../judging/openJudge.ts';
import { chosenDirections } from '../monitor/chosenDirections.ts';
import { textReader } from '../monitor/meanResiduals.ts';
import { checkAsMade } from '../monitor/monitoredTexts.ts';
import type { Machine } from '../open/machine.ts';
import type { Progress } from '../open/progress.ts';
import { readSteering } from '../open/records.ts';
import { type FittingDictionary, hashesOf, type OpenStudy } from '../open/study.ts';
import { hashesThere, staleBeneath } from '../report/restsOn.ts';
import { withLockedStudy } from '../run/lockedStudy.ts';
import { sampledWith } from '../steering/5-steer.ts';
import { steeringPrompts } from '../steering/causalTestChecks.ts';
import { latentName, vectorDirection } from '../steering/direction.ts';
import { keptAside } from '../steering/trialParts.ts';
import { trialRunner } from '../steering/trials.ts';
import { JudgeStopped } from '../steering/trialVerdicts.ts';
import { type SteeringRecord, type SteeringWork, steeringRecord } from '../steering/work.ts';
import { journalFile, makeWorkFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import { outFolder } from '../store/outFolder.ts';
import { type Clock, versions } from '../store/runRecord.ts';
import { writeCheckpoints } from './checkpointsFile.ts';
import { joinedJournal } from './joinedJournal.ts';
import { type Compared, type DosedLatent, measureSubject } from './measureSubject.ts';
import { type ComparedSubject, comparedSubjects } from './subjects.ts';

export const subjectsDefaults = { first: 3, randomRemoved: 8, seed: 1 } as const;

/** Of a latent whose arm was not sampled in the causal test, in parts of the norm. */
const usualDose = 0.1;

export interface SubjectsRequest extends Machine {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** adapters on the subject's model, or models, in order */
  readonly subjects: readonly string[];
  /** latents by Δ where none is confirmed; default 3 */
  readonly first?: number | undefined;
  /** random latents that are removed beside them, of those of the causal test; default 8 */
  readonly randomRemoved?: number | undefined;
  /** completions of each prompt; default as the causal test */
  readonly completions?: number | undefined;
  /** of sampling and intervals; default 1 */
  readonly seed?: number | undefined;
  /** folder for the results; default the study's */
  readonly out?: string | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface SubjectsResult {
  /** undefined where the judge's budget was spent first */
  readonly record: CheckpointsRecord | undefined;
  readonly files: readonly string[];
  /** why it stopped */
  readonly stopped: string | undefined;
}

const usedFiles = [
  resultFiles.latents,
  resultFiles.attribution,
  resultFiles.steering,
  resultFiles.steeringSummary,
];

/** Samples, judges, measures and writes. Throws InputError for anything wrong in what was given. */
export async function compareSubjects(request: SubjectsRequest): Promise<SubjectsResult> {
  const { study, cacheDir, memory, progress, clock } = request;
  try {
    return await withLockedStudy({ study, cacheDir, memory, progress, clock }, (opened) =>
      compared(opened, request),
    );
  } catch (error) {
    if (!(error instanceof JudgeStopped)) throw error;
    return { record: undefined, files: [], stopped: error.message };
  }
}

/** Throws InputError where the study has had no causal test, which says what a dose of 1 is and which latents are random. */
async function testOf({ folder }: OpenStudy) {
  const path = join(folder, resultFiles.steering);
  if (!(await isThere(path)))
    throw new InputError(`${path}: no such file: \`culprit steer ${folder}\` makes it`);
  return readSteering(folder);
}

async function compared(study: OpenStudy, request: SubjectsRequest): Promise<SubjectsResult> {
  const { folder } = study;
  const { out = folder } = request;
  const { first, randomRemoved, seed } = { ...subjectsDefaults, ...given(request) };
  const completions = request.completions ?? study.config.steering.completions;
  await checkAsMade(folder, usedFiles);
  const test = await testOf(study);
  await outFolder(out);
  const subjects = await comparedSubjects(study, request.subjects);
  const { chosen } = await chosenDirections(study, { first, random: 0, seed });
  const dictionary = await study.dictionary();
  const comparison: Compared = {
    latents: await comparedLatents(dictionary, chosen.rows, test.rows),
    random: await randomLatents(dictionary, test.rows, randomRemoved),
    parts: keptAside((await study.prompts()).evaluation.length, study.config.steering.aside)
      ? ['evaluation', 'aside']
      : ['evaluation'],
    seed,
  };
  const norm = test.summary.norm.away;
  const measured = await measuredSubjects(study, dictionary, { subjects, comparison, norm, completions });
  const confirmed = chosen.confirmed ?? [];
  const record: CheckpointsRecord = {
    behaviour: study.config.behaviour.name,
    site: `resid_post ${dictionary.layer}`,
    norm,
    seed,
    prompts: (await study.prompts()).evaluation.length,
    completions,
    confirmed: [...confirmed],
    latents: comparison.latents.map(({ latent, direction, away, toward }) => ({
      latent,
      sign: direction.sign,
      confirmed: confirmed.includes(latent),
      away: rounded(away),
      toward: rounded(toward),
    })),
    random: comparison.random.map(({ latent }) => latent!),
    subjects: measured,
    stale: await staleBeneath(study),
    inputs: await inputsOf(study, subjects),
    versions: { ...versions },
    created: study.clock().toISOString(),
  };
  await study.recorder.check?.();
  return { record, files: [await writeCheckpoints(out, record)], stopped: undefined };
}

/** A dose of a float32 column as it was written. */
const rounded = (dose: number) => Number(dose.toPrecision(6));

async function comparedLatents(
  { sae }: FittingDictionary,
  chosen: readonly { readonly latent: number; readonly sign: 1 | -1 }[],
  rows: readonly SteeringRow[],
): Promise<DosedLatent[]> {
  return Promise.all(
    chosen.map(async ({ latent, sign }) => {
      const vector = await directionsOf(sae, [latent]);
      const doseAt = (place: 'away' | 'toward') =>
        Math.abs(rows.find((row) => row.latent === latent && placeOfRow(row) === place)?.dose ?? usualDose);
      return {
        latent,
        direction: vectorDirection(latentName(latent), 'candidate', vector, { latent, sign }),
        away: doseAt('away'),
        toward: doseAt('toward'),
      };
    }),
  );
}

/** The first random latents whose removal the causal test has measured. */
async function randomLatents({ sae }: FittingDictionary, rows: readonly SteeringRow[], count: number) {
  const removed = rows.filter(({ role, operation }) => role === 'random' && operation === 'remove');
  const latents = [...new Set(removed.flatMap(({ latent }) => latent ?? []))].slice(0, count);
  return Promise.all(
    latents.map(async (latent) =>
      vectorDirection(latentName(latent), 'random', await directionsOf(sae, [latent]), { latent }),
    ),
  );
}

interface Measuring {
  readonly subjects: readonly ComparedSubject[];
  readonly comparison: Compared;
  readonly norm: number;
  readonly completions: number;
}

/** One after another, each with a journal of its own: a subject that is added later leaves the others as they are. */
async function measuredSubjects(
  study: OpenStudy,
  dictionary: FittingDictionary,
  { subjects, comparison, norm, completions }: Measuring,
): Promise<CheckpointSubject[]> {
  const journals: Journal<SteeringRecord>[] = [];
  for (const { choice } of subjects)
    journals.push(await subjectJournal(study, dictionary, choice, comparison.seed));
  const { baseline } = await readAttributionArrays(study.folder);
  const { work, close } = await openFixWork(
    study,
    dictionary,
    joinedJournal(journals),
    { completions, seed: comparison.seed },
    { baseline, most: 1 },
  );
  const found: CheckpointSubject[] = [];
  try {
    for (const [n, subject] of subjects.entries())
      found.push(
        await measuredSubject(study, { ...work, journal: journals[n]! }, { subject, comparison, norm }),
      );
    return found;
  } finally {
    await close();
  }
}

async function measuredSubject(
  study: OpenStudy,
  work: SteeringWork,
  {
    subject: { name, role, choice },
    comparison,
    norm,
  }: Pick<Measuring, 'comparison' | 'norm'> & { readonly subject: ComparedSubject },
): Promise<CheckpointSubject> {
  const opened = await study.model(choice);
  const { width } = opened.model.decoder;
  if (width !== work.dictionary.width)
    throw new InputError(
      `${choice.adapter ?? choice.model}: expected a model of width ${work.dictionary.width}, which the dictionary is of, found ${width}`,
    );
  const { calibration, evaluation } = await study.prompts();
  const own: SteeringWork = {
    ...work,
    system: undefined,
    sides: { away: { opened, norm }, toward: { opened, norm } },
    prompts: {
      calibration: await steeringPrompts(study, choice, calibration),
      evaluation: await steeringPrompts(study, choice, evaluation),
    },
  };
  const { model, codec } = opened;
  const runner = trialRunner(own, 'away');
  try {
    const reader = await textReader({
      runtime: own.runtime,
      model,
      codec,
      layer: own.layer,
      tokens: 'completion',
    });
    try {
      const found = await measureSubject({ name, runner, reader, work: own }, comparison).catch(
        (error: unknown) => {
          throw error instanceof InputError
            ? new InputError(`subject ${name}: ${error.message}`, { cause: error })
            : error;
        },
      );
      return { name, role, model: choice.model, adapter: choice.adapter ?? null, ...found };
    } finally {
      await reader.release();
    }
  } finally {
    await runner.release();
  }
}

async function subjectJournal(
  study: OpenStudy,
  { layer }: FittingDictionary,
  choice: ComparedSubject['choice'],
  seed: number,
): Promise<Journal<SteeringRecord>> {
  const { folder, clock, progress, recorder } = study;
  const judge = await judgeOf(study).fingerprint();
  const key = jsonHash([
    hashesOf(await study.modelHashes('subject', choice)),
    (await study.hashedSae()).sha256,
    hashesOf(judge.inputs),
    [judge.options, judge.threshold],
    [layer, seed, sampledWith(study), study.config.steering.incoherence],
    recorder.versions,
  ]);
  await makeWorkFolder(folder);
  return openJournal(journalFile(folder, { name: 'compare', key }), steeringRecord, ({ id }) => id, {
    clock,
    note: progress.note,
    check: recorder.check,
  });
}

async function inputsOf(
  study: OpenStudy,
  subjects: readonly ComparedSubject[],
): Promise<CheckpointsRecord['inputs']> {
  const models = await Promise.all(
    subjects.map(({ name, choice }) => study.modelHashes(`subject ${name}`, choice)),
  );
  return {
    ...Object.assign({}, ...models),
    sae: await study.hashedSae(),
    ...(await hashesThere(study.folder, usedFiles)),
  };
}
