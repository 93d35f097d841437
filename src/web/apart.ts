/** Several loads of which each may fail alone. */

export interface Apart<T extends Readonly<Record<string, Promise<unknown>>>> {
  /** undefined for what failed, too */
  readonly values: { readonly [K in keyof T]: Awaited<T[K]> | undefined };
  readonly errors: { readonly [K in keyof T]?: Error };
}

export async function apart<T extends Readonly<Record<string, Promise<unknown>>>>(
  loads: T,
): Promise<Apart<T>> {
  const ended = await Promise.allSettled(Object.values(loads));
  const named = Object.keys(loads).map((name, i) => [name, ended[i]!] as const);
  return {
    values: Object.fromEntries(
      named.map(([name, one]) => [name, one.status === 'fulfilled' ? one.value : undefined]),
    ) as Apart<T>['values'],
    errors: Object.fromEntries(
      named.flatMap(([name, one]) => (one.status === 'rejected' ? [[name, one.reason as Error]] : [])),
    ) as Apart<T>['errors'],
  };
}

/** Each fault once: several loads may rest on one file. */
export const distinctErrors = (errors: Readonly<Record<string, Error | undefined>>): Error[] => [
  ...new Map(
    Object.values(errors).flatMap((error) => (error ? [[error.message, error] as const] : [])),
  ).values(),
];
