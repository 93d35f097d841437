/**
 * In which order latents were listed last, for the way from one to the next; by what the list was asked for. Kept
 * while the page lives: who opens a link to one latent has no list.
 */
import { hashOf, type Query } from './routes.ts';

/** What of a list's address says which latents it has and in which order. */
const asked = ['q', 'stage', 'verdict', 'by', 'of', 'sort', 'study'] as const;

const orders = new Map<string, readonly number[]>();

/** The part of a query that a list of latents is asked for. */
export const listQuery = (query: Query): Query =>
  Object.fromEntries(asked.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])));

const nameOf = (query: Query) => hashOf({ view: 'latents', query: listQuery(query) });

export const keepOrder = (query: Query, latents: readonly number[]): void =>
  void orders.set(nameOf(query), latents);

/** Undefined where no list asked for that was shown. */
export const keptOrder = (query: Query): readonly number[] | undefined => orders.get(nameOf(query));
