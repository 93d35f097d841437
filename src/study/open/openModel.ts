/**
 * From a path to a model that can run: a folder as Hugging Face publishes it, a folder with one GGUF file,
 * or a GGUF file alone; with or without a PEFT adapter. Quantised weights are dequantised once, into the
 * cache.
 */
import { readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { defaultCacheDir, dequantiseOnce } from '../../files/dequantised.ts';
import { checkFinite } from '../../files/finite.ts';
import { type GgufFile, readGguf } from '../../files/gguf.ts';
import { localPath } from '../../files/hub/cache.ts';
import { isThere, statIfThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { openSafetensors } from '../../files/safetensors.ts';
import { readTokenizerFolder, type TextCodec, tokenizerOfGguf } from '../../files/textCodec.ts';
import type { Model } from '../../models/decoder.ts';
import { decoderOf, familyOf, familyOfGguf, readDecoder } from '../../models/families.ts';
import type { Family, GgufFamily } from '../../models/family.ts';
import { withLora } from '../../models/lora.ts';
import { logitsGraph } from '../../models/passes.ts';
import { checkAllRead, checkNotQuantised } from '../../models/weightsRead.ts';
import type { StoredTensor } from '../../tensor.ts';
import { type Progress, type ProgressStage, silent } from './progress.ts';

export interface OpenModel {
  readonly model: Model;
  readonly codec: TextCodec;
  /** what the model was read from, for hashes: the folder, or the GGUF file alone */
  readonly source: string;
  /** files of the cache that its weights lie in */
  readonly cached: readonly string[];
}

export interface OpenModelOptions {
  /** the date for chat templates that print it; one that does fails without */
  readonly now?: Date | undefined;
  /** a folder with adapter_config.json and adapter_model.safetensors */
  readonly adapter?: string | undefined;
  /** where dequantised weights are kept; default $CULPRIT_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
  readonly progress?: Progress | undefined;
}

/** ONNX Runtime maps files by their real paths. */
async function real(tensors: ReadonlyMap<string, StoredTensor>): Promise<Map<string, StoredTensor>> {
  const paths = new Map<string, string>();
  for (const { file } of tensors.values()) if (!paths.has(file)) paths.set(file, await realpath(file));
  return new Map([...tensors].map(([name, t]) => [name, { ...t, file: paths.get(t.file)! }]));
}

const dated = ({ now }: OpenModelOptions) => (now === undefined ? {} : { now });

interface Found {
  readonly gguf?: string;
  readonly folder?: string;
}

/** What a model path names. */
async function locate(path: string): Promise<Found> {
  const found = await statIfThere(path);
  if (found === undefined) throw new InputError(`model ${path}: no such file or folder`);
  if (path.endsWith('.safetensors') && !found.isDirectory())
    throw new InputError(`model ${path}: expected a folder or a .gguf file: name the folder of this file`);
  if (!found.isDirectory()) return { gguf: path };
  if (
    (await isThere(join(path, 'model.safetensors'))) ||
    (await isThere(join(path, 'model.safetensors.index.json')))
  )
    return { folder: path };
  const ggufs = (await readdir(path)).filter((name) => name.endsWith('.gguf'));
  if (ggufs.length !== 1)
    throw new InputError(
      `model ${path}: expected model.safetensors, model.safetensors.index.json or one .gguf file, found ${
        ggufs.length ? `${ggufs.length} .gguf files (name one of them)` : 'none of these'
      }`,
    );
  return { gguf: join(path, ggufs[0]!), folder: path };
}

/** A model, and its weights as they lie in files. */
interface Opened extends OpenModel {
  readonly stored: ReadonlyMap<string, StoredTensor>;
}

/** Tensors under the names that the decoder reads, without those of other parts of the model. */
function published<T>(tensors: ReadonlyMap<string, T>, { publishedName }: Family): Map<string, T> {
  const named = [...tensors].map(([name, tensor]) => [publishedName ? publishedName(name) : name, tensor]);
  return new Map(named.filter((entry): entry is [string, T] => entry[0] !== undefined));
}

async function fromFolder(folder: string, options: OpenModelOptions): Promise<Opened> {
  const where = join(folder, 'config.json');
  const config = await readJson(where);
  const decoder = decoderOf(config, where);
  const weights = published(await real(await openSafetensors(folder)), familyOf(config, where).family);
  checkNotQuantised({ weights, where: folder });
  const model = { decoder, weights, updates: new Map(), where: folder };
  const codec = await readTokenizerFolder(folder, dated(options));
  return { model, stored: weights, codec, source: folder, cached: [] };
}

/** Throws InputError where a config.json says other arithmetic than the GGUF file that it lies beside. */
function checkAgreement(
  family: GgufFamily,
  config: unknown,
  own: unknown,
  beside: string,
  path: string,
): void {
  const difference = family.gguf.difference?.(config, own);
  if (difference)
    throw new InputError(
      `${beside}: ${difference.field}: expected ${JSON.stringify(difference.own)}, as ${path} says, found ${JSON.stringify(difference.given)}`,
    );
}

/** The dequantised weights under their published names. */
async function ggufWeights(
  gguf: GgufFile,
  family: GgufFamily,
  config: unknown,
  options: OpenModelOptions,
): Promise<Map<string, StoredTensor>> {
  const plan = [...gguf.tensors.keys()].map((source) => {
    const renamed = family.gguf.rename(source, config);
    if (!renamed)
      throw new InputError(`${gguf.path}: tensor ${source}: not part of a ${family.modelType} model`);
    return { source, ...renamed };
  });
  const { progress = silent, cacheDir = defaultCacheDir() } = options;
  let stage: ProgressStage | undefined;
  let told = 0;
  const onProgress = (done: number, total: number) => {
    stage ??= progress.stage(`Dequantising ${basename(gguf.path)}, MB`, Math.ceil(total / 2 ** 20));
    const now = Math[done === total ? 'ceil' : 'floor'](done / 2 ** 20);
    stage.advance(now - told);
    told = now;
  };
  const onWait = () =>
    progress.note(`Another process is dequantising ${basename(gguf.path)}: waiting for it`);
  try {
    return real(await openSafetensors(await dequantiseOnce({ gguf, plan, cacheDir, onProgress, onWait })));
  } finally {
    stage?.end();
  }
}

async function fromGguf(
  path: string,
  folder: string | undefined,
  options: OpenModelOptions,
): Promise<Opened> {
  const gguf = await readGguf(path);
  const family = familyOfGguf(gguf.metadata, path);
  const own = family.gguf.config(gguf.metadata, gguf.tensors, path);
  const beside =
    folder && (await isThere(join(folder, 'config.json'))) ? join(folder, 'config.json') : undefined;
  const given = beside ? await readJson(beside) : own;
  const ownDecoder = readDecoder(family, own, path);
  const decoder = beside ? decoderOf(given, beside) : ownDecoder;
  const config = beside ? familyOf(given, beside).config : own;
  if (beside) checkAgreement(family, config, own, beside, path);
  const weights = await ggufWeights(gguf, family, config, options);
  const codec =
    folder && (await isThere(join(folder, 'tokenizer.json')))
      ? await readTokenizerFolder(folder, dated(options))
      : tokenizerOfGguf(gguf.metadata, path, dated(options));
  const model = { decoder, weights, updates: new Map(), where: path };
  const cached = [...new Set([...weights.values()].map(({ file }) => file))];
  return { model, stored: weights, codec, source: folder ?? path, cached };
}

async function withAdapter(model: Model, folder: string): Promise<Model> {
  const config = join(folder, 'adapter_config.json');
  if (!(await isThere(config)))
    throw new InputError(`adapter ${folder}: expected a folder with adapter_config.json`);
  const file = join(folder, 'adapter_model.safetensors');
  const tensors = await real(await openSafetensors(file));
  const adapted = withLora(model, await readJson(config), tensors, folder);
  await checkFinite(tensors, `adapter ${folder}`);
  return adapted;
}

/**
 * Opens a model, from a path or the cache of the hub. Throws InputError, naming path and reason, where anything is
 * missing, damaged or not supported.
 */
export async function openModel(given: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const path = await localPath(given);
  const { gguf, folder } = await locate(path);
  const found = gguf ? await fromGguf(gguf, folder, options) : await fromFolder(folder!, options);
  const { stored, ...opened } = found;
  const { codec } = opened;
  const { adapter, progress = silent } = options;
  for (const note of codec.notes) progress.note(note);
  const model =
    adapter === undefined ? opened.model : await withAdapter(opened.model, await localPath(adapter));
  if (codec.tokenizer.vocabSize > model.decoder.vocabulary)
    throw new InputError(
      `model ${path}: the tokenizer has ${codec.tokenizer.vocabSize} tokens, the model an embedding for ${model.decoder.vocabulary}`,
    );
  // Holds every weight against its expected shape, before any work is done.
  checkAllRead(opened.model, logitsGraph(opened.model));
  logitsGraph(model);
  await checkFinite(stored, `model ${path}`);
  return { ...opened, model };
}
