/** Rotary position embedding: inverse frequencies of each published scaling, and the angles of a pass. */
import { z } from 'zod';
import { constant, cos, div, mul, reshape, sin } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { f32 } from '../tensor.ts';
import type { Scope } from './decoder.ts';

const positive = z.number().positive();
const length = z.number().int().positive();

/** `factor` and the length before the scaling stand in many files that do not use them. */
const unused = { original_max_position_embeddings: length.optional() };

const scaling = z.discriminatedUnion('rope_type', [
  z.strictObject({ ...unused, rope_type: z.literal('default') }),
  z.strictObject({ ...unused, rope_type: z.literal('linear'), factor: positive }),
  /** Changes nothing up to `max_position_embeddings`, beyond which no sequence goes here. */
  z.strictObject({ ...unused, rope_type: z.literal('dynamic'), factor: positive }),
  z.strictObject({
    rope_type: z.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: length,
  }),
  z.strictObject({
    rope_type: z.literal('yarn'),
    factor: positive,
    original_max_position_embeddings: length,
    attention_factor: positive.optional(),
    beta_fast: positive.optional(),
    beta_slow: positive.optional(),
    mscale: positive.optional(),
    mscale_all_dim: positive.optional(),
    truncate: z.boolean().optional(),
  }),
  /** Long factors count beyond the length before, where no sequence goes here. */
  z.strictObject({
    rope_type: z.literal('longrope'),
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    factor: positive,
    original_max_position_embeddings: length,
    attention_factor: positive.optional(),
  }),
  /**
   * GGUF files of scaled models carry a divisor for each frequency as the tensor `rope_freqs.weight`; a factor
   * beside them divides too.
   */
  z.strictObject({
    rope_type: z.literal('factors'),
    factor: positive.optional(),
    attention_factor: positive.optional(),
  }),
]);
export type RopeScaling = z.infer<typeof scaling>;

/**
 * What a scaling says: its fields but `rope_theta`, a note that the model was trained with it, and those that
 * say nothing. Old files write `type`.
 */
function fields(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { type, rope_theta, finetuned, ...rest } = given;
  const rope_type = rest.rope_type ?? type ?? 'default';
  const saysNothing = (key: string, value: unknown) =>
    value === null ||
    (value === 1 &&
      (key === 'partial_rotary_factor' ||
        (key === 'attention_factor' && rope_type !== 'yarn' && rope_type !== 'longrope')));
  const said = Object.entries(rest).filter(([key, value]) => !saysNothing(key, value));
  return { ...Object.fromEntries(said), rope_type };
}

/** A scaling alone, as a config holds it. */
export const ropeScaling = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((given) => fields(given ?? {}))
  .pipe(scaling);

/** The fields of a config.json that say what its rotary positions are. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  max_position_embeddings: length.default(2048),
  original_max_position_embeddings: length.nullish(),
};
type RopeFields = z.output<z.ZodObject<typeof ropeFields>>;

export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling;
  /** how much of each head is turned, from its start; 1 for all */
  readonly share: number;
  /** the longest sequence that it is for, in tokens */
  readonly context: number;
}

/** What stands for fields that a config lacks. */
interface RopeDefaults {
  /** default 10000 */
  readonly theta?: number;
  /** default: all of each head is turned, and a config that says otherwise is refused */
  readonly share?: number;
}

/** How many elements of a head are turned. */
export const turnedWidth = ({ width }: { readonly width: number }, { share }: Rope): number =>
  Math.floor(width * share);

/** Whether they make pairs, for a zod refinement; and its complaint. */
export const turnsPairs = (c: { readonly heads: { readonly width: number }; readonly rope: Rope }): boolean =>
  turnedWidth(c.heads, c.rope) > 0 && turnedWidth(c.heads, c.rope) % 2 === 0;
export const pairsExpected = {
  path: ['partial_rotary_factor'],
  message: 'expected to turn an even number of elements of a head',
};

const isFilled = (given: RopeFields['rope_scaling']) => given && Object.keys(given).length > 0;

/**
 * The rotary positions of a config, as transformers 5 reads them (`RotaryEmbeddingConfigMixin`): a
 * `rope_scaling` that is not empty takes the place of `rope_parameters` whole; θ is the one within, else the
 * config's own `rope_theta`, else the default. The length before a scaling is the config's own, else the one within,
 * else the longest. Issues name the field.
 */
