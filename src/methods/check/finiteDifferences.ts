/**
 * A gradient held against finite differences of the very loss that it is of: central differences at two
 * steps, extrapolated (Richardson), D = (4 D(h/2) − D(h)) / 3.
 */

export interface Derivative {
  /** by differences, and by the gradient: dL along the move, in nats per move */
  readonly differences: number;
  readonly gradient: number;
  /** |differences − gradient|, in parts of |gradient| or, where that is greater, of 1 % of ‖g‖·‖move‖ */
  readonly error: number;
}

/** Least size of a derivative that an error is a part of, in parts of the greatest there can be. */
const floor = 0.01;

const norm = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

/**
 * Derivative of `loss` at `at` along `move` (both [T·d]), by both ways; `gradient` is the one to check. The
 * move is to be so small that the loss is almost a cubic within ±move, and so large that its changes stand
 * out from rounding.
 */
export async function derivativeAlong(
  loss: (x: Float32Array) => Promise<number>,
  at: Float32Array,
  gradient: Float32Array,
  move: Float32Array,
): Promise<Derivative> {
  const moved = (step: number) => loss(at.map((x, i) => x + step * move[i]!));
  const central = async (step: number) => ((await moved(step)) - (await moved(-step))) / (2 * step);
  const differences = (4 * (await central(0.5)) - (await central(1))) / 3;
  const along = gradient.reduce((sum, g, i) => sum + g * move[i]!, 0);
  const size = Math.max(Math.abs(along), floor * norm(gradient) * norm(move));
  return { differences, gradient: along, error: Math.abs(differences - along) / size };
}

/** `direction` (of length any multiple of d that divides T·d) repeated over all tokens, of norm `size`. */
export function repeated(direction: Float32Array, length: number, size: number): Float32Array {
  const out = Float32Array.from({ length }, (_, i) => direction[i % direction.length]!);
  const scale = size / norm(out);
  return out.map((x) => x * scale);
}
