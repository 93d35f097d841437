/** What bad input must come to: an InputError of one line. */
import { expect } from 'vitest';
import { InputError } from '../../src/errors.ts';

/** The message of the InputError that `attempt` must throw; it is one line. */
export function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).not.toMatch(/[\n\r]/);
    return error.message;
  }
  throw new Error('nothing was refused');
}
