/**
 * The adapter_config.json of a PEFT LoRA adapter: fields, and which modules it is for. Names and rules as in
 * peft 0.21's LoraConfig and `check_target_module_exists`; patterns are Python's.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { shownValue } from './keys.ts';
import {
  fromPython,
  fullMatch,
  matchNames,
  PatternAt,
  PatternError,
  type RegExpText,
} from './pythonPatterns.ts';

const names = z.array(z.string());

const config = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.number().int().positive(),
  lora_alpha: z.number(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  target_modules: z.union([z.string(), names]).nullish(),
  exclude_modules: z.union([z.string(), names]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  layers_pattern: z.union([z.string(), names]).nullish(),
  modules_to_save: names.nullish(),
  bias: z.enum(['none', 'all', 'lora_only']).nullish(),
  ensure_weight_tying: z.boolean().nullish(),
  init_lora_weights: z.union([z.boolean(), z.enum(['gaussian', 'orthogonal', 'eva'])]).nullish(),
});
export type LoraConfig = z.infer<typeof config>;

/** Fields that do not change what the trained adapter computes. Any other field must be empty. */
const harmless = new Set([
  ...Object.keys(config.shape),
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'eva_config',
  // peft itself takes it back for linear modules
  'fan_in_fan_out',
  'inference_mode',
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

/** Throws InputError where a field is not valid, or changes the arithmetic in a way that is not applied. */
export function readLoraConfig(given: unknown, where: string): LoraConfig {
  const parsed = config.safeParse(given);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new InputError(`${where}: ${path.join('.') || 'adapter_config'}: ${message}`);
  }
  for (const [field, value] of Object.entries(parsed.data))
    if (!harmless.has(field) && !isEmpty(value))
      throw new InputError(`${where}: ${field}: not supported, found ${shownValue(value)}`);
  return parsed.data;
}

/** What a config says of each of the modules that it was asked about. */
export interface LoraTargets {
  /** why peft does not adapt a module; undefined for one that it does */
  refusal(module: string): string | undefined;
  /** r */
  rank(module: string): number;
  alpha(module: string): number;
}

type Match = (module: string) => boolean;

/** Patterns of a config, matched against all modules at once when the last has been added. */
class Patterns {
  private readonly places: { readonly field: string; readonly pattern: string }[] = [];
  private readonly texts: RegExpText[] = [];
  private found: readonly ReadonlySet<string>[] = [];
  private readonly where: string;

  constructor(where: string) {
    this.where = where;
  }

  add(field: string, pattern: string, read: (pattern: string) => RegExpText): Match {
    try {
      this.texts.push(read(pattern));
    } catch (error) {
      throw this.explained(error, { field, pattern });
    }
    const index = this.places.push({ field, pattern }) - 1;
    return (module) => this.found[index]!.has(module);
  }

  match(modules: readonly string[]): void {
    try {
      const rows = matchNames(this.texts, modules);
      this.found = rows.map((row) => new Set(modules.filter((_, i) => row[i])));
    } catch (error) {
      throw error instanceof PatternAt ? this.explained(error, this.places[error.index]!) : error;
    }
  }

  private explained(error: unknown, { field, pattern }: { field: string; pattern: string }): unknown {
    if (!(error instanceof PatternError)) return error;
    return new InputError(
      `${this.where}: ${field}: expected a regular expression, found ${shownValue(pattern)}: ${error.message}`,
    );
  }
}

/** A list entry stands for a module's full name or its dotted suffix. */
const listed = (entries: readonly string[]): Match => {
  const whole = new Set(entries);
  return (module) => whole.has(module) || entries.some((entry) => module.endsWith(`.${entry}`));
};

/** The modules of `target_modules` or `exclude_modules`; a text is a pattern of the whole name. */
function named(field: string, given: string | readonly string[], patterns: Patterns): Match {
  return typeof given === 'string' ? patterns.add(field, given, fullMatch) : listed(given);
}

/** Whether a module lies in one of the layers of `layers_to_transform`, which counts beside lists only. */
function inLayers(c: LoraConfig, patterns: Patterns): Match {
  const layers = [c.layers_to_transform ?? []].flat();
  if (layers.length === 0 || typeof c.target_modules === 'string') return () => true;
  const containers = [c.layers_pattern ?? []].flat().filter((pattern) => pattern !== '');
  const numbers = layers.map(String);
  if (containers.length === 0)
    return (module) => numbers.includes(/\.[^.]*\.(\d+)\./.exec(module)?.[1] ?? '');
  const found = numbers.flatMap((number) =>
    containers.map((container) =>
      patterns.add('layers_pattern', container, (pattern) => ({
        source: `^(?:|.*?\\.)(?:${fromPython(pattern)})\\.${number}\\.`,
      })),
    ),
  );
  return (module) => found.some((one) => one(module));
}

/** The value of the first pattern that matches a module's name or dotted suffix, else the default. */
function patterned(
  c: LoraConfig,
  field: 'rank_pattern' | 'alpha_pattern',
  fallback: number,
  patterns: Patterns,
): (module: string) => number {
  const entries = Object.entries(c[field] ?? {}).map(([key, value]) => {
    const read = (pattern: string) => ({ source: `^(?:.*\\.)?(?:${fromPython(pattern)})$` });
    return [patterns.add(field, key, read), value] as const;
  });
  return (module) => entries.find(([isMatch]) => isMatch(module))?.[1] ?? fallback;
}

/**
 * What the config says of `modules`. Throws InputError where a pattern of it is not valid, not read here, or
 * takes too long.
 */
export function loraTargets(c: LoraConfig, modules: readonly string[], where: string): LoraTargets {
  const patterns = new Patterns(where);
  const { target_modules: targets, exclude_modules: excluded } = c;
  const isAny = !targets || (typeof targets === 'string' && targets.toLowerCase() === 'all-linear');
  const isTarget = isAny ? () => true : named('target_modules', targets, patterns);
  const isExcluded =
    excluded && excluded.length > 0 ? named('exclude_modules', excluded, patterns) : () => false;
  const saved = (c.modules_to_save ?? []).map((name) =>
    patterns.add('modules_to_save', name, (pattern) => ({
      source: `^(?:|.*\\.)(?:${fromPython(pattern)})(?:$|\\..*)`,
    })),
  );
  const isInLayers = inLayers(c, patterns);
  const rank = patterned(c, 'rank_pattern', c.r, patterns);
  const alpha = patterned(c, 'alpha_pattern', c.lora_alpha, patterns);
  patterns.match(modules);
  return {
    rank,
    alpha,
    refusal(module) {
      if (isExcluded(module)) return 'exclude_modules takes out';
      if (saved.some((isSaved) => isSaved(module))) return 'modules_to_save replaces';
      if (!isTarget(module)) return 'target_modules does not name';
      const isWhole = Array.isArray(targets) && targets.includes(module);
      return isWhole || isInLayers(module) ? undefined : 'layers_to_transform leaves out';
    },
  };
}
