/**
 * PEFT LoRA adapters as low-rank updates of a model's modules: y += scale (x Aᵀ) Bᵀ, scale = alpha / r, or
 * alpha / √r for rslora. Field names and matching rules as in peft's LoraConfig. The base weights are
 * neither changed nor copied.
 */
import { InputError } from '../errors.ts';
import { nodesOf, topological } from '../graph/node.ts';
import type { StoredTensor, Tensor } from '../tensor.ts';
import type { LowRank, Model } from './decoder.ts';
import { shownName } from './keys.ts';
import { type LoraConfig, type LoraTargets, loraTargets, readLoraConfig } from './loraConfig.ts';
import { logitsGraph } from './passes.ts';

type Weight = Tensor | StoredTensor;
type Weights = ReadonlyMap<string, Weight>;

interface Parts {
  a?: string;
  b?: string;
}

const lowRankName = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight$/;
const savedName = /^base_model\.model\.(.+)\.(weight|bias)$/;

/** Whether `modules_to_save` stands for a module or one around it: as peft, by the end of its name. */
function isSaved(module: string, saved: readonly string[]): boolean {
  const isEnd = (end: number) => saved.some((name) => module.endsWith(name, end));
  for (let end = module.indexOf('.'); end >= 0; end = module.indexOf('.', end + 1))
    if (isEnd(end)) return true;
  return isEnd(module.length);
}

/** Sorts an adapter's tensors into pairs of factors by module, and whole replacements by weight name. */
function sortTensors(tensors: Weights, c: LoraConfig, where: string) {
  const factors = new Map<string, Parts>();
  const replaced = new Map<string, string>();
  const biases = c.bias === 'all' || c.bias === 'lora_only';
  for (const name of tensors.keys()) {
    const [, module, side] = lowRankName.exec(name) ?? [];
    const plain = name.replace('.modules_to_save.default.', '.').replace('.base_layer.bias', '.bias');
    const [, whole, kind] = savedName.exec(plain) ?? [];
    if (module) factors.set(module, { ...factors.get(module), [side === 'A' ? 'a' : 'b']: name });
    else if (whole && (isSaved(whole, c.modules_to_save ?? []) || (biases && kind === 'bias')))
      replaced.set(`${whole}.${kind}`, name);
    else
      throw new InputError(
        `${where}: tensor ${shownName(name)}: not part of a LoRA adapter that is supported here`,
      );
  }
  return { factors, replaced };
}

function update(
  module: string,
  parts: Parts,
  tensors: Weights,
  model: Model,
  targets: LoraTargets,
  c: LoraConfig,
  where: string,
): LowRank {
  const base = model.weights.get(`${module}.weight`);
  if (!base)
    throw new InputError(
      `${where}: adapts ${shownName(module)}, which ${model.where} does not have: an adapter for another model?`,
    );
  const refusal = targets.refusal(module);
  if (refusal !== undefined)
    throw new InputError(`${where}: holds tensors for ${module}, which ${refusal}: peft would not use them`);
  if (!parts.a || !parts.b)
    throw new InputError(`${where}: ${module}: lora_${parts.a ? 'B' : 'A'} is missing`);
  const r = targets.rank(module);
  const [outputs, inputs] = model.decoder.transposed?.(module) ? base.shape.toReversed() : base.shape;
  const expect = (name: string, shape: readonly unknown[]) => {
    const found = tensors.get(name)!.shape;
    if (found.join() !== shape.join())
      throw new InputError(`${where}: ${name}: expected [${shape}] to fit ${model.where}, found [${found}]`);
  };
  expect(parts.a, [r, inputs]);
  expect(parts.b, [outputs, r]);
  return {
    a: parts.a,
    b: parts.b,
    rank: r,
    scale: targets.alpha(module) / (c.use_rslora ? Math.sqrt(r) : r),
  };
}

/**
 * A target of the model that the file has no tensors for: peft leaves it as it was made, which changes nothing
 * unless both factors were drawn.
 */
function checkLeftOut(
  targets: LoraTargets,
  linear: readonly string[],
  held: ReadonlyMap<string, Parts>,
  c: LoraConfig,
  where: string,
): void {
  const isDrawn = c.init_lora_weights === false || c.init_lora_weights === 'orthogonal';
  const missing = linear.find((module) => !held.has(module) && targets.refusal(module) === undefined);
  if (isDrawn && missing !== undefined)
    throw new InputError(
      `${where}: holds no tensors for ${missing}, which target_modules names: with init_lora_weights ${JSON.stringify(c.init_lora_weights)} peft would draw them`,
    );
}

