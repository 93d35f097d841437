/**
 * What tells the completions of one half of the prompts from those of the other, the halves by topic: a contrast
 * that has nothing to do with the behaviour, of which each prompt has one completion that shows it and one that
 * does not. docs/method.md section 5.
 */
import { signAlong } from '../../methods/attribution/sign.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import { rowNorms, sinksOf } from '../../methods/site/sinks.ts';
import type { SitePass } from '../../methods/site/siteGradient.ts';
import { meanDifference, unitOf } from '../../methods/steering/comparisons.ts';
import type { SiteMoments } from '../../methods/steering/siteMoments.ts';
import { topicHalves } from '../../methods/steering/topicHalves.ts';
import { sequence } from '../../models/tree.ts';
import type { ComparisonDirection } from './comparisonDirections.ts';

export interface TopicRequest {
  readonly pass: Pick<SitePass, 'activation'>;
  readonly contrasts: readonly Contrast[];
  /** mean residuals of a positive and a negative completion of each contrast in turn */
  readonly completions: SiteMoments['completions'];
  /** mean contrastive gradient [d] */
  readonly gradient: Float32Array;
  readonly seed: number;
}

/** Mean residual of a prompt, sinks left out [d]; undefined where all its tokens are sinks. */
async function promptMean(
  pass: TopicRequest['pass'],
  ids: readonly number[],
  d: number,
): Promise<Float32Array | undefined> {
  const activation = await pass.activation(sequence(ids));
  const all = [...ids.keys()];
  const sinks = new Set(sinksOf(rowNorms(activation, d), all));
  const places = all.filter((place) => !sinks.has(place));
  if (places.length === 0) return undefined;
  return Float32Array.from({ length: d }, (_, i) => {
    return places.reduce((sum, place) => sum + activation[place * d + i]!, 0) / places.length;
  });
}

/** None where the prompts are fewer than two, or alike at the site. */
export async function topicDirection({
  pass,
  contrasts,
  completions,
  gradient,
  seed,
}: TopicRequest): Promise<ComparisonDirection[]> {
  const told: { readonly prompt: Float32Array; readonly both: readonly Float32Array[] }[] = [];
  for (const [n, { prompt }] of contrasts.entries()) {
    const mean = await promptMean(pass, prompt, gradient.length);
    const [positive, negative] = [completions[2 * n], completions[2 * n + 1]];
    if (mean && positive && negative) told.push({ prompt: mean, both: [positive, negative] });
  }
  const halves = topicHalves(
    told.map(({ prompt }) => prompt),
    seed,
  );
  if (halves === undefined) return [];
  const of = (half: readonly number[]) => half.flatMap((place) => told[place]!.both);
  const vector = unitOf(meanDifference(of(halves.one), of(halves.other)));
  if (vector === undefined) return [];
  const about =
    'mean activation of the completions of one half of the prompts less the other, the halves by topic';
  return [
    {
      name: 'unrelated: topic',
      role: 'control',
      about,
      latent: null,
      vector,
      sign: signAlong(gradient, vector),
    },
  ];
}
