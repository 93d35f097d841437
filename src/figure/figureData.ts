/**
 * What the figure of a causal test shows: a row per direction, a panel per thing that is done along it. Effects
 * are changes in the share of positives, −1 to 1: below 0 removed and steered away, above 0 steered toward for a
 * cause.
 */
import type { EffectVerdictName } from '../results.ts';

export const panels = ['remove', 'away', 'toward'] as const;
export type Panel = (typeof panels)[number];
export type ByPanel<T> = Readonly<Record<Panel, T>>;

export interface Band {
  readonly low: number;
  readonly high: number;
}

/** An effect with its 95 % interval. */
export interface EffectEstimate extends Band {
  readonly effect: number;
}

export interface FigureEffect extends EffectEstimate {
  /** of the test that it is part of; undefined where there is none */
  readonly verdict: EffectVerdictName | undefined;
  /** measured again on the prompts kept aside */
  readonly aside: EffectEstimate | undefined;
}

/** A direction with an effect in one panel at least. */
export interface FigureRow {
  readonly direction: string;
  /** as the figure names it */
  readonly label: string;
  readonly latent: number | null;
  readonly effects: ByPanel<FigureEffect | undefined>;
}

/** A direction that is a dot among others. */
export interface FigureDot {
  readonly direction: string;
  readonly latent: number | null;
  readonly effects: ByPanel<number | undefined>;
}

/** A band whose edges are estimates, each with its 95 % interval. */
export interface UncertainBand extends Band {
  readonly lowInterval: Band;
  readonly highInterval: Band;
}

export interface SteeringFigure {
  readonly behaviour: string;
  /** the strongest candidates, strongest first */
  readonly candidates: readonly FigureRow[];
  /** latents removed together */
  readonly groups: readonly FigureRow[];
  /** what a study asked for beside: removed at further tokens, by the encoder; a system message */
  readonly otherwise?: readonly FigureRow[];
  /** what needs no latent */
  readonly comparisons: readonly FigureRow[];
  /** candidates without a row */
  readonly others: readonly FigureDot[];
  readonly random: readonly FigureDot[];
  readonly gaussian: readonly FigureDot[];
  /** where one more random latent is expected, with 95 % probability */
  readonly zone: ByPanel<UncertainBand>;
  /** share of positives left alone: of the subject, of the reference */
  readonly alone: { readonly subject: number; readonly reference: number };
  readonly prompts: { readonly evaluation: number; readonly aside: number };
  /** what it comes to, in sentences */
  readonly caption: readonly string[];
}

export const rowsIn = ({ candidates, groups, otherwise = [], comparisons }: SteeringFigure): FigureRow[] => [
  ...candidates,
  ...groups,
  ...otherwise,
  ...comparisons,
];

export const dotsIn = ({ others, random, gaussian }: SteeringFigure): FigureDot[] => [
  ...others,
  ...random,
  ...gaussian,
];

/** How far a panel's model would have to move to be at the level of the other one, left alone. */
export function otherLevel({ alone: { subject, reference } }: SteeringFigure, panel: Panel): number {
  return panel === 'toward' ? subject - reference : reference - subject;
}

function checkFinite(where: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) throw new Error(`${where}: ${name} should be a number; it is ${value}`);
  }
}

function checkBand(where: string, { low, high }: Band): void {
  checkFinite(where, { low, high });
  if (low > high) throw new Error(`${where}: low ${low} is above high ${high}`);
}

function checkRow({ direction, effects }: FigureRow): void {
  for (const panel of panels) {
    const found = effects[panel];
    if (found === undefined) continue;
    const where = `steering figure: ${direction}, ${panel}`;
    checkFinite(where, { effect: found.effect });
    checkBand(`${where}: interval`, found);
    if (found.aside === undefined) continue;
    checkFinite(`${where}, kept aside`, { effect: found.aside.effect });
    checkBand(`${where}, kept aside: interval`, found.aside);
  }
}

function checkZone(zone: SteeringFigure['zone']): void {
  for (const panel of panels) {
    const where = `steering figure: gray zone, ${panel}`;
    checkBand(where, zone[panel]);
    checkBand(`${where}: interval of low`, zone[panel].lowInterval);
    checkBand(`${where}: interval of high`, zone[panel].highInterval);
  }
}

/** What stands in place of a figure that has no random latent. */
export const nothingToDraw = 'No random latent has an effect: there is nothing to draw.';

/** Throws where there is nothing to compare with, or a value that has no place on an axis. */
export function checkFigure(figure: SteeringFigure): void {
  if (figure.random.length === 0)
    throw new Error('steering figure: expected at least one random latent; got none');
  for (const row of rowsIn(figure)) checkRow(row);
  for (const { direction, effects } of dotsIn(figure))
    for (const [panel, effect] of Object.entries(effects))
      if (effect !== undefined) checkFinite(`steering figure: ${direction}, ${panel}`, { effect });
  checkFinite('steering figure: left alone', figure.alone);
  checkZone(figure.zone);
}
