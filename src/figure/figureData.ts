/**
 * What a steering figure shows. Effects are changes in the share of positives, −1 to 1: `away` of the subject
 * steered away from a latent, `toward` of the reference steered toward it. A latent that matters has away < 0
 * and toward > 0.
 */

export interface Band {
  readonly low: number;
  readonly high: number;
}

export interface FigurePoint {
  readonly latent: number;
  readonly away: number;
  readonly toward: number;
  /** 95 % intervals */
  readonly awayInterval: Band;
  readonly towardInterval: Band;
  /** selectors that proposed it, such as 'delta-attribution'; empty for a random latent */
  readonly selectors: readonly string[];
}

/** A band whose edges are estimates, each with its 95 % interval. */
export interface UncertainBand extends Band {
  readonly lowInterval: Band;
  readonly highInterval: Band;
}

/** The central 95 % of the random latents' effects, by direction. */
export interface FigureZone {
  readonly away: UncertainBand;
  readonly toward: UncertainBand;
}

export interface SteeringFigure {
  readonly behaviour: string;
  readonly points: readonly FigurePoint[];
  readonly random: readonly FigurePoint[];
  /**
   * how many latents each selector proposed, where not all of them were sampled; default those among the
   * points
   */
  readonly proposed?: Readonly<Record<string, number>>;
  readonly zone: FigureZone;
  /** how many of the points outside the zone in both directions get their latent's number; default 8 */
  readonly labelled?: number;
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

function checkPoint(point: FigurePoint): void {
  const where = `steering figure: latent ${point.latent}`;
  checkFinite(where, { away: point.away, toward: point.toward });
  checkBand(`${where}: interval of away`, point.awayInterval);
  checkBand(`${where}: interval of toward`, point.towardInterval);
}

function checkZone(zone: FigureZone): void {
  for (const side of ['away', 'toward'] as const) {
    const where = `steering figure: gray zone, ${side}`;
    const band = zone[side];
    checkBand(where, band);
    checkBand(`${where}: interval of low`, band.lowInterval);
    checkBand(`${where}: interval of high`, band.highInterval);
  }
}

/** What stands in place of a figure that has no random latent. */
export const nothingToDraw = 'No random latent has an effect in both directions: there is nothing to draw.';

/** Throws where there is nothing to compare with, or a value that has no place on an axis. */
export function checkFigure({ points, random, zone, labelled = 0 }: SteeringFigure): void {
  if (random.length === 0) throw new Error('steering figure: expected at least one random latent; got none');
  if (!Number.isInteger(labelled) || labelled < 0) {
    throw new Error(`steering figure: labelled should be a whole number, 0 or more; it is ${labelled}`);
  }
  const unproposed = points.find(({ selectors }) => selectors.length === 0);
  if (unproposed) {
    throw new Error(
      `steering figure: latent ${unproposed.latent}: no selector proposed it; it belongs with the random ones`,
    );
  }
  for (const point of [...points, ...random]) checkPoint(point);
  checkZone(zone);
}
