/**
 * Interventions on the residual stream at one site, latent by latent, and several of them as the one change
 * that a graph or a loop applies. docs/method.md section 5: a_t ← a_t + α·s·d_i. Knows no model.
 */

/**
 * What is done to one latent's direction d_i (a unit vector [d]), with p = a_t · d_i:
 * - add: a_t + amount · d_i, the amount in units of the residual stream (α·s)
 * - set: p becomes `value` (a clamp; with the baseline's ā · d_i it is a mean ablation)
 * - cap: p becomes min(p, value)
 */
export type Intervention =
  | { readonly kind: 'add'; readonly direction: Float32Array; readonly amount: number }
  | { readonly kind: 'set' | 'cap'; readonly direction: Float32Array; readonly value: number };

export const steeredTokens = ['all', 'prompt', 'completion'] as const;
/** At which tokens; the method: at every token. */
export type SteeredTokens = (typeof steeredTokens)[number];

/** A projection on `direction` held within [low, high] by moving along `dual` [d]. */
export interface HeldProjection {
  readonly direction: Float32Array;
  readonly dual: Float32Array;
  readonly low: number;
  readonly high: number;
}

/** All interventions at once: a_t + Σ_k (held p_k − p_k) dual_k + add. */
export interface Steering {
  /** [d] */
  readonly add: Float32Array;
  readonly held: readonly HeldProjection[];
  readonly tokens: SteeredTokens;
  /**
   * a latent whose own activation, by the dictionary's encoder at each token, is taken away along its direction
   * (a unit vector [d]) before anything is held: a_t − z_i(a_t) d_i; default none
   */
  readonly subtracted?: { readonly latent: number; readonly direction: Float32Array } | undefined;
  /**
   * greatest residual norm of a token whose projections are held, or that a latent is subtracted from: beyond it
   * a token is an attention sink, and is left as it is; default none is
   */
  readonly sinkNorm?: number | undefined;
}

/** One vector added at every token. */
export const addedVector = (add: Float32Array, tokens: SteeredTokens = 'all'): Steering => ({
  add,
  held: [],
  tokens,
});

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Least part of a direction that must lie outside the others' span, as a length. */
const leastIndependent = 1e-3;

/** Whether a direction (a unit vector) lies in the span of others, so that it cannot be held beside them. */
export function dependsOn(direction: Float32Array, others: readonly Float32Array[]): boolean {
  if (others.length === 0) return false;
  try {
    duals([...others, direction]);
    return false;
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

/**
 * The dual of each direction: dual_k · direction_l is 1 for k = l and 0 otherwise, and all lie in the
 * directions' span; so that moving along one leaves the other projections. For orthogonal unit vectors they
 * are the directions themselves. Throws RangeError where a direction lies in the span of the others.
 */
function duals(directions: readonly Float32Array[]): Float32Array[] {
  return directions.map((direction, k) => {
    // what is left of it outside the span of the others, by modified Gram and Schmidt
    const basis: Float64Array[] = [];
    const outside = (vector: ArrayLike<number>) => {
      const left = Float64Array.from(vector);
      for (const unit of [...basis, ...basis]) {
        const along = dot(left, unit);
        for (let i = 0; i < left.length; i++) left[i]! -= along * unit[i]!;
      }
      return left;
    };
    for (const [l, other] of directions.entries()) {
      if (l === k) continue;
      const left = outside(other);
      const length = Math.sqrt(dot(left, left));
      if (length > leastIndependent) basis.push(left.map((x) => x / length));
    }
    const left = outside(direction);
    if (Math.sqrt(dot(left, left)) < leastIndependent)
      throw new RangeError(
        `steering: direction ${k} lies in the span of the others, so that their projections cannot be held one by one`,
      );
    const along = dot(left, direction);
    return Float32Array.from(left, (x) => x / along);
  });
}

/**
 * Interventions as one change: projections are held first, each exactly at its own bound whatever the angles
 * between directions; then what is added is added. Throws RangeError for no interventions, and where the
 * directions of held projections depend on one another.
 */
export function combined(interventions: readonly Intervention[], tokens: SteeredTokens = 'all'): Steering {
  if (interventions.length === 0) throw new RangeError('steering: no interventions');
  const add = new Float64Array(interventions[0]!.direction.length);
  const bounds: Omit<HeldProjection, 'dual'>[] = [];
  for (const one of interventions) {
    if (one.kind === 'add') {
      for (const [i, x] of one.direction.entries()) add[i]! += one.amount * x;
    } else {
      const low = one.kind === 'set' ? one.value : Number.NEGATIVE_INFINITY;
      bounds.push({ direction: one.direction, low, high: one.value });
    }
  }
  const dual = duals(bounds.map(({ direction }) => direction));
  return {
    add: Float32Array.from(add),
    held: bounds.map((bound, k) => ({ ...bound, dual: dual[k]! })),
    tokens,
  };
}

/**
 * The removal of docs/method.md section 5: the projections on these directions (unit vectors [d], one or more
 * that do not depend on one another) are held at those of `at` [d], the baseline, at every token but the
 * attention sinks. For one direction a_t − ((a_t − ā)·d) d; for several the same of their whole span. Throws
 * RangeError where one lies in the span of the others.
 */
export const projectionsHeldAt = (
  directions: readonly Float32Array[],
  at: Float32Array,
  { tokens = 'all', sinkNorm }: Pick<Steering, 'sinkNorm'> & { readonly tokens?: SteeredTokens } = {},
): Steering => ({
  ...combined(
    directions.map((direction) => ({ kind: 'set', direction, value: dot(at, direction) })),
    tokens,
  ),
  sinkNorm,
});

/** The removal by the encoder of docs/method.md section 5: a_t − z_i(a_t) d_i, attention sinks left out. */
export const latentSubtracted = (
  latent: number,
  direction: Float32Array,
  tokens: SteeredTokens = 'all',
): Steering => ({
  add: new Float32Array(direction.length),
  held: [],
  subtracted: { latent, direction },
  tokens,
});
