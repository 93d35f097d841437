/** What a comparison of subjects comes to, in sentences, and what speaks against it. */
import type { CheckpointEstimate, CheckpointSubject, CheckpointsRecord } from './checkpoints.ts';
import { behaviourText, inPercent } from './finding.ts';
import { counted, signedPoints } from './numbers.ts';

export interface CheckpointsFinding {
  readonly lead: string;
  readonly against: readonly string[];
}

/** Share of the coherent completions that are positive; null where none is coherent. */
export const checkpointShare = ({
  positives,
  coherent,
}: {
  readonly positives: number;
  readonly coherent: number;
}): number | null => (coherent === 0 ? null : positives / coherent);

const percentOf = (x: number | null) => (x === null ? 'undefined' : inPercent(x));

/** `−43 [−51, −35]`, in percentage points */
export const estimatePoints = ({ value, low, high }: CheckpointEstimate): string =>
  value === null || low === null || high === null
    ? 'undefined'
    : `${signedPoints(value)} [${signedPoints(low)}, ${signedPoints(high)}]`;

/** The latent that is told of: the first that is confirmed, or else the first by Δ. */
export const leadingPlace = ({ latents }: CheckpointsRecord): number =>
  Math.max(
    0,
    latents.findIndex(({ confirmed }) => confirmed),
  );

/** Whether removing the k-th latent takes away more than removing a further random one, its interval with it. */
function actsIn({ latents, random }: CheckpointSubject, k: number): boolean {
  const { value, high } = latents[k]!.remove.effect;
  return value !== null && high !== null && random.low !== null && value < random.low && high < 0;
}

/** The first subject from which on the removal of the k-th latent acts in all; undefined for none. */
export function appearsIn({ subjects }: CheckpointsRecord, k: number): CheckpointSubject | undefined {
  const last = subjects.findLastIndex((one) => !actsIn(one, k));
  return subjects[last + 1];
}

export function checkpointsFinding(record: CheckpointsRecord): CheckpointsFinding {
  const { subjects, behaviour, latents } = record;
  const k = leadingPlace(record);
  const { latent } = latents[k]!;
  const [first, last] = [subjects[0]!, subjects.at(-1)!];
  const from = appearsIn(record, k);
  const appears =
    from === undefined
      ? `In no stretch up to the last does removing latent ${latent} take away more than removing a random latent.`
      : from === first
        ? `Removing latent ${latent} takes some of it away in all of them, from ${first.name} (${estimatePoints(first.latents[k]!.remove.effect)} points) to ${last.name} (${estimatePoints(last.latents[k]!.remove.effect)}).`
        : `Removing latent ${latent} takes some of it away from ${from.name} on (${estimatePoints(from.latents[k]!.remove.effect)} points${from === last ? '' : `; in ${last.name} ${estimatePoints(last.latents[k]!.remove.effect)}`}), and not reliably before.`;
  return {
    lead: `Over ${counted(subjects.length, 'subject')}, on ${counted(record.prompts, 'prompt')}, the share of coherent answers that show ${behaviourText(behaviour)} goes from ${percentOf(checkpointShare(first.unsteered))} in ${first.name} to ${percentOf(checkpointShare(last.unsteered))} in ${last.name}. ${appears} Steering toward minus away makes ${estimatePoints(first.latents[k]!.diffing)} points in ${first.name} and ${estimatePoints(last.latents[k]!.diffing)} in ${last.name}.`,
    against: againstOf(record, k),
  };
}

const noted = 0.1;

function againstOf(record: CheckpointsRecord, k: number): string[] {
  const { subjects, latents, random } = record;
  const said: string[] = [];
  if (!latents[k]!.confirmed) said.push('The causal test confirmed no latent: these are the first by delta.');
  if (random.length < 20)
    said.push(
      `The range of removals rests on ${counted(random.length, 'random latent')} in each subject; a latent that is held against them in ${subjects.length} subjects has several chances.`,
    );
  for (const { name, unsteered } of subjects) {
    const incoherent = 1 - unsteered.coherent / Math.max(1, unsteered.completions);
    if (incoherent > 0.25)
      said.push(
        `${name}: ${percentOf(incoherent)} of its unsteered answers are incoherent, and do not count.`,
      );
  }
  for (const { name, latents: own } of subjects) {
    const { diffing, matched } = own[k]!;
    if (
      diffing.value !== null &&
      matched.value !== null &&
      Math.abs(diffing.value) - Math.abs(matched.value) > noted
    )
      said.push(
        `${name}: among answers of the same length, toward minus away is ${estimatePoints(matched)} points and not ${estimatePoints(diffing)}: part of it is their length.`,
      );
  }
  said.push(
    'The directions were found in the study’s own subject: what another checkpoint has beside them, or in their place, does not show here.',
  );
  return said;
}
