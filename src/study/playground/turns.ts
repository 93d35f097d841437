/** Work that is done one after another, each of which may be given up. Knows not what the work is. */
import PQueue from 'p-queue';
import { InputError } from '../../errors.ts';

export interface Turns {
  /**
   * Does `work` once all before it has ended; work that was given up has ended when it says so, not before. One
   * whose turn has not come is given up at once, and holds no place: throws the signal's reason then. Throws
   * InputError where as many as are allowed wait already.
   */
  take(work: () => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Forgets those whose turn has not come. */
  clear(): void;
}

/** One at a time, and at most so many waiting. */
export function turns(most: number): Turns {
  const queue = new PQueue({ concurrency: 1 });
  const waiting = new Set<AbortSignal>();

  async function take(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (waiting.size >= most)
      throw new InputError(`${most} texts are waiting already, the most allowed: try again later`);
    let giveUp = () => {};
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = () => {
        waiting.delete(signal);
        reject(signal.reason as Error);
      };
    });
    waiting.add(signal);
    signal.addEventListener('abort', giveUp, { once: true });
    const done = queue.add(async () => {
      signal.removeEventListener('abort', giveUp);
      waiting.delete(signal);
      if (!signal.aborted) await work();
    });
    await Promise.race([done, givenUp]);
  }

  return { take, clear: () => queue.clear() };
}
