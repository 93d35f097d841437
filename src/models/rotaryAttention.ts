/** Attention whose queries and keys are turned by their positions, as most families have it. */
import { rope as turn } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Heads, Scoring } from './attention.ts';
import type { Pass, Scope } from './decoder.ts';
import { angles, type Rope, turnedWidth } from './rope.ts';

/** Where in a model a block stands. */
export interface Place {
  readonly layer: number;
  readonly scope: Scope;
  readonly pass: Pass;
}

/** Query [T, query·h], key and value [T, keyValue·h]. */
export interface Projections {
  readonly query: Node;
  readonly key: Node;
  readonly value: Node;
}

/** What attention gives, before the output projection: [T, query·h]. Without a rope nothing is turned. */
export function rotaryAttention(
  { layer, scope, pass }: Place,
  { query, key, value }: Projections,
  heads: Heads,
  rope: Rope | undefined,
  { scale = heads.width ** -0.5, ...scoring }: Partial<Scoring> = {},
): Node {
  const scored = { scale, ...scoring };
  if (!rope) return pass.attend(layer, query, key, value, heads, scored);
  const width = turnedWidth(heads, rope);
  const { cosine, sine } = angles(pass.positions, rope.theta, width, rope.scaling, scope);
  const turned = (x: Node, count: number) => turn(x, cosine, sine, count);
  return pass.attend(layer, turned(query, heads.query), turned(key, heads.keyValue), value, heads, scored);
}
