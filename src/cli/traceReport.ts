/** What a trace tells on the terminal. */
import {
  inDecimals,
  promptText,
  type TracedExample,
  type TracedLatent,
  type TraceRecord,
  type TraceValue,
  traceAucText,
  traceFinding,
} from '../results.ts';
import { shownToken } from './shownToken.ts';
import { pc, percentText, table } from './table.ts';
import { paragraph } from './wrap.ts';

/** Of each latent. */
const examplesShown = 3;
const tokensShown = 6;

const decimals = (x: number | null, digits = 2) => (x === null ? '' : inDecimals(x, digits));
const rangeText = (range: { readonly low: number | null; readonly high: number | null } | null) =>
  range === null ? '' : `${decimals(range.low)} to ${decimals(range.high)}`;

function measuresTable({ latents, data, loss_auc }: TraceRecord): string {
  const labelled = data.positives > 0 && data.negatives > 0;
  const row = (one: TracedLatent, value: TraceValue) => {
    const { top_share, with_loss, auc, head, random_auc } = one[value];
    return [
      `${one.latent}${one.confirmed ? '' : ' (by delta)'}`,
      value,
      percentText(top_share ?? Number.NaN),
      decimals(with_loss),
      ...(labelled
        ? [
            auc === null ? '' : traceAucText(auc),
            rangeText(random_auc),
            head === null ? '' : `${head.positives} of ${head.examples}`,
          ]
        : []),
    ];
  };
  return table(
    [
      ['latent', 'left'],
      ['by', 'left'],
      ['top tenth', 'right'],
      ['with loss', 'right'],
      ...(labelled
        ? ([
            ['AUC', 'left'],
            ['random', 'left'],
            ['positive at the head', 'right'],
          ] as const)
        : []),
    ],
    [
      ...latents.flatMap((one) => [row(one, 'push'), row(one, 'activation')]),
      ...(labelled ? [['', 'the loss alone', '', '', decimals(loss_auc, 3), '', '']] : []),
    ],
  );
}

const oneLine = (text: string) => shownToken(text.replaceAll(/\s+/g, ' ').trim());

function exampleLines({ id, label, push, prompt, completion, tokens }: TracedExample): string[] {
  const strongest = tokens
    .flatMap(({ text, push: own }) => (own === null ? [] : [{ text, own }]))
    .sort((a, b) => b.own - a.own)
    .slice(0, tokensShown)
    .map(({ text, own }) => `${pc.cyan(shownToken(text))} ${own.toExponential(1)}`);
  return [
    `${pc.bold(id)}  push ${push.toExponential(2)}${label === null ? '' : `  ${label}`}`,
    ...paragraph(`${oneLine(promptText(prompt))} ${pc.bold('→')} ${oneLine(completion)}`, '  '),
    ...paragraph(strongest.join('  '), '  '),
  ];
}

function latentLines(one: TracedLatent): string[] {
  const byId = new Map(one.examples.map((example) => [example.id, example]));
  const first = one.push.first.slice(0, examplesShown).map((id) => byId.get(id)!);
  if (first.length === 0) return [];
  return ['', pc.bold(`Latent ${one.latent}: what pushes most`), ...first.flatMap(exampleLines)];
}

export function traceReport(record: TraceRecord, files: readonly string[]): string[] {
  const { lead, against } = traceFinding(record);
  const left = Object.entries(record.data.left_out).map(([why, count]) => `${count} left out: ${why}`);
  return [
    '',
    ...paragraph(`${pc.bold('Training data')} behind ${record.behaviour} at ${record.site}`),
    '',
    ...paragraph(lead),
    '',
    pc.bold('What speaks against it'),
    ...against.flatMap((text) => paragraph(`- ${text}`)),
    '',
    measuresTable(record),
    '',
    ...paragraph(
      pc.dim(
        `top tenth: of all that is above 0, the share of the tenth with the greatest values; with loss: rank correlation with the example's loss; AUC with its 95 % interval over prompts; random: the central 95 % of ${record.random} random latents, each on its better side; ${record.tokens === 'all' ? 'all tokens' : `the ${record.tokens}'s tokens`} are read, attention sinks left out.`,
      ),
    ),
    ...left.flatMap((text) => paragraph(text)),
    ...record.latents.flatMap(latentLines),
    '',
    ...files.map((file) => `  ${file}`),
  ];
}