/** Every module of the model that `modules_to_save` names must be held by the file. */
function checkSaved(c: LoraConfig, replaced: Iterable<string>, { weights }: Model, where: string): void {
  const held = [...replaced];
  for (const name of c.modules_to_save ?? [])
    if (
      !held.some((weight) => isSaved(moduleOf(weight), [name])) &&
      [...weights.keys()].some((weight) => isSaved(moduleOf(weight), [name]))
    )
      throw new InputError(
        `${where}: modules_to_save names ${name}, but the adapter holds no tensors for it`,
      );
}

const moduleOf = (weight: string) => weight.slice(0, weight.lastIndexOf('.'));

/** A whole weight of modules_to_save, which must stand in for one of the model's. */
function replacement(name: string, saved: Weight, { weights, where: base }: Model, where: string): Weight {
  const replaced = weights.get(name);
  if (!replaced) throw new InputError(`${where}: replaces ${name}, which ${base} does not have`);
  if (replaced.shape.join() !== saved.shape.join())
    throw new InputError(
      `${where}: replaces ${name}: expected [${replaced.shape}] to fit ${base}, found [${saved.shape}]`,
    );
  return saved;
}

/**
 * The model with a table of its own on either side where it has one for both and the adapter replaces it: peft
 * replaces it on one side only.
 */
function untied(model: Model, replaced: ReadonlyMap<string, string>, c: LoraConfig, where: string): Model {
  const { tied } = model.decoder;
  const name = tied?.find((one) => replaced.has(one));
  if (!tied || name === undefined) return model;
  if (c.ensure_weight_tying)
    throw new InputError(`${where}: ensure_weight_tying: not supported with ${name} in modules_to_save`);
  const [a, b] = tied.map((one) => model.weights.get(one));
  const both = [a ?? b, b ?? a].flatMap((table, i) => (table ? [[tied[i]!, table] as const] : []));
  return { ...model, weights: new Map([...model.weights, ...both]) };
}

/** Every change must reach the model's arithmetic, and only where peft makes it. */
function checkUse(adapted: Model, replaced: Iterable<string>, where: string): void {
  const graph = logitsGraph(adapted);
  const read = new Map(nodesOf(graph, 'param').map((node) => [node.attributes.name, node]));
  const nodes = topological(Object.values(graph.outputs));
  for (const [module, { a }] of adapted.updates)
    if (!read.has(a))
      throw new InputError(`${where}: adapts ${module}: not supported for a module of this kind`);
  for (const name of replaced) {
    const uses = nodes.filter(({ inputs }) => inputs.some((input) => input === read.get(name))).length;
    if (uses !== 1)
      throw new InputError(
        `${where}: replaces ${name}, which ${adapted.where} reads in ${uses} places: expected 1`,
      );
  }
}

/**
 * The model with an adapter on it. `given` is the parsed adapter_config.json, `tensors` those of
 * adapter_model.safetensors. Throws InputError where a field is not supported, a tensor does not belong, or
 * the adapter was made for another model.
 */
export function withLora(base: Model, given: unknown, tensors: Weights, where: string): Model {
  const c = readLoraConfig(given, where);
  const { factors, replaced } = sortTensors(tensors, c, where);
  if (factors.size === 0) throw new InputError(`${where}: holds no LoRA tensors`);
  const linear = [...base.weights].flatMap(([name, { shape }]) =>
    shape.length === 2 && name.endsWith('.weight') ? [moduleOf(name)] : [],
  );
  const targets = loraTargets(c, [...new Set([...linear, ...factors.keys()])], where);
  checkLeftOut(targets, linear, factors, c, where);
  checkSaved(c, replaced.keys(), base, where);
  const model = untied(base, replaced, c, where);
  const weights = new Map<string, Weight>(model.weights);
  for (const [name, from] of replaced) weights.set(name, replacement(name, tensors.get(from)!, model, where));
  const updates = new Map(
    [...factors].map(([m, parts]) => [m, update(m, parts, tensors, model, targets, c, where)]),
  );
  for (const { a, b } of updates.values()) {
    weights.set(a, tensors.get(a)!);
    weights.set(b, tensors.get(b)!);
  }
  const adapted = { ...model, weights, updates };
  checkUse(adapted, replaced.keys(), where);
  return adapted;
}
