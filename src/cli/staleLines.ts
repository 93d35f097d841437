/** What is told of results that are of an earlier state of a study. */
import type { Staleness } from '../study/report/stale.ts';

/** A line for each stage; `marked`: what else holds of it. */
export const staleLines = ({ stale, unchecked }: Staleness, marked = ''): string[] => [
  ...Object.entries(stale).map(
    ([stage, why]) =>
      `Stage ${stage} is of an earlier state of the study${marked}: ${why}. \`culprit run\` makes it again.`,
  ),
  ...(unchecked === undefined
    ? []
    : [`Whether the results are those that study.yaml asks for was not checked: ${unchecked}.`]),
];
