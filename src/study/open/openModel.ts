/**
 * From a path to a model that can run: a folder as Hugging Face publishes it, a folder with one GGUF file,
 * or a GGUF file alone; with or without a PEFT adapter. Quantised weights are dequantised once, into the
 * cache.
 */
import { readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { defaultCacheDir, dequantiseOnce } from '../../files/dequantised.ts';
import { type GgufFile, readGguf } from '../../files/gguf.ts';
import { isThere, statIfThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { openSafetensors } from '../../files/safetensors.ts';
import { readTokenizerFolder, type TextCodec, tokenizerOfGguf } from '../../files/textCodec.ts';
import type { Model } from '../../models/decoder.ts';
import { decoderOf, familyOfGguf, readDecoder } from '../../models/families.ts';
import { withLora } from '../../models/lora.ts';
import { logitsGraph } from '../../models/passes.ts';
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

async function fromFolder(folder: string, options: OpenModelOptions): Promise<OpenModel> {
  const decoder = decoderOf(await readJson(join(folder, 'config.json')), join(folder, 'config.json'));
  const weights = await real(await openSafetensors(folder));
  const model = { decoder, weights, updates: new Map(), where: folder };
  return { model, codec: await readTokenizerFolder(folder, dated(options)), source: folder, cached: [] };
}

/** The dequantised weights under their published names. */
async function ggufWeights(
  gguf: GgufFile,
  config: unknown,
  options: OpenModelOptions,
): Promise<Map<string, StoredTensor>> {
  const family = familyOfGguf(gguf.metadata.get('general.architecture'), gguf.path);
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
): Promise<OpenModel> {
  const gguf = await readGguf(path);
  const family = familyOfGguf(gguf.metadata.get('general.architecture'), path);
  const beside =
    folder && (await isThere(join(folder, 'config.json'))) ? join(folder, 'config.json') : undefined;
  const config = beside ? await readJson(beside) : family.gguf.config(gguf.metadata, gguf.tensors, path);
  const decoder = beside ? decoderOf(config, beside) : readDecoder(family, config, path);
  const weights = await ggufWeights(gguf, config, options);
  const codec =
    folder && (await isThere(join(folder, 'tokenizer.json')))
      ? await readTokenizerFolder(folder, dated(options))
      : tokenizerOfGguf(gguf.metadata, path, dated(options));
  return {
    model: { decoder, weights, updates: new Map(), where: path },
    codec,
    source: folder ?? path,
    cached: [...new Set([...weights.values()].map(({ file }) => file))],
  };
}

async function withAdapter(model: Model, folder: string): Promise<Model> {
  const config = join(folder, 'adapter_config.json');
  if (!(await isThere(config)))
    throw new InputError(`adapter ${folder}: expected a folder with adapter_config.json`);
  const file = join(folder, 'adapter_model.safetensors');
  return withLora(model, await readJson(config), await real(await openSafetensors(file)), folder);
}

/**
 * Opens a model. Throws InputError, naming path and reason, where anything is missing, damaged or not
 * supported.
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { gguf, folder } = await locate(path);
  const opened = gguf ? await fromGguf(gguf, folder, options) : await fromFolder(folder!, options);
  const { codec } = opened;
  const { adapter } = options;
  const model = adapter === undefined ? opened.model : await withAdapter(opened.model, adapter);
  if (codec.tokenizer.vocabSize > model.decoder.vocabulary)
    throw new InputError(
      `model ${path}: the tokenizer has ${codec.tokenizer.vocabSize} tokens, the model an embedding for ${model.decoder.vocabulary}`,
    );
  // Holds every weight against its expected shape, before any work is done.
  logitsGraph(model);
  return { ...opened, model };
}
