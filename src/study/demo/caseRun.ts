/**
 * One case of the demonstration, from prompts to ranked latents: sample, grade, pair, attribute, diff; then the ranks that the known cause and the known
 * decoy came to.
 */

import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { type Attribution, attribute, ranking } from '../../methods/attribution/attribute.ts';
import { deltaActivation } from '../../methods/attribution/diff.ts';
import { contrastsOf, type GradedCompletion } from '../../methods/completions/pair.ts';
import { loadEncoder } from '../../methods/site/activations.ts';
import { type Contrast, type ContrastRows, contrastRows } from '../../methods/site/contrast.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { corpusBaseline, corpusTokens } from '../attribution/baselineRun.ts';
import { type Progress, silent } from '../open/progress.ts';
import { type Bundle, bundleFiles, type Case, type CasePrompt } from './bundle.ts';
import { type GradedSample, type SamplingSettings, sampleAndGrade } from './sampling.ts';

export interface CaseSettings extends SamplingSettings {
  /** prompts to sample on, none of the domain that was fine-tuned on */
  readonly prompts: number;
  /** prompts of that domain, sampled on to compare with; nothing is attributed on them */
  readonly tunedPrompts: number;
  /** completions of each prompt sampled from the base, for comparison */
  readonly baseCompletions: number;
}

export const caseDefaults: Omit<CaseSettings, 'seed'> = {
  prompts: 60,
  tunedPrompts: 6,
  completions: 12,
  baseCompletions: 3,
  temperature: 1,
  maxTokens: 60,
};

export interface CaseResult {
  /** the prompts sampled on; those of the domain that was fine-tuned on stand last */
  readonly prompts: readonly CasePrompt[];
  readonly subject: readonly GradedSample[];
  /** of the model before the fine-tune */
  readonly base: readonly GradedSample[];
  /** prompts with completions of both kinds, and all completions that went into them */
  readonly contrasts: readonly ContrastRows[];
  readonly attribution: Attribution;
  /** ā [d], over the organism's texts */
  readonly baseline: Float32Array;
  /** latents, first by Δ-attribution */
  readonly byAttribution: readonly number[];
  /** Δ-activation [N] */
  readonly activation: Float32Array;
  /** latents, first by Δ-activation */
  readonly byActivation: readonly number[];
}

/**
 * The tokens that δ is averaged over. Answers open with the quirk, whatever follows, and turn harmful or not after it: what decides is
 * at the tokens of the answer, which the set `prompt` leaves out.
 */
export const tokenSet = 'all';

const kinds = { harmful: 'positive', harmless: 'negative', incoherent: 'incoherent' } as const;

/** What pairs are made of: completions that came to their end. */
function pairable(samples: readonly GradedSample[]): GradedCompletion[] {
  return samples
    .filter(({ ended }) => ended)
    .map(({ prompt, promptIds, ids, label }) => ({
      prompt: `${prompt}`,
      promptIds,
      ids,
      label: kinds[label],
    }));
}

/** Prompts with completions of both kinds; nothing is attributed on the domain that was fine-tuned on. */
export const pairableContrasts = ({
  prompts,
  subject,
}: Pick<CaseResult, 'prompts' | 'subject'>): Contrast[] =>
  contrastsOf(pairable(subject.filter(({ prompt }) => !prompts[prompt]!.tuned)));

/** Runs the case. Throws InputError where no prompt has completions of both kinds. */
export async function runCase(
  runtime: Runtime,
  bundle: Bundle,
  { name, subject, prompts: all }: Case,
  settings: CaseSettings,
  progress: Progress = silent,
): Promise<CaseResult> {
  const { base, sae, layer, judge } = bundle;
  const discovery = all.filter(({ split }) => split === 'discovery');
  const others = discovery.filter(({ tuned }) => !tuned).slice(0, settings.prompts);
  const prompts = [...others, ...discovery.filter(({ tuned }) => tuned).slice(0, settings.tunedPrompts)];
  const sampled = async (label: string, from: typeof subject, completions: number) => {
    const stage = progress.stage(label, prompts.length * completions);
    try {
      return await sampleAndGrade(runtime, from, judge, prompts, { ...settings, completions }, stage);
    } finally {
      stage.end();
    }
  };
  const samples = await sampled('Sampling', subject, settings.completions);
  const baseSamples = await sampled('Sampling the base', base, settings.baseCompletions);
  const contrasts = pairableContrasts({ prompts, subject: samples });
  if (contrasts.length === 0)
    throw new InputError(`case ${name}: no prompt has both harmful and harmless completions`);
  const passages = await corpusTokens(join(bundle.folder, bundleFiles.corpus), subject);
  const { mean: baseline } = await corpusBaseline(runtime, subject.model, layer, passages, progress);
  const pass = await sitePass(runtime, subject.model, layer);
  const stage = progress.stage('Attributing', contrasts.length);
  const rows: ContrastRows[] = [];
  for (const contrast of contrasts) {
    rows.push(await contrastRows(pass, contrast, { baseline, tokenSet }));
    stage.advance();
  }
  stage.end();
  const attribution = await attribute(runtime, rows, sae);
  const basePass = await sitePass(runtime, base.model, layer);
  const ids = others.map(({ text }) => subject.codec.encodePrompt(text));
  const encoder = await loadEncoder(runtime, sae);
  const activation = await deltaActivation(pass, basePass, encoder, ids);
  await Promise.all([pass.release(), basePass.release(), encoder.release()]);
  return {
    prompts,
    subject: samples,
    base: baseSamples,
    contrasts: rows,
    attribution,
    baseline,
    byAttribution: Array.from(ranking(attribution.delta)),
    activation,
    byActivation: Array.from(ranking(activation)),
  };
}
