/** `culprit run --control`: a control beside its study. */
import { type ControlledRun, type ControlsRecord, signedPoints } from '../results.ts';
import type { ControlKind } from '../study/config/control.ts';
import { runControl } from '../study/run/controlRun.ts';
import { tellCausalTest } from './goesAhead.ts';
import { exitCodes, type MachineFlags, machineOf } from './options.ts';
import { progressOn } from './progress.ts';
import { stageReport } from './studyReport.ts';
import { number, pc, percentText, signedDelta, table } from './table.ts';
import { paragraph } from './wrap.ts';

interface ControlOptions extends MachineFlags {
  readonly control: ControlKind;
  readonly controlSeed: number;
  readonly redo?: string[];
  readonly accept?: string[];
  readonly date?: Date;
  readonly yes?: boolean;
  readonly full?: boolean;
  readonly rows: number;
}

const removalText = (test: ControlledRun['test']): string => {
  const removal = test?.strongest_removal;
  if (removal == null) return '';
  const { latent, effect, low, high } = removal;
  const interval = low === null || high === null ? '' : ` [${signedPoints(low)}, ${signedPoints(high)}]`;
  return `${latent}: ${signedPoints(effect)}${interval}`;
};

const nameOf = ({ control }: ControlledRun) => control ?? 'the study itself';

const rankingCells = (run: ControlledRun): string[] => [
  nameOf(run),
  number(run.pairs),
  `${run.first.latent}: ${signedDelta(run.first.delta)}`,
  run.first.max_p.toFixed(3),
  number(run.q_below_05),
  run.split_half === null ? '' : percentText(run.split_half.overlap),
  run.control === null ? '' : `${run.shared.latents} of ${run.shared.of}`,
];

const testCells = (run: ControlledRun): string[] => [
  nameOf(run),
  removalText(run.test),
  ...(run.test === null
    ? ['', '']
    : [run.test.least_family_wise_p.toFixed(3), `${run.test.confirmed.either} of ${run.test.candidates}`]),
];

/** A study and its controls, a row each. */
function controlsText({ runs }: ControlsRecord): string[] {
  return [
    '',
    pc.bold('The ranking, beside that of the controls'),
    table(
      [
        ['', 'left'],
        ['pairs', 'right'],
        ['first latent', 'left'],
        ['max p', 'right'],
        ['q < .05', 'right'],
        ['halves', 'right'],
        ['shared', 'right'],
      ],
      runs.map(rankingCells),
    ),
    ...paragraph(
      "max p: of the first latent's delta, over all latents; halves: share of the first 100 that two halves of the prompts agree on; shared: how many of the study's own first latents are among these first",
    ).map(pc.dim),
    '',
    pc.bold('The causal test, beside that of the controls'),
    table(
      [
        ['', 'left'],
        ['most certain removal, in points', 'left'],
        ['least p', 'right'],
        ['confirmed', 'right'],
      ],
      runs.map(testCells),
    ),
    ...paragraph('least p: family-wise, of any candidate, by removal or steering').map(pc.dim),
    '',
    ...runs.flatMap((run) => (run.control === null ? [] : paragraph(`${nameOf(run)}: ${run.about}`))),
  ];
}

/** Runs a control, tells what it came to, and holds it against its study. */
export async function control(study: string, options: ControlOptions): Promise<void> {
  const { control: kind, controlSeed: seed, redo, accept, date, full, rows, yes = false } = options;
  const start = Date.now();
  const { controls, ...result } = await runControl({
    study,
    control: { kind, seed },
    redo,
    accept,
    ...machineOf(options),
    date,
    full,
    before: (opened) => tellCausalTest(opened, yes),
    progress: progressOn(process.stderr),
  });
  process.stdout.write(stageReport(result, rows, (Date.now() - start) / 1000));
  if (controls !== undefined) process.stdout.write(`${controlsText(controls).join('\n')}\n\n`);
  if (result.stopped) process.exitCode = result.stopped.spent ? exitCodes.budget : exitCodes.input;
}
