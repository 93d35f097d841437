/**
 * Pieces of work done one after another beside whoever adds them, who waits where too many are left. Knows no
 * trial.
 */

export interface BoundedQueue {
  /** Resolves once fewer than `most` pieces are left. Throws as `check` does. */
  add(piece: () => Promise<void>): Promise<void>;
  /** Waits for what is left. Throws as `check` does. */
  end(): Promise<void>;
  /** Says that something failed elsewhere: no further piece is begun. The first failure counts. */
  fail(error: unknown): void;
  /** Throws what has failed, if anything has. */
  check(): void;
}

/** After a failure no piece is begun, and every call throws it. */
export function boundedQueue(most: number): BoundedQueue {
  let failed: { readonly error: unknown } | undefined;
  let last: Promise<void> = Promise.resolve();
  const left: Promise<void>[] = [];
  const fail = (error: unknown) => {
    failed ??= { error };
  };
  const check = () => {
    if (failed) throw failed.error;
  };
  return {
    fail,
    check,
    async add(piece) {
      last = last.then(() => (failed ? undefined : piece())).catch(fail);
      left.push(last);
      if (left.length >= most) await left.shift();
      check();
    },
    async end() {
      await last;
      check();
    },
  };
}
