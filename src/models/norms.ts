/** Norms over the last axis, and over the heads of queries and keys. */
import { add, known, reshape, rmsNorm, scale, sub, sumLast } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Scope } from './decoder.ts';

/** x less its mean over the last axis. */
export const centred = (x: Node): Node => sub(x, scale(sumLast(x), 1 / known(x, -1)));

/** gain · (x − mean) / sqrt(variance + ε) + bias, with `${at}.weight` and `${at}.bias`. */
export function layerNorm(x: Node, at: string, scope: Scope, epsilon: number): Node {
  const shape = [known(x, -1)];
  const gain = scope.param(`${at}.weight`, shape);
  return add(rmsNorm(centred(x), gain, epsilon), scope.param(`${at}.bias`, shape));
}

/** The RMS norm of each head of x [T, heads·h], gain [h]. */
export function headNorm(x: Node, gain: Node, epsilon: number): Node {
  const width = known(gain, 0);
  const apart = reshape(x, [x.shape[0]!, known(x, 1) / width, width]);
  return reshape(rmsNorm(apart, gain, epsilon), x.shape);
}
