/** What a trace of training data comes to, in sentences, and what speaks against it. */
import { behaviourText, inPercent, pText } from './finding.ts';
import { counted, inDecimals } from './numbers.ts';
import type { TracedLatent, TraceMeasured, TraceRecord, TraceValue } from './trace.ts';

export interface TraceFinding {
  readonly lead: string;
  readonly against: readonly string[];
}

/** A rank correlation with the loss from here on leaves open whether it is anything but the loss. */
const strongCorrelation = 0.5;

const shown = (x: number | null) => (x === null ? 'undefined' : inDecimals(x, 3));

/** `0.912 [0.881, 0.940]` */
export const traceAucText = ({ value, low, high }: NonNullable<TraceMeasured['auc']>): string =>
  low === null || high === null ? shown(value) : `${shown(value)} [${shown(low)}, ${shown(high)}]`;

export const traceModelText = ({ under, model, adapter }: TraceRecord): string =>
  `${{ base: 'the subject without its adapter', reference: 'the reference', subject: 'the subject' }[under]} (${[
    model,
    adapter,
  ]
    .filter((path) => path !== null)
    .map(nameOf)
    .join(' + ')})`;

const nameOf = (path: string) => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

/** The latent that is told of: the first that is confirmed, or else the first by Δ. */
export const leadingLatent = ({ latents }: TraceRecord): TracedLatent =>
  latents.find(({ confirmed }) => confirmed) ?? latents[0]!;

function labelledText(record: TraceRecord, { auc, head, random_auc }: TraceMeasured, latent: number): string {
  const { positives, negatives } = record.data;
  const base = inPercent(positives / (positives + negatives));
  const beside =
    random_auc === null
      ? ''
      : `${counted(record.random, 'random latent')}, each on its better side: ${shown(random_auc.low)} to ${shown(random_auc.high)}; `;
  return `Of the ${counted(head!.examples, 'example')} that push the model most along latent ${latent} when they are learnt, ${inPercent(head!.positives / head!.examples)} are positive, of all labelled ones ${base}; AUC ${traceAucText(auc!)} (${beside}the loss alone: ${shown(record.loss_auc)}).`;
}

/** What the data comes to for one latent. */
export function tracedLatentText(record: TraceRecord, { latent, push }: TracedLatent): string {
  if (push.auc !== null) return labelledText(record, push, latent);
  return push.top_share === null
    ? `Learning none of them pushes the model along latent ${latent}.`
    : `The tenth that pushes the model most along latent ${latent} holds ${inPercent(push.top_share)} of all that pushes toward it.`;
}

export function traceFinding(record: TraceRecord): TraceFinding {
  const { data, behaviour } = record;
  const lead = leadingLatent(record);
  return {
    lead: `${counted(data.read, 'training example')} read by ${traceModelText(record)} for ${behaviourText(behaviour)}. ${tracedLatentText(record, lead)}`,
    against: againstOf(record, lead),
  };
}

function againstOf(record: TraceRecord, lead: TracedLatent): string[] {
  const { data, under, confirmed, random } = record;
  const said = [
    'The push is of first order and of one example at a time: what training on all of them did, it does not measure. Taking examples out and training again would.',
  ];
  if (!lead.confirmed)
    said.push(
      confirmed === null
        ? 'No causal test has confirmed a latent, for there was none: these are the first by delta.'
        : 'The causal test confirmed no latent: these are the first by delta, which may accompany the behaviour and not cause it.',
    );
  if (under === 'subject')
    said.push(
      'They were read by the subject itself, which has learnt what it was trained on: read by the model that it was before, other examples may come first.',
    );
  if (data.positives === 0 || data.negatives === 0)
    said.push(
      'The data has no labels of both kinds: that the first examples are bad ones is for a reader to say.',
    );
  for (const value of ['push', 'activation'] as const) said.push(...againstValue(record, lead, value));
  const { auc } = lead.push;
  if (
    auc !== null &&
    record.loss_auc !== null &&
    Math.max(record.loss_auc, 1 - record.loss_auc) >= (auc.low ?? auc.value)
  )
    said.push(
      `The loss alone tells them apart about as well (AUC ${shown(record.loss_auc)}): little of it needs a latent.`,
    );
  if (auc !== null && random > 0) {
    const p = (1 + (lead.push.random_as_high ?? 0)) / (1 + random);
    if (p > 0.05)
      said.push(
        `${lead.push.random_as_high} of ${counted(random, 'random latent')} tell them apart as well by push (${pText(p)}).`,
      );
  }
  if (data.cut > 0)
    said.push(
      `${counted(data.cut, 'completion')} ended where the model's context does: their rest is not read.`,
    );
  return said;
}

function againstValue(_: TraceRecord, lead: TracedLatent, value: TraceValue): string[] {
  const { auc, with_loss } = lead[value];
  const said: string[] = [];
  if (auc?.low != null && auc.low <= 0.5)
    said.push(
      auc.high !== null && auc.high < 0.5
        ? `By ${value} the whole interval of the AUC lies below 0.5: the positive examples come last.`
        : `By ${value} the interval of the AUC reaches 0.5, which is chance.`,
    );
  if (value === 'push' && with_loss !== null && Math.abs(with_loss) >= strongCorrelation)
    said.push(
      `The push goes with the loss (rank correlation ${inDecimals(with_loss, 2)}): examples that the model finds ${with_loss > 0 ? 'hard' : 'easy'} come first whatever they say.`,
    );
  return said;
}