export function ropeOf(
  c: RopeFields,
  issues: z.RefinementCtx,
  { theta: usual = 10000, share }: RopeDefaults = {},
): Rope {
  const where = isFilled(c.rope_scaling) ? 'rope_scaling' : 'rope_parameters';
  const { partial_rotary_factor: partial = share ?? 1, ...given } = c[where] ?? {};
  const original =
    c.original_max_position_embeddings ?? given.original_max_position_embeddings ?? c.max_position_embeddings;
  const type = given.rope_type ?? given.type;
  const withLength = type === 'llama3' || type === 'yarn' || type === 'longrope';
  const fromLengths = (type === 'yarn' && given.factor === null) || (type === 'longrope' && !given.factor);
  const read = ropeScaling.safeParse({
    ...given,
    ...(share === undefined && { partial_rotary_factor: partial }),
    ...(withLength && { original_max_position_embeddings: original }),
    ...(fromLengths && { factor: c.max_position_embeddings / Number(original) }),
  });
  const theta = positive.safeParse(given.rope_theta ?? c.rope_theta ?? usual);
  const turned = positive.max(1).safeParse(partial);
  for (const [at, { error }] of [
    [[where], read],
    [[where, 'rope_theta'], theta],
    [[where, 'partial_rotary_factor'], turned],
  ] as const)
    for (const { path, message } of error?.issues ?? [])
      issues.addIssue({ code: 'custom', message, path: [...at, ...path] });
  if (!read.success || !theta.success || !turned.success) return z.NEVER;
  const scaling = read.data;
  const context =
    scaling.rope_type === 'longrope' ? scaling.original_max_position_embeddings : c.max_position_embeddings;
  return { theta: theta.data, scaling, share: turned.data, context };
}

/** θ^(−2i/size) for i < size/2. */
const plainFrequencies = (theta: number, size: number) =>
  Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size));

/**
 * Inverse frequencies [size/2]: θ^(−2i/size), in radians a position, changed by the scaling. `llama3`,
 * `yarn` and `longrope` as in transformers' modeling_rope_utils. llama3 (Llama 3.1): wavelengths beyond original/low are
 * stretched by `factor`, those under original/high kept, between them interpolated.
 */
export function inverseFrequencies(theta: number, size: number, by: RopeScaling): number[] {
  const plain = plainFrequencies(theta, size);
  if (by.rope_type === 'linear') return plain.map((f) => f / by.factor);
  if (by.rope_type === 'yarn') return yarnFrequencies(theta, size, by);
  if (by.rope_type === 'factors') return plain.map((f) => f / (by.factor ?? 1));
  if (by.rope_type === 'longrope') return plain.map((f, i) => f / by.short_factor[i]!);
  if (by.rope_type !== 'llama3') return plain;
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  } = by;
  return plain.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength < original / high) return f;
    if (wavelength > original / low) return f / factor;
    const smooth = (original / wavelength - low) / (high - low);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}

type Yarn = Extract<RopeScaling, { rope_type: 'yarn' }>;

/**
 * YaRN (arXiv:2309.00071): frequencies that turn more than `beta_fast` times within the length before are
 * kept, those that turn less than `beta_slow` times divided by `factor`, with a linear ramp over the index
 * between.
 */
function yarnFrequencies(theta: number, size: number, by: Yarn): number[] {
  const { factor, beta_fast: fast = 32, beta_slow: slow = 1, truncate = true } = by;
  const indexOf = (turns: number) =>
    (size * Math.log(by.original_max_position_embeddings / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [indexOf(fast), indexOf(slow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, size - 1);
  const span = high === low ? 0.001 : high - low;
  return plainFrequencies(theta, size).map((f, i) => {
    const divided = Math.min(1, Math.max(0, (i - low) / span));
    return (f / factor) * divided + f * (1 - divided);
  });
}

/**
 * What cos and sin are multiplied by: by default 0.1 ln(factor) + 1 for YaRN, sqrt(1 + ln factor / ln of the length
 * before) for longrope, 1 for others.
 */
export function attentionFactor(by: RopeScaling): number {
  if (by.rope_type === 'factors') return by.attention_factor ?? 1;
  if (by.rope_type === 'longrope')
    return (
      by.attention_factor ??
      Math.sqrt(1 + Math.log(Math.max(1, by.factor)) / Math.log(by.original_max_position_embeddings))
    );
  if (by.rope_type !== 'yarn') return 1;
  const scale = (times: number) => (by.factor <= 1 ? 1 : 0.1 * times * Math.log(by.factor) + 1);
  if (by.attention_factor !== undefined) return by.attention_factor;
  return by.mscale !== undefined && by.mscale_all_dim !== undefined
    ? scale(by.mscale) / scale(by.mscale_all_dim)
    : scale(1);
}

/** cos and sin of every position's angles, each [T, size/2], from positions [T, 1]. */
export function angles(positions: Node, theta: number, size: number, by: RopeScaling, scope: Scope) {
  const half = size / 2;
  const plain = constant(f32([1, half], inverseFrequencies(theta, size, by)));
  const inverse =
    by.rope_type === 'factors'
      ? div(plain, reshape(scope.param('rope_freqs.weight', [half]), [1, half]))
      : plain;
  const turn = mul(positions, inverse);
  const factor = attentionFactor(by);
  const scaled = (x: Node) => (factor === 1 ? x : mul(x, constant(f32([], [factor]))));
  return { cosine: scaled(cos(turn)), sine: scaled(sin(turn)) };
}
