/** References to the hub, looked up and downloaded: what is missing, how large it is, where it comes to lie. */
import { cachedPath, type Environment } from './cache.ts';
import { bytesHere, type Download, downloadFiles } from './download.ts';
import { hubListing, type Listing } from './listing.ts';
import { type HubReference, hubReference } from './reference.ts';
import { type HubUse, neededFiles, usedAs } from './selection.ts';
import { type HubServer, hubServer, type Patience } from './server.ts';

/** What is wanted; `use` undefined: what it seems to be. */
export interface HubWant {
  readonly given: string;
  readonly use: HubUse | undefined;
}

export interface PlannedDownload extends Download {
  readonly use: HubUse;
  /** bytes of all its files, and of those that are here already */
  readonly size: number;
  readonly here: number;
}

export interface HubFetch {
  /** What each reference takes. Throws InputError as `hubListing` and `neededFiles` do. */
  plan(wants: readonly HubWant[]): Promise<PlannedDownload[]>;
  /** Downloads it; returns where it lies. Throws InputError as `downloadFiles` does. */
  fetch(
    planned: PlannedDownload,
    on?: { readonly onBytes?: (bytes: number) => void; readonly signal?: AbortSignal },
  ): Promise<string>;
}

/** Those of `wants` that are references to the hub and not in its cache. */
export async function missingOf(
  wants: readonly HubWant[],
  env: Environment = process.env,
): Promise<HubWant[]> {
  const missing: HubWant[] = [];
  for (const want of wants) {
    const reference = hubReference(want.given);
    if (reference && (await cachedPath(reference, env)) === undefined) missing.push(want);
  }
  return missing;
}

/** Throws InputError where the hub is not to be asked. */
export async function hubFetch(env: Environment, patience?: Partial<Patience>): Promise<HubFetch> {
  const server: HubServer = await hubServer(env, patience);
  const listings = new Map<string, Promise<Listing>>();
  const listed = (reference: HubReference) => {
    const { type, name, revision } = reference;
    const key = `${type} ${name} ${revision}`;
    const found = listings.get(key) ?? hubListing(server, reference);
    listings.set(key, found);
    return found;
  };
  return {
    async plan(wants) {
      const planned: PlannedDownload[] = [];
      for (const { given, use } of wants) {
        const reference = hubReference(given)!;
        const { commit, files: all } = await listed(reference);
        const used = use ?? usedAs(reference, all);
        const files = neededFiles(reference, used, all);
        const size = files.reduce((sum, file) => sum + file.size, 0);
        const one = { reference, commit, files, use: used, size };
        planned.push({ ...one, here: await bytesHere(one, env) });
      }
      return planned;
    },
    fetch: (planned, on = {}) => downloadFiles(server, planned, { env, ...on }),
  };
}
