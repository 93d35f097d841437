/** Lines about the dictionary: whether it is of this model, of this site, and read as it was written. */
import {
  fitsOf,
  foldingOf,
  meanRow,
  normalisedBy,
  otherInputBias,
  refolded,
  type SaeFit,
  tokenShare,
} from '../../methods/check/saeFit.ts';
import { lossPass, residualsPass, type TextSite } from '../../methods/check/textPass.ts';
import { recovered } from '../../methods/sae/saeEval.ts';
import { rowsAt } from '../../methods/site/residuals.ts';
import { rowNorms, sinksOf } from '../../methods/site/sinks.ts';
import type { Model } from '../../models/decoder.ts';
import type { CheckLine } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import { fails, found, type Look, mean, skipped, warns } from './lines.ts';
import type { ModelReading, TextRead } from './reading.ts';

/** Least explained variance of a dictionary that is of the model, and of one that is good. */
const ofTheModel = 0.4;
const good = 0.6;
/** By how much another site, or another arithmetic, must explain more to be the right one. */
const better = 0.01;
const lossTokens = 128;

const fitting: Look = {
  name: 'sae-fit',
  about:
    "The dictionary is of this model: the share of the residuals' variance that it explains, at the site.",
  expected: `at least ${good}; below ${ofTheModel} at every site it is of another model`,
};
const placed: Look = {
  name: 'sae-site',
  about: 'The dictionary explains the residuals at its site better than those a block before or after.',
  unit: 'explained variance',
  expected: 'greatest at the site',
};
const inContext: Look = {
  name: 'sae-embedding',
  about:
    "The site is not the embedding: the dictionary explains it better, and a token's residual depends on what precedes it.",
  expected: 'greater at the site; the token alone explains less than 0.99',
};
const onReference: Look = {
  name: 'sae-reference',
  about: 'The dictionary fits the reference about as well as the subject.',
  unit: 'explained variance',
  expected: `at most 0.1 below the subject's, and at least ${ofTheModel}`,
};
const keepsLoss: Look = {
  name: 'sae-loss',
  about:
    'Reading the reconstruction instead of the residual costs the models little: loss recovered against zeros.',
  expected: 'at least 0.8 at the site',
};
const folding: Look = {
  name: 'norm-folded',
  about:
    'Decoder directions are unit vectors, their norms are in the activations, and no other folding explains more.',
  unit: 'explained variance',
  expected: 'as published the greatest',
};
const normalised: Look = {
  name: 'input-normalisation',
  about: "The dictionary's input is normalised, and its bias subtracted, as it was in training.",
  unit: 'explained variance',
  expected: 'as its files say the greatest',
};

export const saeLooks = [fitting, placed, inContext, onReference, keepsLoss, folding, normalised];

export interface SaeWork {
  readonly runtime: Runtime;
  readonly sae: Sae;
  readonly layer: number;
  readonly model: Model;
  readonly subject: { readonly texts: readonly TextRead[]; readonly reading: ModelReading };
}

interface Rows {
  readonly ids: readonly number[];
  readonly rows: Float32Array;
}

/** Residuals at a site, attention sinks of each text left out, with the tokens they are of. */
export function rowsOf(texts: readonly TextRead[], site: TextSite, d: number): Rows {
  const kept = texts.map(({ ids, residuals }) => {
    const x = residuals.get(site)!;
    const all = [...ids.keys()];
    const sinks = new Set(sinksOf(rowNorms(x, d), all));
    const places = all.filter((t) => !sinks.has(t));
    return { ids: places.map((t) => ids[t]!), rows: rowsAt(x, d, places) };
  });
  const rows = new Float32Array(kept.reduce((sum, one) => sum + one.rows.length, 0));
  let at = 0;
  for (const one of kept) {
    rows.set(one.rows, at);
    at += one.rows.length;
  }
  return { ids: kept.flatMap(({ ids }) => ids), rows };
}

