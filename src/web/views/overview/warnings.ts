/** The warnings of a study, and what a report left out of it. */
import { type StudyManifest, studyWarnings, type WarningRecords } from '../../../results.ts';
import { shortened } from '../../leftOut.ts';
import type { SteeringRecords } from '../../study.ts';

export function warningsOf(
  manifest: StudyManifest | undefined,
  steering: SteeringRecords | undefined,
  trimmed: Readonly<Record<string, string>>,
  { judgeError, check }: Pick<WarningRecords, 'judgeError' | 'check'> = {},
): string[] {
  const less = shortened(trimmed);
  return [
    ...studyWarnings({ manifest, steering, judgeError, check }),
    ...(less === undefined
      ? []
      : [`To stay small, this report leaves out parts of ${less}. Methods says how much.`]),
  ];
}
