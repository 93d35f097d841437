/**
 * Which directions a causal test works along: each selector's first latents, at equal budget, random ones as
 * frequent as they are, and what they are compared with.
 */

import { deltaActivation } from '../../methods/attribution/diff.ts';
import { exactEffects } from '../../methods/attribution/exact.ts';
import { meanContrastiveGradient } from '../../methods/attribution/selectors/gradientCosine.ts';
import type { SelectorEvidence } from '../../methods/attribution/selectors/selector.ts';
import { selectorNamed } from '../../methods/attribution/selectors/selectors.ts';
import {
  type CompletionActivations,
  completionActivations,
  type Encoder,
  loadEncoder,
  pooledFrequency,
  promptActivations,
} from '../../methods/site/activations.ts';
import {
  type Contrast,
  type ContrastRows,
  contrastRows,
  type TokenSet,
} from '../../methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../methods/site/siteGradient.ts';
import { matchedControls } from '../../methods/steering/controls.ts';
import { forcedPass } from '../../methods/steering/forced.ts';
import { type SiteMoments, siteMoments } from '../../methods/steering/siteMoments.ts';
import type { Model } from '../../models/decoder.ts';
import { counted } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { once } from '../../saes/once.ts';
import type { Sae } from '../../saes/sae.ts';
import type { AttributionArrays } from '../attribution/attributionFiles.ts';
import type { Progress } from '../open/progress.ts';
import { packed } from '../store/packedVector.ts';
import { comparisonDirections } from './comparisonDirections.ts';
import type { Ranks } from './steeringResult.ts';
import type { SelectorCandidates } from './steeringSummary.ts';
import { topicDirection } from './topicDirection.ts';
import { unrelatedDirections } from './unrelatedDirections.ts';
import type { ChosenRecord } from './work.ts';

export interface ChoiceRequest {
  readonly runtime: Runtime;
  readonly subject: Model;
  readonly reference: Model;
  readonly sae: Sae;
  readonly layer: number;
  /** token ids of the discovery prompts */
  readonly prompts: readonly (readonly number[])[];
  readonly contrasts: readonly Contrast[];
  readonly attribution: AttributionArrays;
  /** the text of a completion */
  readonly textOf: (ids: readonly number[]) => string;
  readonly tokenSet: TokenSet;
  /** Δ [N] */
  readonly delta: Float32Array;
  readonly selectors: readonly string[];
  /** of each selector */
  readonly candidates: number;
  readonly random: number;
  /** contrasts of the exact re-ranking, whose cost grows with them */
  readonly exactContrasts: number;
  /** whether halves of the prompts by topic are compared */
  readonly topicHalf?: boolean | undefined;
  readonly seed: number;
  readonly progress: Progress;
}

/** Contrasts that s, means and the probe are taken over. */
const momentContrasts = 32;

/** Contrasts of which other questions are asked. */
const unrelatedContrasts = 16;

/** What selectors ask for, each part computed when it is first asked for. */
function evidenceOf(
  request: ChoiceRequest,
  pass: SitePass,
  encoder: () => Promise<Encoder>,
): SelectorEvidence {
  const { runtime, subject, reference, sae, layer, prompts, contrasts, tokenSet, progress } = request;
  const ablation = { baseline: request.attribution.baseline, tokenSet };
  const told = <T>(line: string, make: () => Promise<T>) =>
    once(() => {
      progress.note(line);
      return make();
    });
  const completions: () => Promise<CompletionActivations> = told(
    'Activations on the completions of the pairs',
    async () => completionActivations(pass, await encoder(), contrasts),
  );
  return {
    latents: sae.latents,
    dictionary: sae,
    delta: request.delta,
    completions,
    frequency: told('How often each latent is active', async () => {
      const { positive, negative } = await completions();
      return pooledFrequency([await promptActivations(pass, await encoder(), prompts), positive, negative]);
    }),
    deltaActivation: told('Activations of subject and reference on the prompts', async () => {
      const other = await sitePass(runtime, reference, layer);
      try {
        return await deltaActivation(pass, other, await encoder(), prompts);
      } finally {
        await other.release();
      }
    }),
    gradient: told('Mean contrastive gradient', async () => {
      const rows: ContrastRows[] = [];
      for (const contrast of contrasts) rows.push(await contrastRows(pass, contrast, ablation));
      return meanContrastiveGradient(rows, sae.width);
    }),
    async exact(latents) {
      const some = contrasts.slice(0, request.exactContrasts);
      const forced = await forcedPass(runtime, subject, layer);
      const stage = progress.stage(`Exact ablation of ${counted(latents.length, 'latent')}`, some.length);
      try {
        const done = () => stage.advance();
        return (await exactEffects(forced, some, sae, latents, ablation, done)).contrast;
      } finally {
        stage.end();
        await forced.release();
      }
    },
    seed: request.seed,
  };
}

