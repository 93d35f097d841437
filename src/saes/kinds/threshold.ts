/** Comparisons with a limit, of which the kinds' encoders are made. */
import { greaterOrEqual, scalar, where } from '../../graph/build.ts';
import type { Node } from '../../graph/node.ts';

const zero = scalar(0);

/** max(0, a) */
export const positive = (a: Node) => where(greaterOrEqual(a, zero), a, zero);

/** `a` where `by` is greater than the limit, else 0. */
export const whereAbove = (limit: Node, by: Node, a: Node) => where(greaterOrEqual(limit, by), zero, a);
