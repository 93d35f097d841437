/** Which texts of the causal test are there. */
import type { SteeredCompletion } from '../../results.ts';

/** A report leaves texts out where it would grow too large, not the verdicts. */
export const isHeld = ({ text, tokens }: SteeredCompletion): boolean => text !== '' || tokens <= 1;
