/** The group of a latent as steering takes it: which latents, and how much of each. Opens no model. */

import { InputError } from '../../errors.ts';
import { pageFile } from '../../results.ts';
import { readPage } from '../interpretation/pages.ts';
import { openChosenSae } from '../open/openSae.ts';
import { readStudy } from '../run/ownStudy.ts';
import type { AskedIntervention, SteerChange } from './steerRequest.ts';

export interface SteeredGroup {
  readonly latent: number;
  /** this latent among them */
  readonly members: readonly number[];
  /**
   * of a dose each of them has this part, so that together they move as far as one alone with all of it: 1
   * / |Σ d_i|, to four digits
   */
  readonly part: number;
}

/** Below this length of Σ d_i there is no direction to speak of. */
const leastLength = 0.1;

/**
 * The group that `culprit interpret` found for a latent. Throws InputError where the latent has no page,
 * stands alone, or the group's directions cancel.
 */
export async function groupOf(study: string, latent: number): Promise<SteeredGroup> {
  const { config, folder } = await readStudy(study);
  const { group: members } = await readPage(folder, latent);
  if (members.length < 2)
    throw new InputError(
      `latent ${latent}: has no group in ${folder}/${pageFile(latent)}: steer it with --latent ${latent}`,
    );
  const sae = await openChosenSae(config.sae);
  const rows = await Promise.all(members.map((member) => sae.decoderRows(member, member + 1)));
  const length = Math.hypot(...rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0)));
  if (length < leastLength)
    throw new InputError(
      `latent ${latent}: the directions of its group ${members.join(', ')} cancel: their sum has length ${length.toPrecision(2)}`,
    );
  return { latent, members, part: Number((1 / length).toPrecision(4)) };
}

/**
 * What is done to all of a group at once: a dose is shared out, a value to be set or kept below is each
 * one's own.
 */
export const onGroup = ({ members, part }: SteeredGroup, change: SteerChange): AskedIntervention[] =>
  members.map((latent) =>
    change.kind === 'add'
      ? { latent, kind: 'add', dose: Number((part * change.dose).toPrecision(4)) }
      : { ...change, latent },
  );
