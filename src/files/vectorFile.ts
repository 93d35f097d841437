/**
 * A steering direction from a file as published: safetensors, a GGUF control vector (llama.cpp, repeng), or
 * Neuronpedia's JSON. Kept with its norm. Knows no model.
 *
 * GGUF: `direction.N` is added to the output of block N, counted from 0, so it belongs to resid_post N; N
 * begins at 1, as llama.cpp never steers block 0. Source: llama.cpp src/llama-adapter.cpp (`tensors[il]`
 * holds direction.il; "there's never a tensor for layer 0") and the model graphs, where `build_cvec(cur,
 * il)` follows the last residual addition of block il; repeng takes direction.N from `hidden_states[N +
 * 1]`, the same place.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { isFloat, type StoredTensor, toFloat32 } from '../tensor.ts';
import { quoted, readInto, shownShape, withFile } from './bytes.ts';
import { type GgufTensor, readGguf } from './gguf.ts';
import { readJson } from './jsonFile.ts';
import { readSafetensorsHeader, readTensor } from './safetensors.ts';
import { checked } from './schema.ts';
import { isObject } from './strictJson.ts';

export interface SteeringVector {
  /** [d], finite, not all zeros; as published, not normalised */
  readonly vector: Float32Array;
  /** L of the resid_post L that it belongs to; undefined where the file does not say */
  readonly layer: number | undefined;
  /** what to call it: the file's own label, else made from the file's name */
  readonly name: string;
  /** the file, for messages */
  readonly where: string;
}

const kinds = '.safetensors, .gguf (a control vector) or .json (Neuronpedia)';

/**
 * The vector of a file; `layer`: L of the resid_post L that is asked for, which chooses among a control
 * vector's directions. `file.safetensors:NAME` names one tensor of several. Throws InputError `file:
 * expected ..., found ...` for a file of another kind, damaged, without a vector, with several to choose
 * from, or with values that are not finite or all zeros.
 */
export async function readVector(given: string, layer?: number): Promise<SteeringVector> {
  const [, file, tensor] = /^(.+\.safetensors):(.+)$/i.exec(given) ?? [];
  const path = file ?? given;
  const kind = /\.(safetensors|gguf|json)$/i.exec(path)?.[1]?.toLowerCase();
  if (kind === undefined) throw new InputError(`${path}: expected a vector file: ${kinds}`);
  const found =
    kind === 'safetensors'
      ? await fromSafetensors(path, tensor)
      : await (kind === 'gguf' ? fromGguf(path, layer) : fromNeuronpedia(path));
  if (found.vector.length === 0) throw new InputError(`${path}: expected a vector, found an empty one`);
  if (!found.vector.every(Number.isFinite))
    throw new InputError(
      `${path}: expected finite values, found ${found.vector.find((x) => !Number.isFinite(x))}`,
    );
  if (found.vector.every((x) => x === 0))
    throw new InputError(`${path}: expected a direction, found zeros alone`);
  return { ...found, where: given };
}

/** Throws InputError where the vector's width is not d, the model's. */
export function checkVectorWidth({ vector, where }: SteeringVector, d: number): void {
  if (vector.length !== d)
    throw new InputError(
      `${where}: expected a vector of the model's residual width ${d}, found ${vector.length}`,
    );
}

type Found = Omit<SteeringVector, 'where'>;

/** A file's name without folder and ending. */
const stem = (path: string) => basename(path).replace(/\.[^.]+$/, '');

const shownNames = 6;
const listed = (names: readonly string[]) =>
  names.slice(0, shownNames).map(quoted).join(', ') + (names.length > shownNames ? ', ...' : '');

/** Throws InputError for any shape but [d] and [1, d]. */
function checkShape(shape: readonly number[], where: string): void {
  if (shape.length === 1 || (shape.length === 2 && shape[0] === 1)) return;
  throw new InputError(`${where}: expected one vector, found the shape ${shownShape(shape)}`);
}

async function fromSafetensors(path: string, name: string | undefined): Promise<Found> {
  const { tensors, metadata } = await readSafetensorsHeader(path);
  const stored = chosenTensor(tensors, path, name);
  const where = name === undefined ? path : `${path}: tensor ${quoted(name)}`;
  checkShape(stored.shape, where);
  if (!isFloat(stored.dtype)) throw new InputError(`${where}: expected a float type, found ${stored.dtype}`);
  return {
    vector: toFloat32(await readTensor(stored)),
    layer: layerOf(/^(resid_(?:pre|post)) (\d{1,6})$/.exec(metadata.site ?? ''), path),
    name: name === undefined ? stem(path) : `${stem(path)}:${name}`,
  };
}

function chosenTensor(
  tensors: ReadonlyMap<string, StoredTensor>,
  path: string,
  name: string | undefined,
): StoredTensor {
  const names = [...tensors.keys()];
  if (name === undefined && tensors.size === 1) return tensors.get(names[0]!)!;
  if (name === undefined)
    throw new InputError(
      tensors.size === 0
        ? `${path}: expected a tensor, found none`
        : `${path}: expected one tensor, found ${tensors.size} (${listed(names)}): name one, as ${path}:NAME`,
    );
  const stored = tensors.get(name);
  if (!stored)
    throw new InputError(`${path}: expected a tensor ${quoted(name)}, found ${listed(names) || 'none'}`);
  return stored;
}

/**
 * The layer of resid_post that a place names, as [whole, name, layer] of a match; resid_pre L is resid_post
 * L − 1. Throws InputError for the embedding, which comes before the first block.
 */
