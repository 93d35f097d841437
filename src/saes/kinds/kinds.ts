/** Every kind of SAE, one line each. */
import { gated } from './gated.ts';
import { jumprelu } from './jumprelu.ts';
import type { SaeKind } from './kind.ts';
import { relu } from './relu.ts';
import { topk } from './topk.ts';

export const saeKinds: readonly SaeKind[] = [relu, topk, jumprelu, gated];
