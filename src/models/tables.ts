/** The tables of a model, of embedding and unembedding. */
import type { Node } from '../graph/node.ts';
import type { Decoder, Scope } from './decoder.ts';

interface Tables extends Pick<Decoder, 'tied'> {
  embedding(scope: Scope): Node;
  head(scope: Scope): Node;
}

/**
 * Tables of `shape` by name: where they are tied, a file may have one of them, under either name, or both, of
 * which each is then used as it stands, as transformers 5 does.
 */
export function tables(
  names: readonly [embedding: string, head: string],
  shape: readonly number[],
  tied: boolean,
): Tables {
  const [embedding, head] = names;
  const table = (scope: Scope, name: string, other: string) =>
    scope.param(tied && !scope.has(name) && scope.has(other) ? other : name, shape);
  return {
    ...(tied && { tied: names }),
    embedding: (scope) => table(scope, embedding, head),
    head: (scope) => table(scope, head, embedding),
  };
}
