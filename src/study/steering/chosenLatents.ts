/**
 * Which latents a causal test steers: each selector's first ones, at equal budget, and random ones as
 * frequent as they are.
 */

import { deltaActivation } from '../../methods/attribution/diff.ts';
import { exactEffects } from '../../methods/attribution/exact.ts';
import { meanContrastiveGradient } from '../../methods/attribution/selectors/gradientCosine.ts';
import type { SelectorEvidence } from '../../methods/attribution/selectors/selector.ts';
import { type SelectorName, selectorNamed } from '../../methods/attribution/selectors/selectors.ts';
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
import { meanNorm } from '../../methods/steering/meanNorm.ts';
import type { Model } from '../../models/decoder.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { once } from '../../saes/once.ts';
import type { Sae } from '../../saes/sae.ts';
import type { Progress } from '../open/progress.ts';
import type { Ranks, SelectorCandidates } from './steeringResult.ts';
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
  /** ā [d] */
  baseline(): Promise<Float32Array>;
  readonly tokenSet: TokenSet;
  /** Δ [N] */
  readonly delta: Float32Array;
  readonly selectors: readonly SelectorName[];
  /** of each selector */
  readonly candidates: number;
  readonly random: number;
  /** contrasts of the exact re-ranking, whose cost grows with them */
  readonly exactContrasts: number;
  readonly seed: number;
  readonly progress: Progress;
}

/** Texts that s is the mean over, of each kind of completion. */
const normTexts = 32;

/** What selectors ask for, each part computed when it is first asked for. */
function evidenceOf(
  request: ChoiceRequest,
  pass: SitePass,
  encoder: () => Promise<Encoder>,
): SelectorEvidence {
  const { runtime, subject, reference, sae, layer, prompts, contrasts, tokenSet, progress } = request;
  const ablation = once(async () => ({ baseline: await request.baseline(), tokenSet }));
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
      for (const contrast of contrasts) rows.push(await contrastRows(pass, contrast, await ablation()));
      return meanContrastiveGradient(rows, sae.width);
    }),
    async exact(latents) {
      const some = contrasts.slice(0, request.exactContrasts);
      const forced = await forcedPass(runtime, subject, layer);
      const stage = progress.stage(`Exact ablation of ${latents.length} latents`, some.length);
      try {
        const done = () => stage.advance();
        return (await exactEffects(forced, some, sae, latents, await ablation(), done)).contrast;
      } finally {
        stage.end();
        await forced.release();
      }
    },
    seed: request.seed,
  };
}

/** s of each model, over prompts with their completions. */
async function normsOf({ runtime, subject, reference, layer, contrasts }: ChoiceRequest) {
  const texts = contrasts.slice(0, normTexts).flatMap(({ prompt, positives, negatives }) => [
    [...prompt, ...positives[0]!],
    [...prompt, ...negatives[0]!],
  ]);
  return {
    away: await meanNorm(runtime, subject, layer, texts),
    toward: await meanNorm(runtime, reference, layer, texts),
  };
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
): Promise<Pick<ChosenRecord, 'selectors' | 'controls' | 'norm'>> {
  const { runtime, subject, sae, layer } = request;
  const pass = await sitePass(runtime, subject, layer);
  let loading: Promise<Encoder> | undefined;
  const encoder = () => {
    loading ??= loadEncoder(runtime, sae);
    return loading;
  };
  let chosen: Pick<ChosenRecord, 'selectors' | 'controls'>;
  try {
    chosen = await selected(evidenceOf(request, pass, encoder), request);
  } finally {
    await pass.release();
    await (await loading?.catch(() => undefined))?.release();
  }
  return { ...chosen, norm: await normsOf(request) };
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
