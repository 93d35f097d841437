/** Where in the app one is, as the part of the address after `#`: `#/latent/320?study=a`. Knows no view. */

/** The view of an address that names none. */
export const home = 'overview';

/** What a view is asked for, by name; sorted by name in the address. */
export type Query = Readonly<Record<string, string>>;

export interface Route {
  /** its name, as the address has it: whether there is such a view is the app's to say */
  readonly view: string;
  /** the number in `latent/320`, the id in `pairs/ID` */
  readonly argument: string | undefined;
  readonly query: Query;
}

/**
 * Text as it was before `encodeURIComponent`; bytes that are no text are replaced, for an address may be
 * made by hand.
 */
function decoded(text: string): string {
  const escaped = text.replaceAll('&', '%26').replaceAll('+', '%2B');
  return new URLSearchParams(`text=${escaped}`).get('text')!;
}

/** The route of an address' hash. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const [name = '', ...rest] = path.split('/');
  const argument = rest.join('/');
  return {
    view: name === '' ? home : decoded(name),
    argument: argument === '' ? undefined : decoded(argument),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** The hash of a route: what `parseRoute` reads. Empty values of the query are left out. */
export function hashOf({ view, argument, query = {} }: Partial<Route> & Pick<Route, 'view'>): string {
  const path = view === home ? '' : encodeURIComponent(view);
  const named = Object.entries(query).filter(([, value]) => value !== '');
  const asked = new URLSearchParams(named.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  const rest = argument === undefined ? '' : `/${encodeURIComponent(argument)}`;
  return `#/${path}${rest}${asked === '' ? '' : `?${asked}`}`;
}

/** A route to another view of the study that is open. */
export function inStudy(here: Route, view: string, argument?: string, query: Query = {}): string {
  const { study } = here.query;
  return hashOf({ view, argument, query: study === undefined ? query : { ...query, study } });
}
