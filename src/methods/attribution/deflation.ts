/** What is left of Δ once a direction is taken out: docs/method.md section 3. */

/**
 * (I − u uᵀ) M (I − u uᵀ) [d, d]: M without the part of activations and gradients along the unit direction u
 * [d]. Its Δ_i is that of d_i's part across u: near Δ_i where a latent stands by itself, near 0 where it is an
 * echo of u.
 */
export function deflatedMatrix(m: Float32Array, u: ArrayLike<number>): Float32Array {
  const d = Math.sqrt(m.length);
  const [right, left] = [new Float64Array(d), new Float64Array(d)];
  let middle = 0;
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) {
      const x = m[i * d + j]!;
      right[i]! += x * u[j]!;
      left[j]! += u[i]! * x;
      middle += u[i]! * x * u[j]!;
    }
  return m.map((x, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return x - right[i]! * u[j]! - u[i]! * left[j]! + u[i]! * middle * u[j]!;
  });
}
