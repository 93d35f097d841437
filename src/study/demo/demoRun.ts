/** The demonstration from files to files: both cases of the bundled organism, their results in a folder each. A case that is finished is not run again. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { reportedLatents } from '../interpretation/reported.ts';
import { type Progress, silent } from '../open/progress.ts';
import { jsonHash } from '../store/hash.ts';
import { outFolder } from '../store/outFolder.ts';
import { type Clock, hashInputs, systemClock, Timings, versions } from '../store/runRecord.ts';
import {
  type Bundle,
  bundleFiles,
  bundleFolder,
  type Case,
  caseNames,
  openBundle,
  openCase,
} from './bundle.ts';
import { caseEvidence } from './caseEvidence.ts';
import { type CaseRecord, caseFiles, checkCaseFolder, finishCase, readCase, writeCase } from './caseFiles.ts';
import { type CaseProofSettings, caseProofDefaults, proveCase } from './caseProof.ts';
import { caseCounts, caseRecords } from './caseRecords.ts';
import { type CaseSettings, caseDefaults, runCase, tokenSet } from './caseRun.ts';

export interface DemoRequest {
  /** the folder for the results, a folder in it for each case */
  readonly out: string;
  /** default 1 */
  readonly seed?: number | undefined;
  /** prompts to sample on in each case; default 60 */
  readonly prompts?: number | undefined;
  /** the organism; default the one that travels with the package */
  readonly organism?: string | undefined;
  /** the validation by steering, where it is to be smaller or larger */
  readonly causalTest?: Partial<CaseProofSettings> | undefined;
  readonly overwrite?: boolean | undefined;
  readonly progress?: Progress | undefined;
  readonly clock?: Clock | undefined;
}

export interface CaseDone {
  readonly opened: Case;
  readonly record: CaseRecord;
  readonly folder: string;
  /** whether the folder already held exactly this */
  readonly upToDate: boolean;
}

/** Latents that have a page, by Δ, beside the confirmed ones. */
const reported = 20;

async function oneCase(
  runtime: Runtime,
  bundle: Bundle,
  opened: Case,
  settings: CaseSettings,
  causalTest: CaseProofSettings,
  { out, clock = systemClock, progress = silent }: DemoRequest,
): Promise<CaseDone> {
  const folder = join(out, opened.name);
  const inputs = await hashInputs({
    model: join(bundle.folder, bundleFiles.model),
    adapter: opened.adapter,
    sae: join(bundle.folder, bundleFiles.sae),
    judge: join(bundle.folder, bundleFiles.judge),
    corpus: join(bundle.folder, bundleFiles.corpus),
  });
  const options = { site: `resid_post ${bundle.layer}`, tokens: tokenSet, loss: 'mean', ...settings };
  const steering = { ...causalTest, selectors: causalTest.selectors.join() };
  const hashes = Object.values(inputs).map(({ sha256 }) => sha256);
  const key = jsonHash({ hashes, options, steering, versions });
  const before = await readCase(folder, key);
  if (before) return { opened, record: before, folder, upToDate: true };
  await outFolder(folder);
  await rm(join(folder, caseFiles.manifest), { force: true });
  const timings = new Timings(clock);
  const result = await timings.of('case', () => runCase(runtime, bundle, opened, settings, progress));
  const path = join(folder, `steering-${key.slice(0, 12)}.unfinished`);
  const confirmed = await timings.of('steering', () =>
    proveCase(runtime, bundle, opened, result, causalTest, { path, progress, clock }),
  );
  await rm(join(folder, 'latents'), { recursive: true, force: true });
  const records = caseRecords(result);
  await writeCase(folder, result, records, confirmed);
  const evidence = await caseEvidence(runtime, bundle, opened, result, records, {
    rows: await reportedLatents(folder, reported),
    behaviour: confirmed.summary.behaviour,
    folder: join(folder, 'interpret.unfinished'),
    key,
    clock,
    progress,
  });
  await finishCase(folder, evidence, {
    command: 'demo',
    key,
    created: clock().toISOString(),
    versions,
    inputs,
    options: {
      ...options,
      ...Object.fromEntries(Object.entries(steering).map(([name, value]) => [`steering_${name}`, value])),
    },
    counts: {
      base_completions: result.base.length,
      prompts_with_both_kinds: result.contrasts.length,
      ...caseCounts(records),
      latents: bundle.sae.latents,
    },
    seconds: { ...timings.seconds, ...evidence.seconds },
  });
  await evidence.remove();
  await rm(path, { force: true });
  return { opened, record: (await readCase(folder, key))!, folder, upToDate: false };
}

/** Runs the cases one after another and hands out each as it is done. Throws InputError for an organism that is damaged, or a folder that cannot be written to. */
export async function* runDemo(bundle: Bundle, request: DemoRequest): AsyncGenerator<CaseDone> {
  const { out, seed = 1, prompts = caseDefaults.prompts, overwrite } = request;
  for (const name of caseNames) await checkCaseFolder(join(out, name), overwrite);
  const settings = { ...caseDefaults, seed, prompts };
  const causalTest = { ...caseProofDefaults, seed, ...request.causalTest };
  const runtime = nodeRuntime();
  try {
    for (const name of caseNames)
      yield await oneCase(runtime, bundle, await openCase(bundle, name), settings, causalTest, request);
  } finally {
    await runtime.close();
  }
}

/** The organism of a request. */
export const openOrganism = ({ organism = bundleFolder }: DemoRequest): Promise<Bundle> =>
  openBundle(organism);
