/** What a monitor tells on the terminal. */
import {
  inDecimals,
  type MonitorDetector,
  type MonitorRecord,
  type MonitorTest,
  monitorFinding,
  monitorShareText,
  monitorTestName,
} from '../results.ts';
import type { ScoredTranscript } from '../study/monitor/applyRun.ts';
import { shownToken } from './shownToken.ts';
import { pc, percentText, table } from './table.ts';
import { paragraph } from './wrap.ts';

const decimals = (x: number | null) => (x === null ? '' : inDecimals(x, 3));
const percentOf = ({ value }: { readonly value: number | null }) => percentText(value ?? Number.NaN);

const nameOf = ({ name, confirmed }: MonitorDetector) => (confirmed === false ? `${name} (by delta)` : name);

function testTable(
  { rows, random, brier_of_share }: MonitorTest,
  detectors: readonly MonitorDetector[],
): string {
  const { auc, within, tpr } = random;
  const from = ({ low, high }: typeof auc) => (low === null ? '' : `${decimals(low)} to ${decimals(high)}`);
  return table(
    [
      ['', 'left'],
      ['AUC', 'left'],
      ['within prompts', 'left'],
      ['TPR', 'right'],
      ['FPR', 'right'],
      ['Brier', 'right'],
      ['ECE', 'right'],
    ],
    [
      ...rows.map((row, k) => [
        nameOf(detectors[k]!),
        monitorShareText(row.auc),
        row.within.value === null ? '' : monitorShareText(row.within),
        percentOf(row.tpr),
        percentOf(row.fpr),
        decimals(row.brier),
        decimals(row.calibration_error),
      ]),
      ...(random.latents === 0
        ? []
        : [
            [
              `${random.latents} random latents`,
              from(auc),
              from(within),
              tpr.low === null ? '' : `${Math.round(100 * tpr.low)}–${percentText(tpr.high ?? Number.NaN)}`,
              '',
              '',
              '',
            ],
          ]),
      ['the share alone', '', '', '', '', decimals(brier_of_share), ''],
    ],
  );
}

const titleOf = (test: MonitorTest): string => {
  const name = monitorTestName(test);
  if (test.kind === 'held-out') return 'Within the task, on unsteered completions of the causal test';
  if (test.kind === 'cross-fitted') return 'Within the task, across folds of the discovery prompts';
  return `On ${name}, read with ${test.kind === 'study' ? "that study's own subject" : 'the subject of this study'}`;
};

export function monitorReport(record: MonitorRecord, files: readonly string[]): string[] {
  const { lead, across, against } = monitorFinding(record);
  const { completions, positives, prompts } = record.fitted;
  return [
    '',
    ...paragraph(`${pc.bold('Monitor')} of ${record.behaviour} at ${record.site}`),
    '',
    ...paragraph(lead),
    ...across.flatMap((text) => ['', ...paragraph(text)]),
    ...(against.length === 0 ? [] : ['', pc.bold('What speaks against it')]),
    ...against.flatMap((text) => paragraph(`- ${text}`)),
    ...record.tests.flatMap((test) => ['', pc.bold(titleOf(test)), testTable(test, record.detectors)]),
    '',
    ...paragraph(
      pc.dim(
        `Fitted to ${completions} completions (${positives} positive) of ${prompts} prompts. AUC and within prompts with 95 % intervals over prompts; TPR, FPR: of positives and negatives above the threshold for 1 % of the fitting negatives; Brier and ECE (expected calibration error): of probabilities by the fitted calibration.`,
      ),
    ),
    ...files.map((file) => `  ${file}`),
  ];
}

/** A transcript as it is scored: a line, and its strongest tokens below. */
export function transcriptLines(
  { id, tokens, scores, strongest }: ScoredTranscript,
  shown: string,
): string[] {
  const own = scores.find(({ detector }) => detector === shown);
  if (own === undefined) return [`${id}  no token to read`];
  const mark = own.flagged ? pc.red('flagged') : '';
  const others = scores
    .filter((one) => one !== own)
    .map(({ detector, score }) => `${detector} ${inDecimals(score, 3)}`)
    .join(', ');
  return [
    `${pc.bold(id)}  ${inDecimals(own.score, 3)}  p ${inDecimals(own.probability, 3)}  ${tokens} tokens  ${mark}`.trimEnd(),
    ...paragraph(
      strongest.map(({ token, score }) => `${pc.cyan(shownToken(token))} ${inDecimals(score, 2)}`).join('  '),
      '  ',
    ),
    ...(others === '' ? [] : paragraph(pc.dim(others), '  ')),
  ];
}
