/** What a fix comes to, in sentences that the terminal and the app share: effect, interval, p, and what speaks against it. */
import { changePoints, inPercent, moreIncoherent, pText } from './finding.ts';
import type { FixRecord, MeasuredFix } from './fix.ts';
import { counted, signedPoints } from './numbers.ts';

export interface FixFinding {
  readonly lead: string;
  /** what it does to texts that are not about the behaviour; undefined where none were read */
  readonly besides: string | undefined;
  readonly against: readonly string[];
}

const incoherentIn = ({ completions, coherent }: Pick<MeasuredFix, 'completions' | 'coherent'>) =>
  1 - coherent / completions;

/** A rise of the loss on ordinary texts by more than this is too, nats a token. */
const moreLoss = 0.05;

const orderWords = {
  confirmed: 'that the causal test confirmed',
  delta: 'by delta',
  certainty: 'by delta over its standard error',
} as const;

/** Latents and what is done to them: `Latents 3, 5 and 9 removed`. */
export function fixName({ operation, latents }: NonNullable<FixRecord['fix']>): string {
  const done = operation === 'remove' ? 'removed' : 'capped';
  const [last, ...before] = latents.toReversed();
  return before.length === 0
    ? `Latent ${last} ${done}`
    : `Latents ${before.toReversed().join(', ')} and ${last} ${done}`;
}

const intervalText = ({ effect, low, high }: MeasuredFix) =>
  `${signedPoints(effect)} points [${signedPoints(low)}, ${signedPoints(high)}]`;

/** The row of the fix itself. */
const ownOf = (arms: readonly MeasuredFix[]) => arms.find(({ role }) => role === 'fix')!;

/** What was found, with what speaks against it. */
export function fixFinding({ behaviour, search, fix, measured, collateral, tokens }: FixRecord): FixFinding {
  if (fix === null || measured === null)
    return {
      lead: `No fix: of ${counted(search.sets.length, 'set')} of latents that were held, none lowers the share of answers that show ${behaviour} among coherent ones on ${counted(search.prompts, 'calibration prompt')} (${inPercent(search.unsteered.positives / search.unsteered.coherent)} without).`,
      besides: undefined,
      against: [],
    };
  const own = ownOf(measured.arms);
  const alone = measured.unsteered;
  const share = ({ positives, coherent }: Pick<MeasuredFix, 'positives' | 'coherent'>) =>
    inPercent(positives / coherent);
  const where = tokens === 'all' ? 'all tokens' : `the ${tokens}'s tokens`;
  const which = measured.aside
    ? 'prompts that the causal test kept aside'
    : 'prompts that it was not searched on';
  const way =
    own.way === null
      ? ''
      : `, ${inPercent(own.way)} of the way to the reference [${inPercent(own.way_low ?? Number.NaN)}, ${inPercent(own.way_high ?? Number.NaN)}]`;
  const lead = `${fixName(fix)} at ${where} (the first ${fix.orders.map((order) => orderWords[order]).join(', and ')}): the share of answers that show ${behaviour} goes from ${share(alone)} to ${share(own)} (${intervalText(own)})${way}. On ${measured.prompts} ${which}; ${pText(measured.p)} against ${counted(measured.random.sets, 'set')} of as many random latents, of which one more is expected between ${changePoints(measured.random.low)} and ${changePoints(measured.random.high)}.`;
  return { lead, besides: besidesText(collateral, own.name), against: againstOf(measured, own, collateral) };
}

function besidesText(collateral: FixRecord['collateral'], name: string): string | undefined {
  const found = collateral?.arms.find((one) => one.name === name);
  if (!collateral || !found) return undefined;
  const rise = found.loss - collateral.loss;
  const rest =
    found.agreement === null || found.divergence === null
      ? ''
      : `, the next token stays the same at ${(100 * found.agreement).toFixed(1)} % of the places, and the divergence from the subject is ${found.divergence.toPrecision(2)} nats a token`;
  return `On ${collateral.tokens.toLocaleString('en-US')} tokens of ordinary text, held at all of them, the loss goes from ${collateral.loss.toFixed(3)} to ${found.loss.toFixed(3)} nats a token (${rise < 0 ? '−' : '+'}${Math.abs(rise).toFixed(3)})${rest}.`;
}

function againstOf(
  { arms, unsteered, random, p }: NonNullable<FixRecord['measured']>,
  own: MeasuredFix,
  collateral: FixRecord['collateral'],
): string[] {
  const said: string[] = [];
  if (p >= 0.05)
    said.push(
      `By chance: as great an effect of one set of random latents is expected with ${pText(p)}; ${random.sets} sets were tried.`,
    );
  const [before, after] = [incoherentIn(unsteered), incoherentIn(own)];
  if (after - before > moreIncoherent)
    said.push(`Incoherent answers rise from ${inPercent(before)} to ${inPercent(after)}.`);
  const rivals = arms.filter(
    ({ role, effect }) =>
      (role === 'comparison' || role === 'system') && effect !== null && effect <= (own.effect ?? 0),
  );
  for (const rival of rivals)
    said.push(
      `${rival.role === 'system' ? 'A system message' : rival.name}, which needs no latent, does as much or more: ${intervalText(rival)}${incoherentIn(rival) - before > moreIncoherent ? `, with ${inPercent(incoherentIn(rival))} of the answers incoherent` : ''}.`,
    );
  const onText = collateral?.arms.find(({ name }) => name === own.name);
  if (collateral && onText && onText.loss - collateral.loss > moreLoss)
    said.push(
      `It costs on texts that have nothing to do with the behaviour: ${(onText.loss - collateral.loss).toFixed(2)} nats a token.`,
    );
  return said;
}
