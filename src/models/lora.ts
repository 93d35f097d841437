/**
 * PEFT LoRA adapters as low-rank updates of a model's modules: y += scale (x Aᵀ) Bᵀ, scale = alpha / r, or
 * alpha / √r for rslora. Field names and matching rules as in peft's LoraConfig. The base weights are
 * neither changed nor copied.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { nodesOf, topological } from '../graph/node.ts';
import type { StoredTensor, Tensor } from '../tensor.ts';
import type { LowRank, Model } from './decoder.ts';
import { logitsGraph } from './passes.ts';

type Weight = Tensor | StoredTensor;
type Weights = ReadonlyMap<string, Weight>;

const config = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.number().int().positive(),
  lora_alpha: z.number(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  bias: z.literal('none').nullish(),
  init_lora_weights: z.union([z.boolean(), z.enum(['gaussian', 'orthogonal', 'eva'])]).nullish(),
});
type Config = z.infer<typeof config>;

/** Fields that do not change what the trained adapter computes. Any other field must be empty. */
const harmless = new Set([
  ...Object.keys(config.shape),
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'ensure_weight_tying',
  'eva_config',
  'exclude_modules',
  'inference_mode',
  'layers_pattern',
  'layers_to_transform',
  'lora_dropout',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'task_type',
]);

function isEmpty(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

function parse(given: unknown, where: string): Config {
  const parsed = config.safeParse(given);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new InputError(`${where}: ${path.join('.') || 'adapter_config'}: ${message}`);
  }
  for (const [field, value] of Object.entries(parsed.data))
    if (!harmless.has(field) && !isEmpty(value))
      throw new InputError(`${where}: ${field}: not supported, found ${JSON.stringify(value)}`);
  return parsed.data;
}

