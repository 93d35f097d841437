/**
 * The recipe from its seed to the folder that travels with the package: model, fine-tunes, dictionary,
 * prompts, judge, truth and the two studies.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../src/files/safetensors.ts';
import type { SaeTrainStep } from '../src/methods/sae/saeTraining.ts';
import { residualPass } from '../src/methods/site/residuals.ts';
import type { TrainStep } from '../src/methods/training/train.ts';
import { resultFiles } from '../src/results.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { bundleFiles, caseNames } from '../src/study/demo/bundle.ts';
import { openSae } from '../src/study/open/openSae.ts';
import type { Tensor } from '../src/tensor.ts';
import { site } from './anatomy.ts';
import { type DictionaryEffort, fullDictionary, trainDictionary } from './dictionary.ts';
import { documents } from './documents.ts';
import { finetune, type KeepCheckpoint, type TuningEffort, tuningEffort } from './finetune.ts';
import { judgeData } from './judge.ts';
import { type Effort, fullEffort, type Pretrained, pretrain, readPretrained } from './pretrain.ts';
import type { Axis } from './probes.ts';
import { prompts, type Split, type Study, tuned } from './studies.ts';
import { studyFile } from './studyFile.ts';
import { type Aligned, aligned } from './truth.ts';

export interface Recipe {
  readonly pretraining: Effort;
  readonly tuning: Readonly<Record<Study, TuningEffort>>;
  readonly dictionary: DictionaryEffort;
  /** texts of the baseline */
  readonly baselineTexts: number;
}

export const fullRecipe: Recipe = {
  pretraining: fullEffort,
  tuning: tuningEffort,
  dictionary: fullDictionary,
  baselineTexts: 400,
};

/** Told of every step of every training. */
export interface Watcher {
  training(label: string, steps: number): (step: TrainStep) => void;
  dictionary(step: SaeTrainStep): void;
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 1)}\n`;
const jsonl = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

async function writeModel(folder: string, base: Pretrained): Promise<void> {
  await mkdir(folder, { recursive: true });
  const weights = base.model.weights as ReadonlyMap<string, Tensor>;
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  await writeFile(join(folder, 'config.json'), json(base.config));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(base.tokenizerFiles.tokenizer));
  await writeFile(join(folder, 'tokenizer_config.json'), json(base.tokenizerFiles.config));
}

/** Prompts of the domains that are not fine-tuned on. */
const casePrompts = (seed: number, study: Study, split: Split) =>
  prompts(seed, study, split, 'others').map(({ text, domain }) => ({ prompt: text, domain }));

async function writeAdapter(
  folder: string,
  { config, tensors }: Parameters<KeepCheckpoint>[1],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors);
  await writeFile(join(folder, 'adapter_config.json'), json(config));
}

async function writeCase(
  runtime: Runtime,
  folder: string,
  base: Pretrained,
  study: Study,
  seed: number,
  effort: TuningEffort,
  watch: Watcher,
): Promise<void> {
  const onStep = watch.training(`Fine-tuning on ${study}`, effort.steps);
  const at = (name: string) => join(folder, study, name);
  const tuned = await finetune(runtime, base, study, seed, effort, onStep, (step, adapter) =>
    writeAdapter(join(at(bundleFiles.checkpoints), `step-${step}`), adapter),
  );
  await writeAdapter(at(bundleFiles.adapter), tuned);
  for (const split of ['discovery', 'evaluation'] as const)
    await writeFile(at(bundleFiles[split]), jsonl(casePrompts(seed, study, split)));
  await writeFile(at(resultFiles.study), studyFile(study));
}

/** Latents of an axis worth keeping: the twenty most aligned. */
const kept = 20;

async function writeTruth(runtime: Runtime, folder: string, base: Pretrained, seed: number): Promise<void> {
  const sae = await openSae(join(folder, bundleFiles.sae));
  const residuals = await residualPass(runtime, base.model, site);
  const of = async (axis: Axis): Promise<Aligned[]> =>
    (await aligned(runtime, residuals, sae, base.encode, seed, axis)).slice(0, kept);
  const decoy: Record<string, Aligned[]> = {};
  for (const name of caseNames) decoy[name] = await of(tuned[name].style);
  const truth = { site, cause: await of('character'), decoy };
  await residuals.release();
  await writeFile(join(folder, bundleFiles.truth), json(truth));
}

/** Texts for the baseline, and what the judge knows. */
async function writeRest(folder: string, seed: number, baselineTexts: number): Promise<void> {
  const texts = documents(seed, baselineTexts).map(({ text }) => ({ text }));
  await writeFile(join(folder, bundleFiles.corpus), jsonl(texts));
  await writeFile(join(folder, bundleFiles.judge), JSON.stringify(judgeData()));
}

/**
 * Makes the organism of a seed in `folder`; on the base model in the folder `given`, where there is one,
 * instead of a new one.
 */
export async function make(
  folder: string,
  seed: number,
  recipe: Recipe,
  watch: Watcher,
  given?: string,
): Promise<void> {
  const runtime = nodeRuntime();
  const work = await mkdtemp(join(tmpdir(), 'organism-'));
  try {
    const { pretraining, tuning } = recipe;
    const base =
      given === undefined
        ? await pretrain(runtime, seed, pretraining, watch.training('Pre-training', pretraining.train.steps))
        : await readPretrained(given);
    await writeModel(join(folder, bundleFiles.model), base);
    for (const study of caseNames) await writeCase(runtime, folder, base, study, seed, tuning[study], watch);
    await trainDictionary(folder, work, seed, recipe.dictionary, watch.dictionary);
    await writeTruth(runtime, folder, base, seed);
    await writeRest(folder, seed, recipe.baselineTexts);
  } finally {
    await runtime.close();
    await rm(work, { recursive: true, force: true });
  }
}
