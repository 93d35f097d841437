/** The command that makes a study again. */
import { resultFiles, type StudyManifest } from '../../../results.ts';

export function repeatCommand(manifest: StudyManifest | undefined): string {
  const released = manifest ? `npx culprit@${manifest.versions.culprit}` : 'npx culprit';
  return [
    `${released} run STUDY   # STUDY: a folder with the ${resultFiles.study} below, and the files that`,
    'it names',
  ].join(' ');
}
