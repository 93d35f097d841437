/**
 * The folder that Hugging Face's tools share, laid out as huggingface_hub does: contents under `blobs` by their
 * hash, links to them under `snapshots` by commit, and which commit a branch was under `refs`.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { quoted } from '../bytes.ts';
import { isThere, readTextIfThere } from '../ifThere.ts';
import { type HubReference, hubReference } from './reference.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** $HF_HOME, as huggingface_hub looks for it. */
const home = (env: Environment): string =>
  env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');

export const cacheFolder = (env: Environment): string =>
  env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home(env), 'hub');

/** $HF_TOKEN, or what `hf auth login` left; undefined for none. */
export async function hubToken(env: Environment): Promise<string | undefined> {
  const file = env.HF_TOKEN_PATH || join(home(env), 'token');
  return env.HF_TOKEN?.trim() || (await readTextIfThere(file))?.trim() || undefined;
}

/** Where a repository's files are kept. */
export const repositoryFolder = (
  { type, name }: Pick<HubReference, 'type' | 'name'>,
  env: Environment,
): string => join(cacheFolder(env), `${type}s--${name.replace('/', '--')}`);

export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** The commit that a revision was when it was downloaded last. */
async function commitOf({ revision }: HubReference, folder: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const file = join(folder, 'refs', revision);
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  const commit = text.trim();
  if (!isCommit(commit))
    throw new InputError(`${file}: expected a commit of 40 hexadecimal digits, found ${quoted(commit)}`);
  return commit;
}

/** Where what is named lies in the cache; undefined where it was not downloaded. */
export async function cachedPath(
  reference: HubReference,
  env: Environment = process.env,
): Promise<string | undefined> {
  const folder = repositoryFolder(reference, env);
  const commit = await commitOf(reference, folder);
  if (commit === undefined) return undefined;
  const path = join(folder, 'snapshots', commit, reference.path);
  return (await isThere(path)) ? path : undefined;
}

/**
 * The path of what is given: for `hf:...` where its download lies, any other path as it is. Throws InputError,
 * which says how to download it, where the cache does not have it.
 */
export async function localPath(given: string, env: Environment = process.env): Promise<string> {
  const reference = hubReference(given);
  if (reference === undefined) return given;
  const path = await cachedPath(reference, env);
  if (path !== undefined) return path;
  throw new InputError(
    `${given}: not in the Hugging Face cache (${cacheFolder(env)}): download it with \`culprit fetch ${given}\``,
  );
}
