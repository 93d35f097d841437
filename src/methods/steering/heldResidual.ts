/** A steering as a change of residuals that were computed: what a loop over tokens does, on rows. */
import type { ResidualChange } from './forced.ts';
import type { Steering } from './steer.ts';

/**
 * Holds the projections of `steering` and adds its vector at these places of residuals [T, d], in place: p_k = a_t ·
 * direction_k is taken of the row as it comes, then a_t ← a_t + Σ_k (held p_k − p_k) dual_k + add, in float64. What a
 * latent's encoder subtracts is not done: throws RangeError where the steering asks for it.
 */
export function steeredAt({ add, held, subtracted }: Steering, places: readonly number[]): ResidualChange {
  if (subtracted) throw new RangeError('steeredAt: a latent is subtracted by its encoder, which is not here');
  const d = add.length;
  return (activation) => {
    for (const place of places) {
      const row = activation.subarray(place * d, (place + 1) * d);
      const moved = Float64Array.from(row, (x, i) => x + add[i]!);
      for (const { direction, dual, low, high } of held) {
        let p = 0;
        for (let i = 0; i < d; i++) p += row[i]! * direction[i]!;
        const by = Math.min(Math.max(p, low), high) - p;
        if (by !== 0) for (let i = 0; i < d; i++) moved[i]! += by * dual[i]!;
      }
      row.set(moved);
    }
    return activation;
  };
}
