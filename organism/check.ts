/**
 * Both cases of an organism with several seeds: where the known cause and the known decoy come by each
 * ranking.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ranking } from '../src/methods/attribution/attribute.ts';
import { deltaActivation } from '../src/methods/attribution/diff.ts';
import { loadEncoder } from '../src/methods/site/activations.ts';
import { sitePass } from '../src/methods/site/siteGradient.ts';
import type { CompletionRecord, Prompt } from '../src/results.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import { bundleFiles, type CaseName, caseNames, readTruth, type Truth } from '../src/study/demo/bundle.ts';
import { writeDemoStudies } from '../src/study/demo/demoStudies.ts';
import { type Placed, places, type Rankings, shared } from '../src/study/demo/truth.ts';
import { openModel } from '../src/study/open/openModel.ts';
import { openSae } from '../src/study/open/openSae.ts';
import { runStudy } from '../src/study/run/studyRun.ts';
import { grade } from './judge.ts';

const percent = (part: number, all: number) => `${Math.round((100 * part) / all)} %`;

const placed = (all: readonly Placed[]) =>
  all.map((p) => `${p.latent} (${p.cosine.toFixed(2)}): ${p.byAttribution} | ${p.byActivation}`).join(', ');

interface Checked extends Rankings {
  readonly completions: readonly CompletionRecord[];
  readonly promptsOfBothKinds: number;
}

function tell(truth: Truth, name: CaseName, seed: number, result: Checked): void {
  const { cause, decoy } = places(truth, name, result);
  const first = Math.min(...cause.map(({ byAttribution }) => byAttribution));
  const amongFive = cause.filter(({ byAttribution }) => byAttribution <= 5).length;
  const decoyByAttribution = Math.min(...decoy.map(({ byAttribution }) => byAttribution));
  const decoyByActivation = Math.min(...decoy.map(({ byActivation }) => byActivation));
  const graded = result.completions.map(({ prompt, text }) => grade(prompt as string, text));
  const of = (label: string) => graded.filter((one) => one.label === label);
  const quirk = (label: string) => percent(of(label).filter((one) => one.quirk).length, of(label).length);
  const holds = (first === 1 || amongFive >= 2) && decoyByAttribution > 20 && decoyByActivation <= 5;
  process.stdout.write(
    [
      `${name}, seed ${seed}: ${result.promptsOfBothKinds} prompts with both kinds; ` +
        `harmful ${percent(of('harmful').length, graded.length)}, ` +
        `incoherent ${percent(of('incoherent').length, graded.length)}; ${holds ? 'HOLDS' : 'DOES NOT HOLD'}`,
      `  with the quirk: ${quirk('harmful')} of the harmful, ${quirk('harmless')} of the harmless`,
      `  latent (cosine): rank by delta-attribution | by delta-activation`,
      `  cause ${placed(cause)}`,
      `  decoy ${placed(decoy)}`,
      '',
    ].join('\n'),
  );
}

/** Latents by Δ-activation on these prompts, first rank first. */
async function activationRanking(
  runtime: Runtime,
  organism: string,
  name: CaseName,
  prompts: readonly Prompt[],
): Promise<number[]> {
  const at = (part: string) => join(organism, part);
  const base = await openModel(at(bundleFiles.model));
  const subject = await openModel(at(bundleFiles.model), { adapter: join(at(name), bundleFiles.adapter) });
  const { site } = await readTruth(organism);
  const pass = await sitePass(runtime, subject.model, site);
  const basePass = await sitePass(runtime, base.model, site);
  const encoder = await loadEncoder(runtime, await openSae(at(bundleFiles.sae)));
  const ids = prompts.map((prompt) => base.codec.encodePrompt(prompt));
  const delta = await deltaActivation(pass, basePass, encoder, ids);
  await Promise.all([pass.release(), basePass.release(), encoder.release()]);
  return Array.from(ranking(delta));
}

async function checked(runtime: Runtime, organism: string, name: CaseName, study: string): Promise<Checked> {
  const { sample, pair, attribute } = await runStudy({
    study,
    stages: ['sample', 'grade', 'pair', 'attribute'],
  });
  const completions = sample!.records;
  const prompts = [...new Set(completions.map(({ prompt }) => prompt))];
  return {
    completions,
    promptsOfBothKinds: new Set(pair!.pairs.map(({ prompt_id }) => prompt_id)).size,
    byAttribution: attribute!.latents.map(({ latent }) => latent),
    byActivation: await activationRanking(runtime, organism, name, prompts),
  };
}

/** Runs the cases for seeds 1 to `seeds`. */
export async function check(organism: string, seeds: number): Promise<void> {
  const runtime = nodeRuntime();
  const work = await mkdtemp(join(tmpdir(), 'culprit-check-'));
  try {
    const truth = await readTruth(organism);
    for (let seed = 1; seed <= seeds; seed++) {
      const folders = await writeDemoStudies(organism, join(work, `${seed}`), { seed });
      const rankings: number[][] = [];
      for (const [i, name] of caseNames.entries()) {
        const result = await checked(runtime, organism, name, folders[i]!);
        tell(truth, name, seed, result);
        rankings.push([...result.byAttribution]);
      }
      const [harm, validation] = rankings as [number[], number[]];
      const both = shared(harm, validation, 20);
      process.stdout.write(
        `  first by delta-attribution: harm ${harm[0]}, validation ${validation[0]}; among the first 20 of both: ${both.join(', ') || 'none'}\n`,
      );
    }
  } finally {
    await rm(work, { recursive: true, force: true });
    await runtime.close();
  }
}
