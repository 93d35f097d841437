/** Values in nats as text. */
import { scientific, signed } from '../format.ts';

/** `+1.213`; small ones as `+1.21×10⁻³`. */
export const nats = (value: number): string =>
  Math.abs(value) < 0.01 ? scientific(value) : signed(value, 3);
