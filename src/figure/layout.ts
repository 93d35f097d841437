/**
 * Where everything of a figure lies at a given width, before anything is drawn: what reacts to a pointer is laid
 * over it by the same numbers. Pixels, y downward.
 */
import {
  type ByPanel,
  checkFigure,
  dotsIn,
  otherLevel,
  type Panel,
  panels,
  rowsIn,
  type SteeringFigure,
} from './figureData.ts';
import { type FigureLine, figureLines } from './lines.ts';
import { type Words, wordsAround } from './wordsAround.ts';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Percentage points from one end of an axis to the other. */
export type Domain = readonly [number, number];

export interface PanelPlace {
  readonly panel: Panel;
  readonly frame: Box;
  readonly domain: Domain;
  /** percentage points that have a tick */
  readonly ticks: readonly number[];
}

/** The same in every panel: its rows, from the top of the panel's frame. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly panels: readonly PanelPlace[];
  readonly lines: readonly FigureLine[];
  /** where the names of rows end */
  readonly namesEnd: number;
  readonly words: Words;
}

/** Of an axis' length, beyond the outermost thing drawn. */
const padding = 0.04;
/** Of all panels' lengths, at least. */
const leastShare = 0.26;
/** Pixels between two ticks, at least. */
const tickSpace = 32;
const tickSteps = [1, 2, 5, 10, 20, 25, 50, 100] as const;

/** The least domain that holds 0, the values of a panel and the level of the other model. */
function domainOf(figure: SteeringFigure, panel: Panel): Domain {
  const rows = rowsIn(figure).flatMap(({ effects }) => {
    const found = effects[panel];
    return found ? [found, ...(found.aside ? [found.aside] : [])] : [];
  });
  const { low, high, lowInterval, highInterval } = figure.zone[panel];
  const ends = [...rows, lowInterval, highInterval].flatMap((band) => [band.low, band.high]);
  const dots = dotsIn(figure).flatMap(({ effects }) => effects[panel] ?? []);
  const all = [0, low, high, otherLevel(figure, panel), ...ends, ...dots].map((share) => 100 * share);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const pad = padding * (most - least) || 1;
  return [least - pad, most + pad];
}

const spanOf = ([low, high]: Domain) => high - low;

function widened(domain: Domain, span: number): Domain {
  const more = Math.max(0, span - spanOf(domain)) / 2;
  return [domain[0] - more, domain[1] + more];
}

/** A point is as long in every panel: side by side each has its own domain, one below the other the same. */
export function domainsOf(figure: SteeringFigure, isStacked: boolean): ByPanel<Domain> {
  const own = panels.map((panel) => domainOf(figure, panel));
  const whole = own.reduce((sum, domain) => sum + spanOf(domain), 0);
  const [remove, away, toward] = isStacked
    ? own.map((): Domain => [Math.min(...own.map(([low]) => low)), Math.max(...own.map(([, high]) => high))])
    : own.map((domain) => widened(domain, leastShare * whole));
  return { remove: remove!, away: away!, toward: toward! };
}

function ticksIn([low, high]: Domain, pixels: number): number[] {
  const scale = pixels / (high - low);
  const step = tickSteps.find((points) => points * scale >= tickSpace) ?? 200;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** Pixel across of an effect. */
export function pixelOf({ frame, domain }: PanelPlace, effect: number): number {
  return frame.left + ((100 * effect - domain[0]) / spanOf(domain)) * (frame.right - frame.left);
}

export const middleOf = ({ frame }: PanelPlace, { top, height }: FigureLine): number =>
  frame.top + top + height / 2;

/** Throws where there are no random latents, or a number that has no place on an axis. */
export function layoutOf(figure: SteeringFigure, { width }: { readonly width: number }): Layout {
  checkFigure(figure);
  const lines = figureLines(figure);
  const words = wordsAround(figure, lines, width);
  const domains = domainsOf(figure, words.isStacked);
  const spans = panels.map((panel) => spanOf(domains[panel]));
  const across = words.isStacked ? spans[0]! : spans.reduce((sum, span) => sum + span, 0);
  let left = words.plot.left;
  const places = panels.map((panel, i): PanelPlace => {
    const pixels = (spans[i]! / across) * words.plot.across;
    const top = words.plot.tops[i]!;
    const frame = { left, top, right: left + pixels, bottom: top + words.plot.height };
    if (!words.isStacked) left += pixels + words.plot.gap;
    return { panel, frame, domain: domains[panel], ticks: ticksIn(domains[panel], pixels) };
  });
  const { height, namesEnd } = words;
  return { width, height, panels: places, lines, namesEnd, words };
}
