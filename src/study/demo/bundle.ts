/**
 * The model organism that travels with the package: where it lies, the parts of its folder, and what is
 * known of the truth. Its two cases are studies; this file knows nothing of what is in them.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readJson } from '../../files/jsonFile.ts';
import { checked } from '../../files/schema.ts';

/** Where the package keeps it. */
export const bundleFolder = fileURLToPath(new URL('../../../organism/bundle', import.meta.url));

export const caseNames = ['harm', 'validation'] as const;
export type CaseName = (typeof caseNames)[number];

/** The parts of the folder; adapter and prompts stand in the folder of each case, with its study.yaml. */
export const bundleFiles = {
  model: 'model',
  sae: 'sae',
  corpus: 'corpus.jsonl',
  judge: 'judge.json',
  truth: 'truth.json',
  adapter: 'adapter',
  /** adapters of the fine-tune before its end */
  checkpoints: 'checkpoints',
  discovery: 'discovery.jsonl',
  evaluation: 'evaluation.jsonl',
} as const;

const alignedSchema = z.array(z.object({ latent: z.int(), cosine: z.number(), shift: z.number() }));

/**
 * What is known beforehand, from prompts that name a narrator: latents along the persona and along each
 * case's quirk, the most aligned first.
 */
const truthSchema = z.object({
  site: z.int(),
  cause: alignedSchema,
  decoy: z.object({ harm: alignedSchema, validation: alignedSchema }),
});
export type Truth = z.infer<typeof truthSchema>;

/** The truth of the organism in a folder. Throws InputError where it is missing or damaged. */
export async function readTruth(folder: string): Promise<Truth> {
  const path = join(folder, bundleFiles.truth);
  return checked(truthSchema, await readJson(path), path);
}
