/** Work that is cheaper for many than one by one: asked for in groups, worked off together. */

/** What `work` makes of each item, in order, `size` items at once. */
export async function* inGroups<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  size: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield* await Promise.all(group.map(work));
    group = [];
  }
  yield* await Promise.all(group.map(work));
}

interface Waiting<J, R> {
  readonly job: J;
  readonly size: number;
  resolve(result: R): void;
  reject(reason: unknown): void;
}

/**
 * Jobs that are asked for in one turn of the event loop, or while others are worked on, are worked on together, in
 * the order they came, as many as their sizes sum to `room`, and one at least. Where the work fails all of its
 * jobs do.
 */
export function together<J, R>(
  room: number,
  sizeOf: (job: J) => number,
  work: (jobs: readonly J[]) => Promise<readonly R[]>,
): (job: J) => Promise<R> {
  const waiting: Waiting<J, R>[] = [];
  let working = false;

  function next(): Waiting<J, R>[] {
    let left = room;
    const beyond = waiting.findIndex(({ size }, i) => {
      left -= size;
      return i > 0 && left < 0;
    });
    return waiting.splice(0, beyond < 0 ? waiting.length : beyond);
  }

  async function workOff(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const taken = next();
      try {
        const results = await work(taken.map(({ job }) => job));
        taken.forEach(({ resolve }, i) => {
          resolve(results[i]!);
        });
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
      // those who wait for these results may ask for more
      await new Promise((resolve) => setImmediate(resolve));
    }
    working = false;
  }

  return (job) =>
    new Promise((resolve, reject) => {
      waiting.push({ job, size: sizeOf(job), resolve, reject });
      if (working) return;
      working = true;
      void workOff();
    });
}
