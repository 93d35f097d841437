/** The address' hash as React state; the browser's history is the only store. */
import { useMemo, useSyncExternalStore } from 'react';
import { hashOf, parseRoute, type Route } from './routes.ts';

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}

/** Goes to a hash as a link would. */
export function goTo(hash: string): void {
  window.location.hash = hash;
}

/** The same view with another query, in place of this entry of the history. */
export function replaceQuery(here: Route, query: Readonly<Record<string, string>>): void {
  window.history.replaceState(
    window.history.state,
    '',
    hashOf({ ...here, query: { ...here.query, ...query } }),
  );
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The address of a route for someone else: without the token that the server gave to whoever opened it. */
export function linkTo(hash: string): string {
  const { origin, protocol, pathname } = window.location;
  return `${protocol === 'file:' ? 'file://' : origin}${pathname}${hash}`;
}
