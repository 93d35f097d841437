/** Changes of a share in percentage points, as a table has them. */
import { changePoints } from '../../../results.ts';

interface Change {
  readonly effect: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** `−38 [−57, −21]`; with a digit more where an edge of `zone` would look the same. Nothing where not measured. */
export function changeText(
  { effect, low, high }: Change,
  zone?: { readonly low: number; readonly high: number },
): string {
  if (effect === null) return '';
  const edges = zone ? [zone.low, zone.high] : [];
  const range =
    low === null || high === null ? '' : ` [${changePoints(low, edges)}, ${changePoints(high, edges)}]`;
  return `${changePoints(effect, edges)}${range}`;
}
