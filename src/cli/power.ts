/** `culprit power`: what effect a causal test can find, and at which cost. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Power, powerOf } from '../methods/steering/power.ts';
import { counted } from '../results.ts';
import { type PowerSize, powerSize } from '../study/run/powerRun.ts';
import { type DocumentOf, finite, jsonFlag, printDocument } from './json.ts';
import { wholeNumber } from './options.ts';
import { progressOn } from './progress.ts';
import { number, pc, percentText, table } from './table.ts';

interface Options extends Partial<Omit<PowerSize, 'prompts'>> {
  evaluation?: number;
  effect: readonly number[];
  spread: number;
  json?: boolean;
}

/** The tests of a study; both share the error rate. */
const operations = [
  { name: 'removal', sides: 1 },
  { name: 'steering', sides: 2 },
] as const;
const wanted = 0.8;

/** A number between `from` and 1, without 1. */
function fraction(from: 'above 0' | 'from 0'): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(from === 'from 0' ? value >= 0 : value > 0) || value >= 1)
      throw new InvalidArgumentError(`Expected a number ${from}, below 1.`);
    return value;
  };
}

/** Points of the share, such as 10,20. */
function points(text: string): number[] {
  const values = text.split(',').map(wholeNumber(1));
  if (values.some((value) => value > 100)) throw new InvalidArgumentError('Expected at most 100 points.');
  return values.map((value) => value / 100);
}

const usualEffects = '5,10,15,20,25,30';

const pointsText = (effect: number | undefined) =>
  effect === undefined ? 'none' : `${Math.ceil(100 * effect)}`;

const left = (head: string) => [head, 'left'] as const;
const right = (head: string) => [head, 'right'] as const;

/** What each operation can find at one size. */
const powers = (size: PowerSize, spread: number): Power[] =>
  operations.map(({ sides }) => powerOf({ ...size, spread, sides, tests: operations.length }));

/** The size, then each of its parts halved and doubled. */
function sizes(size: PowerSize): { readonly name: string; readonly size: PowerSize }[] {
  const parts = [
    ['prompts', 'evaluation prompts', 2],
    ['completions', 'completions of each', 1],
    ['random', 'random directions', 3],
    ['candidates', 'candidates', 1],
  ] as const;
  const others = parts.flatMap(([part, about, least]) =>
    [Math.max(least, Math.round(size[part] / 2)), 2 * size[part]]
      .filter((value) => value !== size[part])
      .map((value) => ({ name: `${number(value)} ${about}`, size: { ...size, [part]: value } })),
  );
  return [{ name: 'as above', size }, ...others];
}

interface Found {
  /** for each effect and operation; undefined where the share leaves no room for it */
  readonly chances: readonly {
    readonly effect: number;
    readonly of: readonly (number | undefined)[];
  }[];
  readonly sizes: readonly {
    readonly name: string;
    readonly size: PowerSize;
    readonly least: readonly (number | undefined)[];
    readonly completions: number;
  }[];
}

function simulated(size: PowerSize, { effect, spread }: Options): Found {
  const { share } = size;
  const own = powers(size, spread);
  const room = (sides: 1 | 2) => (sides === 1 ? share : Math.min(share, 1 - share));
  const chances = effect.map((e) => ({
    effect: e,
    of: operations.map(({ sides }, i) => (e > room(sides) ? undefined : own[i]!.of(e))),
  }));
  const all = sizes(size);
  const progress = progressOn(process.stderr).stage('simulating', all.length);
  const found = all.map(({ name, size: other }) => {
    const its = other === size ? own : powers(other, spread);
    progress.advance();
    return {
      name,
      size: other,
      least: its.map((power) => power.effectFor(wanted)),
      completions: its.reduce((sum, power) => sum + power.completions, 0),
    };
  });
  progress.end();
  return { chances, sizes: found };
}

/** By the operations' names, in their order. */
const byOperation = ([removal, steering]: readonly (number | undefined)[]) => ({
  removal: finite(removal),
  steering: finite(steering),
});

const documentOf = (size: PowerSize, spread: number, found: Found): DocumentOf<'power'> => ({
  document: 'power',
  size,
  spread,
  chances: found.chances.map(({ effect, of }) => ({ effect, ...byOperation(of) })),
  wanted,
  sizes: found.sizes.map(({ size: other, least, completions }) => ({
    size: other,
    least: byOperation(least),
    completions,
  })),
});

function report(size: PowerSize, found: Found): string {
  const { prompts, completions, random, candidates, share, icc } = size;
  const rows = found.sizes.map((one) => [one.name, ...one.least.map(pointsText), number(one.completions)]);
  return [
    '',
    pc.bold('What effect a causal test can find'),
    `${counted(prompts, 'evaluation prompt')}, ${counted(completions, 'completion')} of each, ${counted(random, 'random direction')}, ${counted(candidates, 'candidate')};`,
    `${percentText(share)} positive when unsteered; completions of a prompt correlate by ${icc.toFixed(2)}.`,
    '',
    'Chance that a candidate with such an effect is confirmed:',
    table(
      [right('points'), ...operations.map(({ name }) => right(name))],
      found.chances.map(({ effect, of }) => [
        `${Math.round(100 * effect)}`,
        ...of.map((chance) => (chance === undefined ? 'no room' : percentText(chance))),
      ]),
    ),
    '',
    `Least effect, in points, that is confirmed with a chance of ${percentText(wanted)}, and at most`,
    `how many completions both tests then take:`,
    table([left(''), ...operations.map(({ name }) => right(name)), right('completions')], rows),
    '',
  ].join('\n');
}

const about = `
Confirmed means a family-wise p below .05: over all candidates and over both
tests, removal (the share must fall) and steering (it must fall on the subject
and rise on the reference). What a latent does is compared with what random
directions do and with no effect at all. Without STUDY the sizes are those of a
new study. Of a study that has grades, share and icc are those of its grades.

Completions: every candidate and random direction on every evaluation prompt.
The search for doses is not counted.

Example:
  culprit power my-study --evaluation 100 --effect 10,20`;

export function powerCommand(): Command {
  return new Command('power')
    .summary('say what effect a causal test can find, and at which cost')
    .description('Say what effect the causal test of a study can find, before it is run.')
    .argument('[study]', 'a folder with study.yaml, or the file itself')
    .option('--evaluation <count>', 'evaluation prompts', wholeNumber(2))
    .option('--completions <count>', 'completions of each', wholeNumber(1))
    .option('--random <count>', 'random directions', wholeNumber(3))
    .option('--candidates <count>', 'candidates, those of all selectors together', wholeNumber(1))
    .option('--share <share>', 'share of positives when unsteered', fraction('above 0'))
    .option('--icc <correlation>', 'how alike the completions of a prompt are', fraction('from 0'))
    .option(
      '--spread <share>',
      "standard deviation of the random directions' own effects, without the noise of sampling",
      fraction('from 0'),
      0.03,
    )
    .addOption(
      new Option('--effect <points>', 'effects to give the chance of')
        .argParser(points)
        .default(points(usualEffects), usualEffects),
    )
    .option(...jsonFlag)
    .addHelpText('after', about)
    .action(async (study: string | undefined, options: Options) => {
      const { effect: _effect, spread, evaluation: prompts, json, ...given } = options;
      const size = await powerSize(study, { ...given, ...(prompts !== undefined && { prompts }) });
      const found = simulated(size, options);
      if (json) printDocument(documentOf(size, spread, found));
      else process.stdout.write(report(size, found));
    });
}
