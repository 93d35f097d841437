/** What a monitor is tried on elsewhere: another study, opened, or a file of completions with labels. */
import { InputError } from '../../errors.ts';
import { isFolderThere } from '../../files/ifThere.ts';
import type { Machine } from '../open/machine.ts';
import type { OpenStudy } from '../open/study.ts';
import { openFor } from '../run/studyRun.ts';
import { discoveryTexts, labelledTexts, type MonitoredText, unsteeredTexts } from './monitoredTexts.ts';

const isStudy = async (path: string) => /\.ya?ml$/i.test(path) || (await isFolderThere(path));

/** What another study's subject has to have in common with this one's. */
async function shapeOf(study: OpenStudy): Promise<string> {
  const { decoder } = (await study.model(study.config.subject)).model;
  return `a ${decoder.family} model of ${decoder.blocks} blocks and width ${decoder.width} read at resid_post ${await study.layer()}`;
}

/** Throws InputError for this study itself, or one whose residuals are other ones. */
async function openOther(study: OpenStudy, path: string, { cacheDir, memory }: Machine): Promise<OpenStudy> {
  const { progress, clock } = study;
  const other = await openFor({ study: path, cacheDir, memory, progress, clock });
  try {
    if (other.folder === study.folder)
      throw new InputError(`--on ${path}: expected another study, found the one that is monitored`);
    const [own, found] = [await shapeOf(study), await shapeOf(other)];
    if (own !== found)
      throw new InputError(`--on ${path}: expected ${own}, as ${study.folder} has it, found ${found}`);
    return other;
  } catch (error) {
    await other.close();
    throw error;
  }
}

/** One `--on`. */
export interface OtherTask {
  readonly path: string;
  /** undefined for a file */
  readonly opened: OpenStudy | undefined;
  readonly texts: readonly MonitoredText[];
}

async function otherTask(study: OpenStudy, path: string, machine: Machine): Promise<OtherTask> {
  if (!(await isStudy(path))) return { path, opened: undefined, texts: await labelledTexts(path) };
  const opened = await openOther(study, path, machine);
  try {
    const texts = [
      ...(await discoveryTexts(opened.folder)),
      ...((await unsteeredTexts(opened.folder)) ?? []),
    ];
    return { path, opened, texts };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** All of them, in order, with their texts, before any is read by a model. Throws InputError for one that is none. */
export async function otherTasks(
  study: OpenStudy,
  paths: readonly string[],
  machine: Machine,
): Promise<OtherTask[]> {
  const found: OtherTask[] = [];
  try {
    for (const path of paths) found.push(await otherTask(study, path, machine));
    return found;
  } catch (error) {
    await closeTasks(found);
    throw error;
  }
}

export async function closeTasks(tasks: readonly OtherTask[]): Promise<void> {
  for (const { opened } of tasks) await opened?.close();
}
