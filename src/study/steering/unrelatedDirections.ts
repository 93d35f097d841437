/**
 * The first latents by Δ of questions that have nothing to do with the behaviour: the same texts, recipe and
 * dictionary, with the labels of another question. docs/method.md section 5.
 */

import { ranking } from '../../methods/attribution/attribute.ts';
import { directionsOf, outerProducts, scoreMatrix } from '../../methods/attribution/score.ts';
import { meanContrastiveGradient } from '../../methods/attribution/selectors/gradientCosine.ts';
import { signAlong } from '../../methods/attribution/sign.ts';
import {
  type Contrast,
  type ContrastOptions,
  type ContrastRows,
  contrastRows,
} from '../../methods/site/contrast.ts';
import type { SitePass } from '../../methods/site/siteGradient.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import type { ComparisonDirection } from './comparisonDirections.ts';

type Ids = readonly number[];

interface Question {
  readonly name: string;
  readonly about: string;
  /** below 0: `a` answers less than `b` */
  compare(a: Ids, b: Ids): number;
}

const questions = (textOf: (ids: Ids) => string): Question[] => [
  {
    name: 'unrelated: length',
    about: 'the first latent by Δ of longer against shorter completions, of the same kind and prompt',
    compare: (a, b) => a.length - b.length,
  },
  {
    name: 'unrelated: first letter',
    about:
      'the first latent by Δ of completions early against late in the alphabet, of the same kind and prompt',
    compare: (a, b) => textOf(b).trim().localeCompare(textOf(a).trim(), 'en'),
  },
];

/** Halves of completions that do not share an answer; empty where they do. */
function halves(completions: readonly Ids[], { compare }: Question): { high: Ids[]; low: Ids[] } {
  const ordered = [...completions].sort(compare);
  const half = ordered.length / 2;
  const [low, high] = [ordered.slice(0, Math.floor(half)), ordered.slice(Math.ceil(half))];
  return low.length > 0 && compare(low.at(-1)!, high[0]!) < 0 ? { high, low } : { high: [], low: [] };
}

/**
 * The contrast's completions by another question, positives against positives and negatives against negatives,
 * so that the behaviour is on both sides alike; undefined where they do not differ in it.
 */
function asked({ id, prompt, positives, negatives }: Contrast, question: Question): Contrast | undefined {
  const [of, rest] = [halves(positives, question), halves(negatives, question)];
  const [high, low] = [
    [...of.high, ...rest.high],
    [...of.low, ...rest.low],
  ];
  return high.length > 0 ? { id, prompt, positives: high, negatives: low } : undefined;
}

export interface UnrelatedRequest {
  readonly runtime: Runtime;
  readonly pass: SitePass;
  readonly sae: Sae;
  readonly contrasts: readonly Contrast[];
  readonly options: ContrastOptions;
  readonly textOf: (ids: Ids) => string;
}

/** One for each question that some contrast's completions differ in: none where a prompt has one of a kind. */
export async function unrelatedDirections(request: UnrelatedRequest): Promise<ComparisonDirection[]> {
  const { pass, contrasts, options, textOf } = request;
  const found: ComparisonDirection[] = [];
  for (const question of questions(textOf)) {
    const rows: ContrastRows[] = [];
    for (const contrast of contrasts) {
      const other = asked(contrast, question);
      if (other !== undefined) rows.push(await contrastRows(pass, other, options));
    }
    if (rows.length === 0) continue;
    const { name, about } = question;
    found.push({ name, role: 'control', about, ...(await firstLatent(request, rows)) });
  }
  return found;
}

async function firstLatent(
  { runtime, sae }: UnrelatedRequest,
  rows: readonly ContrastRows[],
): Promise<Pick<ComparisonDirection, 'vector' | 'sign' | 'latent'>> {
  const products = await outerProducts(runtime, sae.width);
  const m = new Float32Array(sae.width ** 2);
  try {
    for (const one of rows)
      (await products.of(one)).forEach((x, i) => {
        m[i]! += x / rows.length;
      });
  } finally {
    await products.release();
  }
  const latent = ranking(await scoreMatrix(runtime, m, sae))[0]!;
  const vector = await directionsOf(sae, [latent]);
  return { latent, vector, sign: signAlong(meanContrastiveGradient(rows, sae.width), vector) };
}