/** Whether a pattern of the config, wrapped as peft wraps it, matches a module's name. */
function matches(field: string, pattern: string, wrapped: string, module: string, where: string): boolean {
  try {
    return new RegExp(wrapped).test(module);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${where}: ${field}: ${JSON.stringify(pattern)} is not a regular expression`);
  }
}

/**
 * peft's rule: a list entry matches a module's full name or its dotted suffix; a single string is a pattern
 * over the whole name.
 */
function isTarget(module: string, targets: Config['target_modules'], where: string): boolean {
  if (targets === 'all-linear' || targets === null || targets === undefined) return true;
  if (typeof targets === 'string')
    return matches('target_modules', targets, `^(?:${targets})$`, module, where);
  return targets.some((t) => module === t || module.endsWith(`.${t}`));
}

/** The value of the first pattern that matches a module's name or dotted suffix, else the default. */
function patterned(
  module: string,
  field: 'rank_pattern' | 'alpha_pattern',
  c: Config,
  fallback: number,
  where: string,
): number {
  const found = Object.entries(c[field] ?? {}).find(([key]) =>
    matches(field, key, `^(?:.*\\.)?(?:${key})$`, module, where),
  );
  return found ? found[1] : fallback;
}

interface Parts {
  a?: string;
  b?: string;
}

const lowRankName = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight$/;
const savedName = /^base_model\.model\.(.+?)(?:\.modules_to_save\.default)?\.(weight|bias)$/;

/** Sorts an adapter's tensors into pairs of factors by module, and whole replacements by weight name. */
function sortTensors(tensors: Weights, saved: readonly string[], where: string) {
  const factors = new Map<string, Parts>();
  const replaced = new Map<string, string>();
  for (const name of tensors.keys()) {
    const [, module, side] = lowRankName.exec(name) ?? [];
    const [, whole, kind] = savedName.exec(name) ?? [];
    if (module) factors.set(module, { ...factors.get(module), [side === 'A' ? 'a' : 'b']: name });
    else if (whole && saved.some((s) => whole === s || whole.endsWith(`.${s}`)))
      replaced.set(`${whole}.${kind}`, name);
    else throw new InputError(`${where}: tensor ${name}: not part of a LoRA adapter that is supported here`);
  }
  return { factors, replaced };
}

function update(
  module: string,
  parts: Parts,
  tensors: Weights,
  model: Model,
  c: Config,
  where: string,
): LowRank {
  const base = model.weights.get(`${module}.weight`);
  if (!base)
    throw new InputError(
      `${where}: adapts ${module}, which ${model.where} does not have: an adapter for another model?`,
    );
  if (!isTarget(module, c.target_modules, where))
    throw new InputError(`${where}: holds tensors for ${module}, which target_modules does not name`);
  if (!parts.a || !parts.b)
    throw new InputError(`${where}: ${module}: lora_${parts.a ? 'B' : 'A'} is missing`);
  const r = patterned(module, 'rank_pattern', c, c.r, where);
  const [outputs, inputs] = base.shape;
  const expect = (name: string, shape: readonly unknown[]) => {
    const found = tensors.get(name)!.shape;
    if (found.join() !== shape.join())
      throw new InputError(`${where}: ${name}: expected [${shape}] to fit ${model.where}, found [${found}]`);
  };
  expect(parts.a, [r, inputs]);
  expect(parts.b, [outputs, r]);
  const alpha = patterned(module, 'alpha_pattern', c, c.lora_alpha, where);
  return { a: parts.a, b: parts.b, rank: r, scale: alpha / (c.use_rslora ? Math.sqrt(r) : r) };
}

/**
 * Every module that the config names must be held by the file: one that is not means another model or a
 * typing error.
 */
function checkHeld(
  field: 'target_modules' | 'modules_to_save',
  named: Config['target_modules'],
  held: readonly string[],
  where: string,
): void {
  if (!Array.isArray(named)) return;
  for (const name of named)
    if (!held.some((module) => isTarget(module, [name], where)))
      throw new InputError(`${where}: ${field} names ${name}, but the adapter holds no tensors for it`);
}

const moduleOf = (weight: string) => weight.slice(0, weight.lastIndexOf('.'));

/** A whole weight of modules_to_save, which must stand in for one of the model's. */
function replacement(name: string, saved: Weight, model: Model, where: string): Weight {
  const base = model.weights.get(name);
  if (!base) throw new InputError(`${where}: replaces ${name}, which ${model.where} does not have`);
  if (base.shape.join() !== saved.shape.join())
    throw new InputError(
      `${where}: replaces ${name}: expected [${base.shape}] to fit ${model.where}, found [${saved.shape}]`,
    );
  return saved;
}

/**
 * Every change must reach the model's arithmetic, and only where peft makes it: peft adapts or replaces a
 * tied table on one of its two sides only, which one table cannot say.
 */
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
        `${where}: replaces ${name}, which ${adapted.where} reads in ${uses} places: expected 1 (tied embeddings are not supported in modules_to_save)`,
      );
  }
}

/**
 * The model with an adapter on it. `given` is the parsed adapter_config.json, `tensors` those of
 * adapter_model.safetensors. Throws InputError where a field is not supported, a tensor does not belong, or
 * the adapter was made for another model.
 */
export function withLora(model: Model, given: unknown, tensors: Weights, where: string): Model {
  const c = parse(given, where);
  const { factors, replaced } = sortTensors(tensors, c.modules_to_save ?? [], where);
  if (factors.size === 0) throw new InputError(`${where}: holds no LoRA tensors`);
  checkHeld('target_modules', c.target_modules, [...factors.keys()], where);
  checkHeld('modules_to_save', c.modules_to_save, [...replaced.keys()].map(moduleOf), where);
  const weights = new Map<string, Weight>(model.weights);
  for (const [name, from] of replaced) weights.set(name, replacement(name, tensors.get(from)!, model, where));
  const updates = new Map([...factors].map(([m, parts]) => [m, update(m, parts, tensors, model, c, where)]));
  for (const { a, b } of updates.values()) {
    weights.set(a, tensors.get(a)!);
    weights.set(b, tensors.get(b)!);
  }
  const adapted = { ...model, weights, updates };
  checkUse(adapted, replaced.keys(), where);
  return adapted;
}
