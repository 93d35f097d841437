/**
 * Which files of a repository are needed, from their names: a model, an adapter, a dictionary or a file of rows.
 * Knows no network and no content.
 */
import { posix } from 'node:path';
import { InputError } from '../../errors.ts';
import type { HubReference } from './reference.ts';
import { sizeText } from './sizeText.ts';

/** A file as the hub lists it. */
export interface HubFile {
  /** from the repository's root */
  readonly path: string;
  readonly size: number;
  /** of its content, or for a small file in git that of its git object */
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly hex: string };
}

/** What the files are for. */
export type HubUse = 'model' | 'adapter' | 'dictionary' | 'file';

const ending = (...endings: string[]) => {
  return ({ path }: HubFile) => endings.some((one) => path.endsWith(one));
};
const isWeights = ending('.safetensors', '.npz', '.pt', '.pth');
const isRows = ending('.jsonl', '.json', '.csv', '.txt');
const nameOf = ({ path }: HubFile) => posix.basename(path);
const folderOf = ({ path }: HubFile) => posix.dirname(path).replace(/^\.$/, '');

const inFolder = (files: readonly HubFile[], folder: string) =>
  files.filter((file) => folderOf(file) === folder);

const listed = (files: readonly { path: string; size: number }[]) => {
  const shown = files.slice(0, 8).map(({ path, size }) => `${path} (${sizeText(size)})`);
  return `${shown.join(', ')}${files.length > shown.length ? ` and ${files.length - shown.length} more` : ''}`;
};

/** What goes with a model's weights. */
const besideModel =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|chat_template|added_tokens)\.json$|^chat_template\.jinja$/;

/** `model.safetensors`, its shards `model-00001-of-00004.safetensors` and their index. */
const modelWeights = /^model(-\d+-of-\d+)?\.safetensors$|^model\.safetensors\.index\.json$/;

function modelFiles(at: HubReference, files: readonly HubFile[]): HubFile[] {
  const own = inFolder(files, at.path);
  const beside = own.filter((file) => besideModel.test(nameOf(file)));
  const weights = own.filter((file) => modelWeights.test(nameOf(file)));
  if (weights.some(ending('.safetensors'))) return [...beside, ...weights];
  const ggufs = own.filter(ending('.gguf'));
  if (ggufs.length === 1) return [...beside, ...ggufs];
  if (ggufs.length > 1)
    throw new InputError(
      `${at.given}: has ${ggufs.length} GGUF files: name one, such as ${at.given}/${nameOf(ggufs[0]!)}: ${listed(ggufs)}`,
    );
  const old = own.find(ending('.bin'));
  throw new InputError(
    `${at.given}: expected model.safetensors, its shards, or a .gguf file${old ? `, found ${nameOf(old)}, a form that can run code and is not read` : `, found ${own.length === 0 ? 'no file there' : 'none of these'}`}`,
  );
}

function adapterFiles(at: HubReference, files: readonly HubFile[]): HubFile[] {
  const own = inFolder(files, at.path);
  const wanted = ['adapter_config.json', 'adapter_model.safetensors'];
  const found = own.filter((file) => wanted.includes(nameOf(file)));
  if (found.length === wanted.length) return found;
  throw new InputError(
    `${at.given}: expected ${wanted.join(' and ')}, found ${found.map(nameOf).join('') || 'neither'}`,
  );
}

/** A folder's name without the last step, where dictionaries keep only their weights there. */
const dictionaryFolder = (file: HubFile) => folderOf(file).replace(/(^|\/)checkpoints$/, '');

const within = (folder: string) => {
  return ({ path }: HubFile) => folder === '' || path === folder || path.startsWith(`${folder}/`);
};

function dictionaryFiles(at: HubReference, files: readonly HubFile[]): HubFile[] {
  const weights = files.filter(within(at.path)).filter(isWeights);
  const folders = [...new Set(weights.map(dictionaryFolder))];
  if (folders.length === 0)
    throw new InputError(
      `${at.given}: expected a dictionary (a .safetensors, .npz, .pt or .pth file), found none`,
    );
  if (folders.length > 1) {
    const sizes = folders.map((path) => ({
      path,
      size: weights.filter((one) => dictionaryFolder(one) === path).reduce((sum, { size }) => sum + size, 0),
    }));
    throw new InputError(
      `${at.given}: has ${folders.length} folders with dictionaries: name one as hf:ORG/NAME/FOLDER: ${listed(sizes)}`,
    );
  }
  const [folder] = folders as [string];
  const named = weights.filter((file) => file.path === at.path);
  if (weights.length > 1 && named.length === 0 && !weights.every(ending('.safetensors')))
    throw new InputError(
      `${at.given}: has ${weights.length} dictionaries in one folder: name one as hf:ORG/NAME/FILE: ${listed(weights)}`,
    );
  return [...(named.length > 0 ? named : weights), ...inFolder(files, folder).filter(ending('.json'))];
}

function rowsFile(at: HubReference, files: readonly HubFile[]): HubFile[] {
  const rows = files.filter(within(at.path)).filter(isRows);
  if (rows.length === 1) return rows;
  throw new InputError(
    rows.length === 0
      ? `${at.given}: expected a .jsonl, .json, .csv or .txt file, found none`
      : `${at.given}: has ${rows.length} files of rows: name one, such as ${at.given}/${rows[0]!.path}: ${listed(rows)}`,
  );
}

const choose = {
  model: modelFiles,
  adapter: adapterFiles,
  dictionary: dictionaryFiles,
  file: rowsFile,
} satisfies Record<HubUse, unknown>;

/** What a repository, or a folder of it, seems to be. */
export function usedAs(at: HubReference, files: readonly HubFile[]): HubUse {
  if (at.type === 'dataset') return 'file';
  const own = files.filter((file) => folderOf(file) === at.path || file.path === at.path);
  if (own.some((file) => nameOf(file) === 'adapter_config.json')) return 'adapter';
  if (own.some((file) => modelWeights.test(nameOf(file)) || file.path.endsWith('.gguf'))) return 'model';
  return 'dictionary';
}

/**
 * The files that are needed of `at`. A file that is named is taken with the small ones that say what it is.
 * Throws InputError where there is nothing of that use, or more than one.
 */
export function neededFiles(at: HubReference, use: HubUse, files: readonly HubFile[]): HubFile[] {
  const named = files.find(({ path }) => path === at.path);
  if (named && use === 'model') {
    const folder = folderOf(named);
    return [named, ...inFolder(files, folder).filter((file) => besideModel.test(nameOf(file)))];
  }
  if (named && use === 'file') return [named];
  if (!named && !files.some(within(at.path)))
    throw new InputError(`${at.given}: the repository has no ${at.path}`);
  return choose[use](at, files);
}
