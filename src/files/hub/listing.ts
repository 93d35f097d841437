/** What the hub has of a repository: its commit, and its files with sizes and hashes. */
import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
import { InputError } from '../../errors.ts';
import { isCommit } from './cache.ts';
import type { HubReference } from './reference.ts';
import type { HubFile } from './selection.ts';
import { authorised, type HubServer, refusalOf, Unreachable } from './server.ts';

export interface Listing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/** Throws InputError where the hub has no such repository or revision, does not show it, or does not answer. */
export async function hubListing(server: HubServer, reference: HubReference): Promise<Listing> {
  const { type, name, revision } = reference;
  // the library's own errors keep no code of the hub's, and it takes tokens of one form only
  const asking: typeof fetch = async (address, init) => {
    const headers = { ...(init?.headers as Record<string, string>), ...authorised(server) };
    const reply = await server.fetch(address, { ...init, headers });
    if (reply.ok) return reply;
    throw refusalOf(server, reference, reply.status, reply.headers.get('x-error-code'));
  };
  const asked = { hubUrl: server.endpoint, fetch: asking };
  try {
    const about = { ...asked, name, revision };
    const { sha: commit } =
      type === 'dataset'
        ? await datasetInfo({ ...about, additionalFields: ['sha'] })
        : await modelInfo({ ...about, additionalFields: ['sha'] });
    if (typeof commit !== 'string' || !isCommit(commit))
      throw new InputError(
        `${reference.given}: expected the hub to tell a commit, found ${JSON.stringify(commit)}`,
      );
    const files: HubFile[] = [];
    for await (const { type: kind, path, size, oid, lfs } of listFiles({
      ...asked,
      repo: { type, name },
      revision: commit,
      recursive: true,
    }))
      if (kind === 'file')
        files.push({
          path,
          size: lfs?.size ?? size,
          hash: lfs ? { kind: 'sha256', hex: hexOf(lfs.oid) } : { kind: 'git', hex: hexOf(oid ?? '') },
        });
    return { commit, files };
  } catch (error) {
    throw explainedReply(error, server, reference);
  }
}

/** Names of contents become names of files. */
function hexOf(hash: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash))
    throw new InputError(`the hub: expected a file's hash, found ${JSON.stringify(hash)}`);
  return hash;
}

function explainedReply(error: unknown, server: HubServer, reference: HubReference): unknown {
  if (error instanceof Unreachable)
    return new InputError(`${reference.given}: ${server.endpoint} cannot be reached: ${error.message}`);
  if (error instanceof SyntaxError || error instanceof TypeError)
    return new InputError(`${reference.given}: ${server.endpoint} does not answer as the hub does`, {
      cause: error,
    });
  return error;
}
