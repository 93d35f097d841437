/**
 * Places for the labels of points: beside each its own, none over another. Pixels, y downward; knows no SVG.
 */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Obstacle extends Box {
  /** of covering it, in pixels of a label's distance from its point */
  readonly cost: number;
}

export interface Target {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly width: number;
  readonly height: number;
}

export interface PlacedLabel extends Target {
  readonly box: Box;
  /** pixels between point and label */
  readonly gap: number;
}

/** Upper left first: that is away from the gray zone. Straight ones last: error bars run there. */
const directions = [
  [-1, -1],
  [1, -1],
  [-1, 1],
  [1, 1],
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
const gaps = [3, 7, 12, 18, 26, 36, 50, 70, 100];

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function inside(a: Box, frame: Box): boolean {
  return a.left >= frame.left && a.right <= frame.right && a.top >= frame.top && a.bottom <= frame.bottom;
}

function candidates({ x, y, width, height }: Target): { box: Box; gap: number }[] {
  return gaps.flatMap((gap) =>
    directions.map(([dx, dy]) => {
      const left = x + dx * (gap + width / 2) - width / 2;
      const top = y + dy * (gap + height / 2) - height / 2;
      return { box: { left, top, right: left + width, bottom: top + height }, gap };
    }),
  );
}

/** The free place inside the frame of least gap + Σ costs of what it covers; of equals the first. */
function bestPlace(target: Target, taken: readonly Box[], obstacles: readonly Obstacle[], frame: Box) {
  let best: { box: Box; gap: number; cost: number } | undefined;
  for (const { box, gap } of candidates(target)) {
    if (!inside(box, frame) || taken.some((other) => overlap(box, other))) continue;
    const covered = obstacles.filter((obstacle) => overlap(box, obstacle));
    const cost = covered.reduce((sum, obstacle) => sum + obstacle.cost, gap);
    if (!best || cost < best.cost) best = { box, gap, cost };
  }
  return best;
}

/** Labels in the order given, the first with the free choice. One that has no place left is left out. */
export function placeLabels(
  targets: readonly Target[],
  obstacles: readonly Obstacle[],
  frame: Box,
): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const target of targets) {
    const taken = placed.map(({ box }) => box);
    const best = bestPlace(target, taken, obstacles, frame);
    if (best) placed.push({ ...target, box: best.box, gap: best.gap });
  }
  return placed;
}
