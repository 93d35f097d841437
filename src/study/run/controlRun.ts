/**
 * A control of a study: the whole of it once more, from its pairs to its causal test, with one thing broken on
 * purpose, in a folder below it. What comes out is what the pipeline finds where there is nothing to find.
 */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isThere } from '../../files/ifThere.ts';
import { shuffledWithin } from '../../methods/statistics/groups.ts';
import { type ControlsRecord, type GradeRecord, resultFiles } from '../../results.ts';
import { type Control, type ControlChoice, controlName, controlText } from '../config/control.ts';
import { silent } from '../open/progress.ts';
import { readCompletions, readGrades } from '../open/records.ts';
import { shuffledModelFile } from '../open/shuffledModel.ts';
import { lockStudy } from '../store/lock.ts';
import { readStudyManifest, writeStudyManifest } from '../store/manifest.ts';
import { systemClock } from '../store/runRecord.ts';
import { controlsFolder, writeControls } from './controlsRecord.ts';
import { readStudy } from './ownStudy.ts';
import { runStudy, type StudyRequest, type StudyResult } from './studyRun.ts';
import { studyStatus } from './studyStatus.ts';

export interface ControlRequest extends Omit<StudyRequest, 'labels' | 'list'> {
  readonly control: ControlChoice;
}

export interface ControlResult extends StudyResult {
  /** beside the study's own; undefined where the run stopped before there was a ranking */
  readonly controls: ControlsRecord | undefined;
}

/** What a control takes from its study. */
const taken = ['sample', 'grade', 'pair', 'attribute'];

/** Throws InputError where the study has not come as far as its ranking. */
async function checkFinished(request: StudyRequest, folder: string): Promise<void> {
  const { study, cacheDir, environment } = request;
  const { stages } = await studyStatus({ study, cacheDir, environment });
  const missing = stages.find(({ name, finished }) => taken.includes(name) && !finished);
  if (missing !== undefined)
    throw new InputError(
      `${folder}: expected a study whose stage ${missing.name} is done, as a control is held against its ranking: \`culprit run ${folder}\` first`,
    );
}

/** Grades whose labels have changed places among the coherent completions of each prompt. */
async function shuffledGrades(folder: string, seed: number): Promise<GradeRecord[]> {
  const grades = await readGrades(folder);
  const prompts = new Map((await readCompletions(folder)).map(({ id, prompt_id }) => [id, prompt_id]));
  const all = [...grades.values()];
  const coherent = all.filter((grade) => grade.coherent);
  const lent = shuffledWithin(coherent, ({ id }) => prompts.get(id) ?? id, seed);
  const lenders = new Map(coherent.map(({ id }, n) => [id, lent[n]!]));
  return all.map((grade) => {
    const lender = lenders.get(grade.id);
    if (lender === undefined) return grade;
    const { score, label } = lender;
    return { ...grade, score, label, reason: `label of completion ${lender.id}`, raw: '' };
  });
}

/** Fills the folder of a control: its study.yaml, and what it takes from its study. For who holds its lock. */
async function fillFolder(folder: string, control: Control): Promise<void> {
  const { of, kind, seed } = control;
  await replaceFile(join(folder, resultFiles.study), (file) =>
    file.writeFile(
      `# A control, written by \`culprit run --control ${kind}\`. The rest is as in the study.\n${controlText(control, folder)}`,
    ),
  );
  const shuffles = kind === 'shuffle-labels';
  const copied = [resultFiles.completions, resultFiles.judge, ...(shuffles ? [] : [resultFiles.grades])];
  for (const name of copied)
    if (await isThere(join(of, name))) await copyFile(join(of, name), join(folder, name));
  if (shuffles) {
    const grades = await shuffledGrades(of, seed);
    await replaceFile(join(folder, resultFiles.grades), (file) =>
      file.writeFile(grades.map((grade) => `${JSON.stringify(grade)}\n`).join('')),
    );
  }
  const own = await readStudyManifest(of);
  const before = await readStudyManifest(folder);
  // Its first day is its study's: a template that prints the date prints the same one.
  if (own !== undefined && before === undefined)
    await writeStudyManifest(folder, { ...own, stages: {}, writing: [] });
}

/** The folder of a control, made or filled again. Throws InputError where a run is at work in it. */
async function makeFolder(
  control: Control,
  { clock = systemClock, progress = silent }: StudyRequest,
): Promise<string> {
  const folder = join(controlsFolder(control.of), controlName(control));
  await mkdir(folder, { recursive: true });
  const unlock = await lockStudy(folder, clock, progress.note);
  try {
    await fillFolder(folder, control);
  } finally {
    await unlock();
  }
  return folder;
}

/**
 * Runs a control, or goes on with it, and holds it against its study in controls.json. Throws InputError where
 * the study has no ranking yet, or is a control itself.
 */
export async function runControl({ control, ...request }: ControlRequest): Promise<ControlResult> {
  const study = await readStudy(request.study);
  if (study.config.control !== undefined)
    throw new InputError(`${study.file}: expected a study, found a control of ${study.config.control.of}`);
  await checkFinished(request, study.folder);
  const folder = await makeFolder({ ...control, of: study.folder }, request);
  const result = await runStudy({ ...request, study: folder });
  await rm(shuffledModelFile(folder), { force: true });
  const attributed = result.attribute !== undefined;
  return { ...result, controls: attributed ? await writeControls(study.folder) : undefined };
}