/** The first positive and the first negative completion of each of the first contrasts, in turn. */
export const momentTexts = ({ contrasts }: Pick<ChoiceRequest, 'contrasts'>) =>
  contrasts.slice(0, momentContrasts).flatMap(({ prompt, positives, negatives }) =>
    [positives[0]!, negatives[0]!].map((completion, n) => ({
      ids: [...prompt, ...completion],
      start: prompt.length,
      positive: n === 0,
    })),
  );

/** Subject's and reference's moments on these texts. */
export async function contrastMoments(
  request: Pick<ChoiceRequest, 'runtime' | 'subject' | 'reference' | 'layer' | 'contrasts'>,
): Promise<Record<'subject' | 'reference', SiteMoments>> {
  const { runtime, subject, reference, layer } = request;
  const texts = momentTexts(request);
  return {
    subject: await siteMoments(runtime, subject, layer, texts),
    reference: await siteMoments(runtime, reference, layer, texts),
  };
}

async function comparisonsOf(
  request: ChoiceRequest,
  pass: SitePass,
  moments: Record<'subject' | 'reference', SiteMoments>,
): Promise<ChosenRecord['comparisons']> {
  const { runtime, sae, attribution, seed, contrasts, tokenSet, textOf, progress } = request;
  progress.note('Directions to compare with');
  const own = await comparisonDirections({
    runtime,
    sae,
    ...attribution,
    ...moments,
    positive: momentTexts(request).map(({ positive }) => positive),
    seed,
  });
  const unrelated = await unrelatedDirections({
    runtime,
    pass,
    sae,
    contrasts: contrasts.slice(0, unrelatedContrasts),
    options: { baseline: attribution.baseline, tokenSet },
    textOf,
  });
  const topic = request.topicHalf
    ? await topicDirection({
        pass,
        contrasts: contrasts.slice(0, momentContrasts),
        completions: moments.subject.completions,
        gradient: attribution.gradient,
        seed,
      })
    : [];
  return [...own, ...unrelated, ...topic].map(({ vector, ...about }) => ({
    ...about,
    vector: packed(vector),
  }));
}

async function selected(
  evidence: SelectorEvidence,
  request: ChoiceRequest,
): Promise<Pick<ChosenRecord, 'selectors' | 'controls'>> {
  const chosen: ChosenRecord['selectors'] = [];
  for (const selector of request.selectors)
    chosen.push({ selector, latents: await selectorNamed(selector).select(evidence, request.candidates) });
  const candidates = [...new Set(chosen.flatMap(({ latents }) => latents))];
  const frequency = await evidence.frequency();
  return {
    selectors: chosen,
    controls: matchedControls(frequency, candidates, request.random, request.seed),
  };
}

/** Throws RangeError where the dictionary has too few latents that ever fire. */
export async function chooseLatents(
  request: ChoiceRequest,
): Promise<Omit<ChosenRecord, 'kind' | 'id' | 'content'>> {
  const { runtime, subject, sae, layer, attribution } = request;
  const moments = await contrastMoments(request);
  const pass = await sitePass(runtime, subject, layer);
  let loading: Promise<Encoder> | undefined;
  const encoder = () => {
    loading ??= loadEncoder(runtime, sae);
    return loading;
  };
  try {
    return {
      ...(await selected(evidenceOf(request, pass, encoder), request)),
      comparisons: await comparisonsOf(request, pass, moments),
      norm: { away: moments.subject.norm, toward: moments.reference.norm },
      baseline: packed(attribution.baseline),
      subject_mean: packed(moments.subject.mean),
    };
  } finally {
    await pass.release();
    await (await loading?.catch(() => undefined))?.release();
  }
}

/** Ranks by selector of every latent that one proposed. */
export function ranksOf(chosen: ChosenRecord['selectors']): Ranks {
  const ranks = new Map<number, Record<string, number>>();
  for (const { selector, latents } of chosen)
    latents.forEach((latent, i) => {
      ranks.set(latent, { ...ranks.get(latent), [selector]: i + 1 });
    });
  return ranks;
}

/** The selectors' candidates with what each selector is. */
export const candidatesOf = (chosen: ChosenRecord['selectors']): SelectorCandidates[] =>
  chosen.map(({ selector, latents }) => ({ selector, about: selectorNamed(selector).about, latents }));