/** Sites whose residuals are to be read: the site, its neighbours, the embedding. */
export const sitesAround = ({ decoder }: Model, layer: number): TextSite[] => [
  'embedding',
  ...[layer - 1, layer, layer + 1].filter((one) => one >= 0 && one < decoder.blocks),
];

const nameOf = (site: TextSite, layer: number) =>
  site === layer
    ? 'site'
    : site === 'embedding'
      ? 'embedding'
      : site < layer
        ? 'block before'
        : 'block after';

/** Where in the model the dictionary explains most, of some of the texts. */
async function bestLayer({ runtime, sae, model, subject }: SaeWork) {
  const layers = Array.from({ length: model.decoder.blocks }, (_, layer) => layer);
  const pass = await residualsPass(runtime, model, layers);
  const few: TextRead[] = [];
  for (const text of subject.texts.slice(0, 2)) few.push({ ...text, residuals: await pass.run(text.ids) });
  await pass.release();
  const fits = await fitsOf(
    runtime,
    sae,
    new Map(layers.map((layer) => [layer, rowsOf(few, layer, sae.width).rows])),
  );
  const ranked = [...fits].sort(([, a], [, b]) => b.explained - a.explained);
  return { layer: ranked[0]![0], explained: ranked[0]![1].explained };
}

async function lossRecovered(
  reading: Pick<ModelReading, 'lossesFrom'>,
  texts: readonly TextRead[],
  site: TextSite,
  sae: Sae,
  reconstruct: (rows: Float32Array) => Promise<Float32Array>,
): Promise<number> {
  const losses = { original: [] as number[], reconstructed: [] as number[], zero: [] as number[] };
  const d = sae.width;
  for (const { ids, residuals } of texts) {
    if (losses.original.length >= lossTokens) break;
    const x = residuals.get(site)!;
    const sinks = new Set(sinksOf(rowNorms(x, d), [...ids.keys()]));
    const made = await reconstruct(x);
    const put = (value: (i: number) => number) =>
      x.map((own, i) => (sinks.has(Math.floor(i / d)) ? own : value(i)));
    losses.original.push(...(await reading.lossesFrom(ids, x)));
    losses.reconstructed.push(
      ...(await reading.lossesFrom(
        ids,
        put((i) => made[i]!),
      )),
    );
    losses.zero.push(
      ...(await reading.lossesFrom(
        ids,
        put(() => 0),
      )),
    );
  }
  const [original, reconstructed, zero] = [losses.original, losses.reconstructed, losses.zero].map(mean);
  return recovered(
    { original: original!, reconstructed: reconstructed!, zero: zero!, mean: Number.NaN, tokens: 0 },
    'zero',
  );
}

/** Loss recovered at each of the sites; x̂ of a site's rows by one fit more, of few tokens. */
async function recoveries(
  { runtime, sae, layer, model, subject }: SaeWork,
  reference: SaeWork['subject'] | undefined,
  sites: readonly number[],
): Promise<Record<string, number>> {
  const reconstruct = async (rows: Float32Array) =>
    (await fitsOf(runtime, sae, new Map([['', rows]]))).get('')!.reconstruction;
  const numbers: Record<string, number> = {};
  for (const site of sites) {
    const own = site === layer ? undefined : await lossPass(runtime, model, site);
    const reading = own ? { lossesFrom: own.run } : subject.reading;
    numbers[nameOf(site, layer)] = await lossRecovered(reading, subject.texts, site, sae, reconstruct);
    await own?.release();
  }
  if (reference)
    numbers.reference = await lossRecovered(reference.reading, reference.texts, layer, sae, reconstruct);
  return numbers;
}

interface Arithmetic {
  readonly lines: CheckLine[];
  /** what the best other arithmetic explains, where one explains more */
  readonly instead: number | undefined;
}

