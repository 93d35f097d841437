/** Activations of MLPs, under the names that config.json gives them. Maths as in transformers' activations.py. */
import { add, erf, mul, scalar, scale, silu, tanh } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';

/** x Φ(x), Φ the normal distribution: x/2 (1 + erf(x/√2)). */
const gelu = (x: Node): Node => mul(scale(x, 0.5), add(erf(scale(x, Math.SQRT1_2)), scalar(1)));

/** The same by x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
function geluTanh(x: Node): Node {
  const cube = mul(mul(x, x), x);
  const inner = scale(add(x, scale(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(scale(x, 0.5), add(tanh(inner), scalar(1)));
}

export const activations = {
  silu,
  swish: silu,
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
} as const;
export type Activation = keyof typeof activations;
