/** What a comparison of subjects tells on the terminal. */
import {
  type CheckpointEstimate,
  type CheckpointsRecord,
  checkpointShare,
  checkpointsFinding,
  estimatePoints,
  inDecimals,
  signedPoints,
} from '../results.ts';
import { pc, percentText, table } from './table.ts';
import { paragraph } from './wrap.ts';

const points = (estimate: CheckpointEstimate) => (estimate.value === null ? '' : estimatePoints(estimate));

function unsteeredTable({ subjects }: CheckpointsRecord): string {
  return table(
    [
      ['', 'left'],
      ['share', 'right'],
      ['incoherent', 'right'],
      ['tokens', 'right'],
      ['random removals', 'left'],
    ],
    subjects.map(({ name, unsteered, random }) => [
      name,
      percentText(checkpointShare(unsteered) ?? Number.NaN),
      percentText(1 - unsteered.coherent / unsteered.completions),
      unsteered.mean_tokens === null ? '' : inDecimals(unsteered.mean_tokens, 0),
      random.low === null ? '' : `${signedPoints(random.low)} to ${signedPoints(random.high)}`,
    ]),
  );
}

function latentTable({ subjects }: CheckpointsRecord, k: number): string {
  return table(
    [
      ['', 'left'],
      ['along it', 'right'],
      ['removed', 'left'],
      ['away', 'left'],
      ['toward', 'left'],
      ['toward − away', 'left'],
      ['same length', 'left'],
    ],
    subjects.map(({ name, latents }) => {
      const { activation, remove, away, toward, diffing, matched } = latents[k]!;
      return [
        name,
        activation.value === null ? '' : inDecimals(activation.value, 2),
        points(remove.effect),
        points(away.effect),
        points(toward.effect),
        points(diffing),
        points(matched),
      ];
    }),
  );
}

export function compareReport(record: CheckpointsRecord, files: readonly string[]): string[] {
  const { lead, against } = checkpointsFinding(record);
  return [
    '',
    ...paragraph(`${pc.bold('Subjects compared')}: ${record.behaviour} at ${record.site}`),
    '',
    ...paragraph(lead),
    '',
    pc.bold('What speaks against it'),
    ...against.flatMap((text) => paragraph(`- ${text}`)),
    '',
    pc.bold('Unsteered'),
    unsteeredTable(record),
    ...record.latents.flatMap(({ latent, confirmed, away, toward }, k) => [
      '',
      `${pc.bold(`Latent ${latent}`)}${confirmed ? '' : ' (by delta)'}, doses ${away} away and ${toward} toward`,
      latentTable(record, k),
    ]),
    '',
    ...paragraph(
      pc.dim(
        `Shares are of coherent answers; changes in percentage points with 95 % intervals over ${record.prompts} prompts, ${record.completions} answers each; along it: mean projection of its own unsteered answers on the direction, from the baseline; random removals: where removing one more random latent is expected, 95 %; same length: toward minus away among answers of the same length.`,
      ),
    ),
    ...files.map((file) => `  ${file}`),
  ];
}
