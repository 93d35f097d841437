/** What a promise came to, as React state. */
import { type DependencyList, useEffect, useState } from 'react';

export interface Loaded<T> {
  /** kept while the next one loads */
  readonly value: T | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
}

/** Loads again whenever `deps` change; what a call that is no longer wanted comes to is dropped. */
export function useLoaded<T>(load: () => Promise<T>, deps: DependencyList): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: undefined, error: undefined, loading: true });
  useEffect(() => {
    let wanted = true;
    setState(({ value }) => ({ value, error: undefined, loading: true }));
    load().then(
      (value) => wanted && setState({ value, error: undefined, loading: false }),
      (error: Error) => wanted && setState({ value: undefined, error, loading: false }),
    );
    return () => {
      wanted = false;
    };
    // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what `load` depends on
  }, deps);
  return state;
}
