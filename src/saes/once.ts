/** What is costly to make and asked for by several. */

/** `make`, called at most once: later calls share the first one's promise. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
