/** The plain SAE ("standard" in SAELens): a = max(0, p), with p = x W + b. */
import type { SaeKind } from './kind.ts';
import { positive } from './threshold.ts';

export const relu: SaeKind<'b_enc', never> = {
  name: 'relu',
  weights: { b_enc: ['N'] },
  bias: 'b_enc',
  counts: [],
  separate: true,
  encode: ({ pre }) => positive(pre),
};
