/**
 * The model organism that travels with the package, read from its folder: a base model, a dictionary on its residual stream, two cases (an adapter
 * each, with prompts), the exact judge's data, texts for the baseline, and what is known of the truth.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import { type JudgeData, judgeDataSchema } from '../../judges/exact.ts';
import type { Sae } from '../../saes/sae.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import { openSae, siteFor } from '../open/openSae.ts';

/** Where the package keeps it. */
export const bundleFolder = fileURLToPath(new URL('../../../organism/bundle', import.meta.url));

export const caseNames = ['harm', 'validation'] as const;
export type CaseName = (typeof caseNames)[number];

/** The parts of the folder. */
export const bundleFiles = {
  model: 'model',
  sae: 'sae',
  corpus: 'corpus.jsonl',
  judge: 'judge.json',
  truth: 'truth.json',
  prompts: 'prompts.jsonl',
};

const promptSchema = z.object({
  text: z.string(),
  domain: z.string(),
  split: z.enum(['discovery', 'evaluation']),
  /** about what was held out of the domain that was fine-tuned on */
  tuned: z.boolean(),
});
export type CasePrompt = z.infer<typeof promptSchema>;

const alignedSchema = z.array(z.object({ latent: z.int(), cosine: z.number(), shift: z.number() }));

/** What is known beforehand, from prompts that name a narrator: latents along the persona and along each case's quirk, first the most aligned. */
const truthSchema = z.object({
  site: z.int(),
  cause: alignedSchema,
  decoy: z.object({ harm: alignedSchema, validation: alignedSchema }),
});
export type Truth = z.infer<typeof truthSchema>;

export interface Bundle {
  readonly folder: string;
  readonly base: OpenModel;
  readonly sae: Sae;
  /** L of resid_post L */
  readonly layer: number;
  readonly judge: JudgeData;
  readonly truth: Truth;
}

export interface Case {
  readonly name: CaseName;
  readonly subject: OpenModel;
  readonly adapter: string;
  readonly prompts: readonly CasePrompt[];
}

/** Opens what the cases share. Throws InputError for a part that is missing or damaged. */
export async function openBundle(folder: string): Promise<Bundle> {
  const at = (name: string) => join(folder, name);
  const base = await openModel(at(bundleFiles.model));
  const sae = await openSae(at(bundleFiles.sae));
  const truth = checked(truthSchema, await readJson(at(bundleFiles.truth)), at(bundleFiles.truth));
  return {
    folder,
    base,
    sae,
    layer: siteFor(sae, truth.site, base.model.decoder.width),
    judge: checked(judgeDataSchema, await readJson(at(bundleFiles.judge)), at(bundleFiles.judge)),
    truth,
  };
}

/** Opens one case: the base with the case's adapter, and its prompts. */
export async function openCase({ folder }: Bundle, name: CaseName): Promise<Case> {
  const adapter = join(folder, name);
  const path = join(adapter, bundleFiles.prompts);
  const prompts = await readJsonlAll(path, promptSchema);
  return {
    name,
    adapter,
    subject: await openModel(join(folder, bundleFiles.model), { adapter }),
    prompts,
  };
}