async function arithmeticLines(
  { runtime, sae }: SaeWork,
  rows: Float32Array,
  own: number,
): Promise<Arithmetic> {
  const explained = async (variant: Sae) =>
    (await fitsOf(runtime, variant, new Map([['', rows]]))).get('')!.explained;
  const { unit, folded, published } = await foldingOf(sae);
  const norms: Record<string, number> = { 'as published': own };
  if (published > 0.01) {
    norms['norms left out'] = await explained(await refolded(sae, -1));
    norms['norms twice'] = await explained(await refolded(sae, 1));
  }
  const { normalisation, kept } = { normalisation: (await sae.arithmetic()).normalisation, kept: own };
  const inputs: Record<string, number> = { 'as its files say': kept };
  for (const other of ['none', 'constant_norm_rescale', 'layer_norm'] as const)
    if (other !== normalisation) inputs[other] = await explained(normalisedBy(sae, other));
  inputs['other input bias'] = await explained(otherInputBias(sae));
  const most = (numbers: Record<string, number>) =>
    Object.entries(numbers).sort(([, a], [, b]) => (Number.isNaN(a) ? 1 : b - a))[0]!;
  const [bestNorm, byNorm] = most(norms);
  const [bestInput, byInput] = most(inputs);
  const wrongFold =
    unit > 1e-3 || folded > 1e-3
      ? fails(
          'the norms of the published decoder rows are not what activations are multiplied by: please report it with the dictionary',
        )
      : byNorm > own + better
        ? fails(
            `the dictionary explains more with ${bestNorm}: its decoder was rescaled without its encoder (or rescale_acts_by_decoder_norm is wrong); use it as it was published`,
          )
        : undefined;
  const wrongInput =
    byInput > own + better
      ? fails(
          `the dictionary explains more with ${bestInput}: look at normalize_activations and apply_b_dec_to_input in its cfg.json`,
        )
      : undefined;
  const instead = Math.max(byNorm, byInput);
  return {
    lines: [found(folding, norms, wrongFold), found(normalised, inputs, wrongInput)],
    instead: instead > own + better ? instead : undefined,
  };
}

function siteLine(
  numbers: Readonly<Record<string, number>>,
  best: { readonly layer: number; readonly explained: number } | undefined,
  layer: number,
): CheckLine {
  if (best === undefined || best.layer === layer) return found(placed, numbers);
  return found(
    placed,
    { ...numbers, [`best, at resid_post ${best.layer}`]: best.explained },
    fails(
      `the dictionary fits resid_post ${best.layer} best: sae.site (or hook_name in its cfg.json) should say ${best.layer}, not ${layer}`,
    ),
  );
}

/** `reference`: absent where it is the same model. */
export async function saeLines(
  work: SaeWork,
  reference: SaeWork['subject'] | undefined,
): Promise<CheckLine[]> {
  const { runtime, sae, layer, model, subject } = work;
  const d = sae.width;
  const sites = sitesAround(model, layer);
  const sets = new Map<TextSite | 'reference', Float32Array>(
    sites.map((site) => [site, rowsOf(subject.texts, site, d).rows]),
  );
  if (reference) sets.set('reference', rowsOf(reference.texts, layer, d).rows);
  const fits = await fitsOf(runtime, sae, sets);
  const explained = (site: TextSite | 'reference') => fits.get(site)!.explained;
  const own = explained(layer);
  const near = Object.fromEntries(
    sites.filter((site) => site !== 'embedding').map((site) => [nameOf(site, layer), explained(site)]),
  );
  const arithmetic = await arithmeticLines(work, sets.get(layer)!, own);
  const best =
    Math.max(...Object.values(near)) > own + better || own < ofTheModel ? await bestLayer(work) : undefined;
  const most = Math.max(own, best?.explained ?? own, explained('embedding'), arithmetic.instead ?? own);
  const share = tokenShare(rowsOf(subject.texts, layer, d).ids, sets.get(layer)!, d);
  const l0 = (fits.get(layer) as SaeFit).l0;
  const anyOther = most < ofTheModel;
  const { model: its } = sae.trainedOn;
  const told = its === undefined ? '' : ` (its files say that it was trained on ${its})`;
  return [
    found(
      fitting,
      { site: own, ...(most > own && { best: most }), 'active latents': l0 },
      anyOther
        ? fails(
            `the dictionary fits no site of this model: it is of another one or was trained on something else${told}; use one of this model`,
          )
        : most < good
          ? warns(
              `the dictionary explains little${told}: its directions may miss the cause; a better one would help`,
            )
          : undefined,
    ),
    anyOther
      ? skipped(placed, 'the dictionary fits no site: see sae-fit')
      : arithmetic.instead !== undefined
        ? skipped(placed, 'the dictionary is read wrongly: see norm-folded and input-normalisation')
        : siteLine(near, best && best.explained > own + better ? best : undefined, layer),
    embeddingLine(own, explained('embedding'), share, anyOther),
    reference === undefined
      ? skipped(onReference, 'the reference is the subject')
      : referenceLine(own, explained('reference')),
    lossLine(
      await recoveries(
        work,
        reference,
        sites.filter((site) => site !== 'embedding'),
      ),
    ),
    ...arithmetic.lines,
  ];
}

