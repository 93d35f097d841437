/** What the attribution is a mean over. */
import type { StudyManifest } from './manifest.ts';

export interface AttributedOver {
  readonly count: number;
  /** a prompt, where all its positives go with all its negatives */
  readonly unit: 'pair' | 'prompt';
}

/** As attribution counted them; before it has run, the pairs that there are. Undefined where none is known. */
export function attributedOver(manifest: StudyManifest | undefined): AttributedOver | undefined {
  const { pair, attribute } = manifest?.stages ?? {};
  const unit = attribute?.options.all_pairs === true ? 'prompt' : 'pair';
  const count = attribute?.counts.pairs ?? pair?.counts.pairs;
  return count === undefined ? undefined : { count, unit };
}
