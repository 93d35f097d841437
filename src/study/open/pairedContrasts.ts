/** The pairs of a study that something is to be done with. */
import { join } from 'node:path';
import { NothingToWorkOn } from '../../errors.ts';
import { resultFiles } from '../../results.ts';
import type { StudyContrast } from './contrasts.ts';
import type { OpenStudy } from './study.ts';

/** One contrast at least. Throws NothingToWorkOn where there are no pairs. */
export async function pairedContrasts(
  study: Pick<OpenStudy, 'folder' | 'contrasts'>,
): Promise<StudyContrast[]> {
  const contrasts = await study.contrasts();
  if (contrasts.length > 0) return contrasts;
  const { folder } = study;
  throw new NothingToWorkOn(
    `${join(folder, resultFiles.pairs)}: expected pairs, found none: \`culprit pair ${folder}\` says why`,
  );
}
