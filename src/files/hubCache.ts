/**
 * Repositories that Hugging Face's tools have downloaded, in the cache folder that those share. Downloads
 * nothing.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { quoted } from './bytes.ts';
import { isFolderThere, readTextIfThere } from './ifThere.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the cache is, as huggingface_hub looks for it. */
function cacheFolder(env: Environment): string {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

const prefix = 'hf:';

/**
 * The path of a model: for `hf:org/name` the folder of its latest download, any other path as it is. Throws
 * InputError, which says how to download it, where the cache does not have it.
 */
export async function localModel(path: string, env: Environment = process.env): Promise<string> {
  if (!path.startsWith(prefix)) return path;
  const id = path.slice(prefix.length);
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(id)) throw new InputError(`${quoted(path)}: expected hf:ORG/NAME`);
  const folder = join(cacheFolder(env), `models--${id.replace('/', '--')}`);
  const revision = await revisionOf(folder);
  const snapshot = revision === undefined ? undefined : join(folder, 'snapshots', revision);
  if (snapshot !== undefined && (await isFolderThere(snapshot))) return snapshot;
  throw new InputError(
    `${path}: not in the Hugging Face cache (${cacheFolder(env)}): download it with \`hf download ${id}\` (older: huggingface-cli download ${id})`,
  );
}

/** The commit that was downloaded as `main`. */
async function revisionOf(folder: string): Promise<string | undefined> {
  const file = join(folder, 'refs', 'main');
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  const commit = text.trim();
  if (!/^[0-9a-f]{40}$/.test(commit))
    throw new InputError(`${file}: expected a commit of 40 hexadecimal digits, found ${quoted(commit)}`);
  return commit;
}
