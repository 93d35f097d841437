/** Where in the app one is, as the part of the address after `#`: `#/latent/320?study=a`. Knows no view. */

export const views = ['overview', 'latents', 'latent', 'pairs', 'playground', 'methods', 'compare'] as const;
export type View = (typeof views)[number];

/** What a view is asked for, by name; sorted by name in the address. */
export type Query = Readonly<Record<string, string>>;

export interface Route {
  readonly view: View;
  /** the number in `latent/320`, the id in `pairs/ID` */
  readonly argument: string | undefined;
  readonly query: Query;
}

const isView = (name: string): name is View => (views as readonly string[]).includes(name);

/** Text as it was before `encodeURIComponent`; bytes that are no text are replaced, for an address may be made by hand. */
function decoded(text: string): string {
  const escaped = text.replaceAll('&', '%26').replaceAll('+', '%2B');
  return new URLSearchParams(`text=${escaped}`).get('text')!;
}

/** The route of an address' hash; the overview where it names none. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const [name = '', ...rest] = path.split('/');
  const argument = rest.join('/');
  return {
    view: isView(name) ? name : 'overview',
    argument: isView(name) && argument !== '' ? decoded(argument) : undefined,
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** The hash of a route: what `parseRoute` reads. Empty values of the query are left out. */
export function hashOf({ view, argument, query = {} }: Partial<Route> & Pick<Route, 'view'>): string {
  const path = view === 'overview' ? '' : view;
  const named = Object.entries(query).filter(([, value]) => value !== '');
  const asked = new URLSearchParams(named.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  const rest = argument === undefined ? '' : `/${encodeURIComponent(argument)}`;
  return `#/${path}${rest}${asked === '' ? '' : `?${asked}`}`;
}

/** A route to another view of the study that is open. */
export function inStudy(here: Route, view: View, argument?: string, query: Query = {}): string {
  const { study } = here.query;
  return hashOf({ view, argument, query: study === undefined ? query : { ...query, study } });
}
