/** The command that makes a study again. */
import type { StudyManifest } from '../../../results.ts';

const released = (manifest: StudyManifest | undefined) =>
  manifest ? `npx culprit@${manifest.versions.culprit}` : 'npx culprit';

/** Undefined for the results of one command whose files cannot be named from its record. */
export function repeatCommand(manifest: StudyManifest | undefined, hasYaml: boolean): string | undefined {
  if (hasYaml)
    return `${released(manifest)} run STUDY   # STUDY: a folder with the study.yaml below, and the files that it names`;
  const options = manifest?.stages.demo?.options;
  if (!options) return undefined;
  const { seed, prompts, steering_random: random, steering_evaluation: questions } = options;
  const asked = Object.entries({ seed, prompts, random, questions }).map(
    ([name, value]) => `--${name} ${value}`,
  );
  return `${released(manifest)} demo --out FOLDER ${asked.join(' ')}   # both cases`;
}
