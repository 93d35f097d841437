/** ln Σ_i exp(x_i), without overflow. */
export function logNormaliser(values: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const x of values) most = Math.max(most, x);
  let sum = 0;
  for (const x of values) sum += Math.exp(x - most);
  return most + Math.log(sum);
}
