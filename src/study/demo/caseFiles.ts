/** The result files of one case, written and read back. manifest.json comes last, so that a folder with one is whole. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonIfThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import {
  type DifferenceRow,
  decodeDifferences,
  decodeLatents,
  encodeDifferences,
  type LatentRow,
  type Manifest,
  manifestSchema,
  resultFiles,
} from '../../results.ts';
import { latentRows, writeAttribution, writeManifest } from '../attribution/attributionFiles.ts';
import type { Evidence } from '../interpretation/evidence.ts';
import { writeEvidence } from '../interpretation/pages.ts';
import { readSteering, type SteeringResult } from '../open/records.ts';
import { writeSteering } from '../steering/steeringFiles.ts';
import type { CasePrompt } from './bundle.ts';
import type { CaseProof } from './caseProof.ts';
import type { CaseRecords } from './caseRecords.ts';
import type { CaseResult } from './caseRun.ts';
import type { GradedSample } from './sampling.ts';

export const caseFiles = {
  latents: resultFiles.latents,
  arrays: resultFiles.attribution,
  manifest: resultFiles.manifest,
  steering: resultFiles.steering,
  steeringSummary: resultFiles.steeringSummary,
  steered: resultFiles.steered,
  figure: resultFiles.steeringSvg,
  picture: resultFiles.steeringPng,
  completions: resultFiles.completions,
  grades: resultFiles.grades,
  pairs: resultFiles.pairs,
  pairTokens: resultFiles.pairTokens,
  samples: 'samples.jsonl',
  differences: 'differences.parquet',
};

const sampleSchema = z.object({
  /** subject: after the fine-tune; base: before */
  model: z.enum(['subject', 'base']),
  prompt: z.string(),
  domain: z.string(),
  completion: z.string(),
  label: z.enum(['harmful', 'harmless', 'incoherent']),
  quirk: z.boolean(),
  /** of the judge */
  reason: z.string(),
  /** came to its end before the limit */
  ended: z.boolean(),
  ids: z.array(z.int()),
  log_probabilities: z.array(z.number()),
});
export type SampleLine = z.infer<typeof sampleSchema>;

/** What a case's folder tells. */
export interface CaseRecord {
  readonly manifest: Manifest;
  readonly samples: readonly SampleLine[];
  /** first rank first */
  readonly latents: readonly LatentRow[];
  readonly differences: readonly DifferenceRow[];
  readonly steering: SteeringResult;
}

function sampleLine(
  prompts: readonly CasePrompt[],
  model: 'subject' | 'base',
  sample: GradedSample,
): SampleLine {
  const { prompt, domain, text, label, quirk, reason, ended, ids, logProbabilities } = sample;
  return {
    model,
    prompt: prompts[prompt]!.text,
    domain,
    completion: text,
    label,
    quirk,
    reason,
    ended,
    ids: [...ids],
    log_probabilities: [...logProbabilities],
  };
}

const writeLines = (path: string, lines: readonly object[]) =>
  replaceFile(path, async (file) => {
    await file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });

/** All but pages and manifest. */
export async function writeCase(
  folder: string,
  result: CaseResult,
  records: CaseRecords,
  causalTest: CaseProof,
): Promise<void> {
  const samples = [
    ...result.subject.map((sample) => sampleLine(result.prompts, 'subject', sample)),
    ...result.base.map((sample) => sampleLine(result.prompts, 'base', sample)),
  ];
  await writeLines(join(folder, caseFiles.samples), samples);
  await writeLines(join(folder, caseFiles.completions), records.completions);
  await writeLines(join(folder, caseFiles.grades), records.grades);
  await writeLines(join(folder, caseFiles.pairs), records.pairs);
  await writeAttribution(folder, result.attribution, latentRows(result.attribution), result.contrasts);
  const differences = result.byActivation.map((latent, i) => ({
    latent,
    delta_activation: result.activation[latent]!,
    rank: i + 1,
  }));
  await replaceFile(join(folder, caseFiles.differences), async (file) => {
    await file.writeFile(new Uint8Array(encodeDifferences(differences)));
  });
  await writeSteering(folder, causalTest, causalTest.trials);
}

/** The pages of its latents, and then the manifest. */
export async function finishCase(folder: string, evidence: Evidence, manifest: Manifest): Promise<void> {
  await writeEvidence(folder, evidence);
  await writeManifest(folder, manifest);
}

const buffer = async (path: string) => Uint8Array.from(await readFile(path)).buffer;

/** The finished case that `folder` holds, if its key is this one. */
export async function readCase(folder: string, key: string): Promise<CaseRecord | undefined> {
  const at = (name: string) => join(folder, name);
  const { data } = manifestSchema.safeParse(await readJsonIfThere(at(caseFiles.manifest)));
  if (data?.key !== key || Object.values(caseFiles).some((name) => !existsSync(at(name)))) return undefined;
  return {
    manifest: data,
    samples: await readJsonlAll(at(caseFiles.samples), sampleSchema),
    latents: await decodeLatents(await buffer(at(caseFiles.latents))),
    differences: await decodeDifferences(await buffer(at(caseFiles.differences))),
    steering: await readSteering(folder),
  };
}

/** Throws InputError where the folder holds results that are no demonstration's. */
export async function checkCaseFolder(folder: string, overwrite = false): Promise<void> {
  const manifest = manifestSchema.safeParse(await readJsonIfThere(join(folder, caseFiles.manifest)));
  if (overwrite || manifest.data?.command === 'demo') return;
  const strange = Object.values(caseFiles).find((name) => existsSync(join(folder, name)));
  if (strange !== undefined)
    throw new InputError(
      `--out ${folder}: holds a ${strange} that is not of a finished demo: name another folder, or add --overwrite`,
    );
}
