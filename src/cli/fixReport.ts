/** What a fix tells on the terminal. */
import { type FixRecord, fixFinding, signedPoints } from '../results.ts';
import { pc, percentText, table } from './table.ts';
import { paragraph } from './wrap.ts';

const change = (effect: number | null, low: number | null, high: number | null) =>
  effect === null
    ? ''
    : low === null
      ? signedPoints(effect)
      : `${signedPoints(effect)} [${signedPoints(low)}, ${signedPoints(high)}]`;

function measuredTable({ measured, collateral }: FixRecord): string[] {
  if (measured === null) return [];
  const onText = new Map(collateral?.arms.map((one) => [one.name, one]));
  const share = ({ positives, coherent }: { positives: number; coherent: number }) =>
    percentText(positives / coherent);
  const incoherent = ({ completions, coherent }: { completions: number; coherent: number }) =>
    percentText(1 - coherent / completions);
  const rows = measured.arms.filter(({ role }) => role !== 'random');
  return [
    table(
      [
        ['', 'left'],
        ['share', 'right'],
        ['change, points', 'left'],
        ['of way', 'right'],
        ['incoherent', 'right'],
        ...(collateral ? [['loss, text', 'right'] as const, ['same next', 'right'] as const] : []),
      ],
      [
        [
          'unsteered',
          share(measured.unsteered),
          '',
          '',
          incoherent(measured.unsteered),
          ...(collateral ? [collateral.loss.toFixed(3), ''] : []),
        ],
        ...rows.map((one) => {
          const text = onText.get(one.name);
          return [
            one.name,
            share(one),
            change(one.effect, one.low, one.high),
            one.way === null ? '' : percentText(one.way),
            incoherent(one),
            ...(collateral
              ? [text?.loss.toFixed(3) ?? '', text?.agreement == null ? '' : percentText(text.agreement)]
              : []),
          ];
        }),
      ],
    ),
  ];
}

/** The sets that were tried, those that leave least of the behaviour first. */
function searchTable({ search }: FixRecord, shown: number): string[] {
  const rest = ({ positives, coherent }: { positives: number; coherent: number }) => positives / coherent;
  const sorted = search.sets.toSorted((a, b) => rest(a) - rest(b) || a.latents.length - b.latents.length);
  return [
    pc.bold('Searched, on calibration prompts'),
    table(
      [
        ['latents', 'left'],
        ['', 'left'],
        ['share', 'right'],
        ['incoherent', 'right'],
      ],
      sorted
        .slice(0, shown)
        .map((one) => [
          one.latents.join(' + '),
          one.operation === 'remove' ? 'removed' : 'capped',
          percentText(rest(one)),
          percentText(1 - one.coherent / one.completions),
        ]),
    ),
    pc.dim(
      `unsteered ${percentText(rest(search.unsteered))}; ${search.sets.length} sets; of those with at most ${percentText(search.limit)} incoherent the least share is taken`,
    ),
  ];
}

export function fixReport(
  record: FixRecord,
  {
    folder,
    upToDate,
    shown,
  }: { readonly folder: string; readonly upToDate: boolean; readonly shown: number },
): string[] {
  const { lead, besides, against } = fixFinding(record);
  return [
    '',
    ...paragraph(`${pc.bold('Fix')}${upToDate ? pc.dim(' (already done)') : ''} at ${record.site}`),
    '',
    ...paragraph(lead),
    ...(besides === undefined ? [] : paragraph(besides)),
    ...(against.length === 0 ? [] : ['', pc.bold('What speaks against it')]),
    ...against.flatMap((text) => paragraph(`- ${text}`)),
    '',
    ...measuredTable(record),
    ...(record.measured === null ? [] : ['']),
    ...searchTable(record, shown),
    `Everything is in ${folder}: fix.json, the completions in fixed.jsonl, the vectors in fix.safetensors.`,
  ];
}
