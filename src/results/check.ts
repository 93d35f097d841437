/** check.json: what was looked at before a run, a line for each thing that may be wired wrongly. */
import { z } from 'zod';

export const checkStatuses = ['pass', 'warn', 'fail', 'skipped'] as const;
export type CheckStatus = (typeof checkStatuses)[number];

const line = z.object({
  name: z.string().min(1),
  /** what is looked at, in a sentence */
  about: z.string(),
  status: z.enum(checkStatuses),
  /** what was found, by what it is; null for what is no number */
  numbers: z.record(z.string(), z.number().nullable()),
  /** of the numbers; empty where they are counts, or of several units */
  unit: z.string(),
  /** what a study that is wired rightly has */
  expected: z.string(),
  /** of a warning or a failure what to do, of a skipped line why; null where it passes */
  what_to_do: z.string().nullable(),
});
export type CheckLine = z.output<typeof line>;

/** check.json, whole: the lines in their order. */
export const checkSchema = z.array(line);

/** Those that need a reader's eye: failures first, then warnings. */
export const checkTroubles = (lines: readonly CheckLine[]): CheckLine[] =>
  (['fail', 'warn'] as const).flatMap((status) => lines.filter((one) => one.status === status));

/** What was found, as one short text: `subject: 0.79, reference: 0.81`. */
export const checkNumbers = ({ numbers, unit }: CheckLine): string => {
  const told = Object.entries(numbers).map(([name, value]) => `${name}: ${shown(value)}`);
  return `${told.join(', ')}${unit === '' || told.length === 0 ? '' : ` (${unit})`}`;
};

function shown(value: number | null): string {
  if (value === null) return 'not a number';
  if (Number.isInteger(value)) return value.toLocaleString('en-US').replace('-', '−');
  const size = Math.abs(value);
  const text =
    size >= 100
      ? Math.round(value).toLocaleString('en-US')
      : size >= 0.01
        ? value.toFixed(2)
        : value.toExponential(1);
  return text.replace('-', '−');
}