function embeddingLine(site: number, embedding: number, token: number, anyOther: boolean): CheckLine {
  const numbers = { site, embedding, 'token alone': token };
  if (token >= 0.99)
    return found(
      inContext,
      numbers,
      fails(
        'residuals at the site do not depend on the context: this is the embedding; choose a later block',
      ),
    );
  if (embedding > site + better && !anyOther)
    return found(
      inContext,
      numbers,
      fails('the dictionary fits the embedding best: it was trained there; use one of a later site'),
    );
  return found(inContext, numbers);
}

function referenceLine(subject: number, reference: number): CheckLine {
  const numbers = { subject, reference };
  if (reference >= subject - 0.1 && reference >= ofTheModel) return found(onReference, numbers);
  return found(
    onReference,
    numbers,
    warns('the dictionary fits the reference less: effects toward it may be smaller than they are'),
  );
}

function lossLine(numbers: Readonly<Record<string, number>>): CheckLine {
  if (numbers.site! >= 0.8) return found(keepsLoss, numbers);
  const what = 'the dictionary loses much of what the model reads at the site: see sae-fit and sae-site';
  return found(keepsLoss, numbers, numbers.site! < 0.5 ? fails(what) : warns(what));
}

const compared: Look = {
  name: 'baseline',
  about:
    "The baseline, the mean residual over the study's texts, and the dictionary's own bias point the same way.",
  expected: 'cosines of at least 0.5',
};

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** `given`: the baseline of a file, where study.yaml names one. */
export async function baselineLine(
  sae: Sae,
  rows: Float32Array,
  given: Float32Array | undefined,
): Promise<CheckLine> {
  const { bias, normalisation } = await sae.arithmetic();
  const measured = meanRow(rows, sae.width);
  const baseline = given ?? measured;
  const length = Math.hypot(...baseline);
  const numbers: Record<string, number> = {};
  if (given !== undefined) numbers['file with texts'] = cosine(given, measured);
  if (normalisation === 'none') {
    numbers['with bias'] = cosine(baseline, bias);
    numbers['distance / norm'] = Math.hypot(...[...baseline].map((x, i) => x - bias[i]!)) / length;
  }
  if (Object.keys(numbers).length === 0)
    return skipped(compared, 'the dictionary normalises its input: its bias is in other units');
  const ofFile = numbers['file with texts'] ?? 1;
  if (ofFile < 0.5)
    return found(
      compared,
      numbers,
      fails('the baseline file is of another site or model: make it again with `culprit baseline`'),
    );
  if ((numbers['with bias'] ?? 1) >= 0.5) return found(compared, numbers);
  return found(
    compared,
    numbers,
    warns(
      "the dictionary's bias is far from the baseline: right for some dictionaries; if sae-fit is low too, look at its cfg.json",
    ),
  );
}
