/**
 * The classifier judge of a study: trained once, from labelled files and from texts that a model writes,
 * and kept in a file. Killed while it trains, the next run goes on with the next prompt.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { classifierJudge } from '../../judges/classifier.ts';
import type { Judge } from '../../judges/judge.ts';
import { probability } from '../../methods/judging/probe.ts';
import { coherenceFeatures, type Reading } from '../../methods/judging/reading.ts';
import { checkSite } from '../../models/passes.ts';
import { resultFiles } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type OpenModelOptions, openModel } from '../open/openModel.ts';
import { silent } from '../open/progress.ts';
import { jsonHash } from '../store/hash.ts';
import { heldFiles } from '../store/heldFiles.ts';
import { type Clock, hashInputs } from '../store/runRecord.ts';
import { examplesByPrompt } from './classifierExamples.ts';
import {
  type ClassifierModel,
  type ClassifierReport,
  readClassifier,
  writeClassifier,
} from './classifierModel.ts';
import { classifierProgress, readTexts, type Writers, withWritten } from './classifierTexts.ts';
import { trainClassifier } from './classifierTraining.ts';
import { type CompletionReader, completionReader } from './completionReader.ts';
import { type LabelledSource, readLabelled } from './labelledFile.ts';

export interface ClassifierRequest extends OpenModelOptions {
  /** the reference model, which reads the completions */
  readonly model: string;
  /** examples that show the behaviour, and such that do not */
  readonly positive: LabelledSource;
  readonly negative: LabelledSource;
  /** layer L of `resid_post L`; default where the first two thirds of the blocks end */
  readonly site?: number | undefined;
  /** probability of the behaviour from which a completion is positive */
  readonly threshold: number;
  /** share of the prompts that only test */
  readonly heldOut: number;
  readonly seed: number;
  readonly writers: Writers;
  /** where judge.safetensors is kept */
  readonly folder: string;
  /** where what is finished stands until the judge is trained; default `folder` */
  readonly workFolder?: string | undefined;
  readonly runtime: Runtime;
  readonly clock: Clock;
}

/** Where the trained judge stands. */
export interface OpenClassifier {
  readonly judge: Judge;
  readonly report: ClassifierReport;
  /** whether the folder held it: nothing was computed */
  readonly upToDate: boolean;
}

/** Raised when the same inputs come to give another judge. */
export const classifierVersion = 2;

/**
 * The judge, trained where `folder` does not hold it. Throws InputError for anything wrong in what was
 * given.
 */
export async function openClassifier(request: ClassifierRequest): Promise<OpenClassifier> {
  const { heldOut, seed, folder, workFolder = folder, runtime, writers, threshold } = request;
  const opened = await openModel(request.model, request);
  const { blocks } = opened.model.decoder;
  const { site = Math.max(0, Math.round((2 * blocks) / 3) - 1) } = request;
  checkSite(opened.model, site);
  const answers = {
    positive: await readLabelled(request.positive),
    negative: await readLabelled(request.negative),
  };
  const held = heldFiles();
  const inputs = await hashInputs({ model: opened.source, adapter: request.adapter }, held);
  const hashes = Object.values(inputs).map(({ sha256 }) => sha256);
  const key = jsonHash([classifierVersion, hashes, site, answers, heldOut, seed, writers.identity]);
  const reader = completionReader(runtime, opened, site);
  const file = join(folder, resultFiles.judge);

  async function train(): Promise<ClassifierModel> {
    for (const path of [folder, workFolder]) await mkdir(path, { recursive: true });
    const done = await classifierProgress(workFolder, key, {
      clock: request.clock,
      progress: request.progress ?? silent,
      check: held.check,
    });
    const texts = await withWritten(examplesByPrompt(answers, heldOut, seed), writers, seed, done);
    const read = await readTexts(texts, reader, done);
    // the prompts that it was trained on are in the way of those to come
    await reader.close();
    const model = trainClassifier(read, { key, site, seed });
    await held.check();
    await writeClassifier(file, model);
    await done.remove();
    return model;
  }

  const known = await readClassifier(file, key);
  const model = known ?? (await train());
  const name = `classifier on ${request.model} at resid_post ${site}`;
  return {
    judge: judgeOf(model, reader, name, threshold),
    report: model.report,
    upToDate: known !== undefined,
  };
}

function judgeOf(model: ClassifierModel, reader: CompletionReader, name: string, threshold: number): Judge {
  const { behaviour, coherence, report } = model;
  return classifierJudge<Reading>({
    name,
    identity: { kind: 'classifier', key: report.key, threshold },
    threshold,
    read: reader.read,
    assess: (reading) => ({
      behaviour: probability(behaviour, reading.mean),
      coherence: probability(coherence, coherenceFeatures(reading)),
    }),
    close: reader.close,
  });
}