function layerOf(place: readonly string[] | null, path: string): number | undefined {
  if (!place) return undefined;
  const layer = Number(place[2]) - (/pre|in$/.test(place[1]!) ? 1 : 0);
  if (layer < 0)
    throw new InputError(
      `${path}: expected a vector at the output of a block, found ${quoted(place[0]!)}, before the first`,
    );
  return layer;
}

/** As in llama.cpp, the tensors' names decide, and nothing but directions may stand in the file. */
async function fromGguf(path: string, asked: number | undefined): Promise<Found> {
  const { tensors, metadata } = await readGguf(path);
  const directions = new Map<number, GgufTensor>();
  for (const [name, tensor] of tensors) {
    const layer = Number(/^direction\.(\d{1,6})$/.exec(name)?.[1] ?? 0);
    if (layer === 0)
      throw new InputError(
        `${path}: expected a control vector, with tensors direction.1 and on, found the tensor ${quoted(name)}${architectureIn(metadata)}`,
      );
    directions.set(layer, tensor);
  }
  const layer = chosenLayer([...directions.keys()], path, asked);
  return { vector: await readDirection(directions.get(layer)!, path, layer), layer, name: stem(path) };
}

function architectureIn(metadata: ReadonlyMap<string, unknown>): string {
  const architecture = metadata.get('general.architecture');
  return typeof architecture === 'string' && architecture !== 'controlvector'
    ? ` (general.architecture ${quoted(architecture)})`
    : '';
}

function chosenLayer(layers: readonly number[], path: string, asked: number | undefined): number {
  if (layers.length === 0) throw new InputError(`${path}: expected tensors direction.N, found none`);
  const layer = asked ?? layers[0]!;
  const [least, most] = [Math.min(...layers), Math.max(...layers)];
  const span = least === most ? `layer ${least}` : `${layers.length} layers from ${least} to ${most}`;
  if (asked === undefined && layers.length > 1)
    throw new InputError(`${path}: expected one direction, found ${span}: choose one with --site`);
  if (!layers.includes(layer))
    throw new InputError(`${path}: expected direction.${layer}, for resid_post ${layer}, found ${span}`);
  return layer;
}

async function readDirection(tensor: GgufTensor, path: string, layer: number): Promise<Float32Array> {
  const where = `${path}: tensor "direction.${layer}"`;
  if (tensor.type !== 'F32') throw new InputError(`${where}: expected type F32, found ${tensor.type}`);
  checkShape(tensor.shape, where);
  const vector = new Float32Array(tensor.shape.at(-1)!);
  await withFile(path, (file) => readInto(file, vector, tensor.offset));
  return vector;
}

const numbers = z.array(z.number());

/**
 * What is read of a feature (`/api/feature/MODEL/SOURCE/INDEX`), of an upload (`/api/vector/new`) and of
 * its answer.
 */
const neuronpediaSchema = z.object({
  modelId: z.string().nullish(),
  layer: z.string().nullish(),
  index: z.union([z.string(), z.number()]).nullish(),
  vector: numbers.nullish(),
  values: numbers.nullish(),
  hookName: z.string().nullish(),
  hookType: z.string().nullish(),
  layerNumber: z.int().min(0).nullish(),
  vectorLabel: z.string().nullish(),
  label: z.string().nullish(),
});
type Neuronpedia = z.output<typeof neuronpediaSchema>;

async function fromNeuronpedia(path: string): Promise<Found> {
  const json = await readJson(path);
  // The answer to an upload holds the vector's record under `vector`.
  const record = isObject(json) && isObject(json.vector) ? json.vector : json;
  const found = checked(neuronpediaSchema, record, path);
  const values = found.vector ?? found.values;
  if (!values) throw new InputError(`${path}: expected Neuronpedia's JSON with a vector, found none`);
  if (values.length === 0)
    throw new InputError(
      `${path}: vector: expected numbers, found none: the direction of an SAE's latent stands in the SAE: give --sae and --latent ${/^\d{1,9}$/.test(`${found.index}`) ? found.index : 'N'}`,
    );
  const id = [found.modelId, found.layer, found.index].filter((part) => part != null).join('/');
  return {
    vector: Float32Array.from(values),
    layer: neuronpediaLayer(found, path),
    name: found.vectorLabel || found.label || id || stem(path),
  };
}

/**
 * From hookName (`blocks.20.hook_resid_pre`), layerNumber with hookType, or a source such as
 * `20-neuronpedia-resid-pre`. The number of any other source tells no site: `6-res-jb` of gpt2-small reads
 * resid_pre, `20-gemmascope-res-16k` resid_post.
 */
function neuronpediaLayer({ hookName, layerNumber, hookType, layer }: Neuronpedia, path: string) {
  const [, number, hook] =
    /^blocks\.(\d{1,6})\.(?:hook_)?(resid[_-](?:pre|post)|in|out)$/.exec(hookName ?? '') ?? [];
  if (number !== undefined) return layerOf([hookName!, hook!, number], path);
  const type = /^(?:hook_)?(resid[_-](?:pre|post))$/.exec(hookType ?? '')?.[1];
  if (type !== undefined && layerNumber != null)
    return layerOf([`${hookType} ${layerNumber}`, type, `${layerNumber}`], path);
  const [source, first, kind] = /^(\d{1,6})-.*\b(resid-(?:pre|post))$/.exec(layer ?? '') ?? [];
  return layerOf(source === undefined ? null : [source, kind!, first!], path);
}
