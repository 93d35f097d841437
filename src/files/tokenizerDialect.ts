/**
 * The steps of a tokenizer.json around its model, restated so that the JavaScript library takes them as the
 * Rust library behind transformers does. The two differ in what \s, \d and a digit are, and the JavaScript
 * one lacks some ways to split (MergedWithNext, Contiguous, Metaspace's own). A step that cannot be
 * restated exactly is refused by name. Sources: pre_tokenizers/*.rs, normalizers/*.rs, decoders/*.rs of
 * huggingface/tokenizers 0.23.
 */
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { quoted } from './bytes.ts';
import { checked } from './schema.ts';

/** One step in the JSON form that the library reads. */
interface Step {
  readonly type: string;
  readonly [field: string]: unknown;
}

type Rule = (step: unknown, where: string, depth: number) => Step[];
type Rules = Readonly<Record<string, Rule>>;

/** Sequences within sequences: the depth at which the Rust library's JSON reader gives up. */
const maxDepth = 128;

/** GPT-2's split into words, which ByteLevel applies when `use_regex` is set. */
export const gpt2Split = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** The steps around the model, as a tokenizer.json names them. */
export interface Steps {
  readonly normalizer: Step | null;
  readonly pre_tokenizer: Step | null;
  readonly decoder: Step | null;
}

/**
 * The steps of a parsed tokenizer.json, restated; null stays null. Throws InputError for one that is not
 * supported.
 */
export function restated(json: { readonly [Field in keyof Steps]?: unknown }, where: string): Steps {
  const normalizing = restate(normalizers, json.normalizer, `${where}: normalizer`, 0);
  const splitting = restate(preTokenizers, json.pre_tokenizer, `${where}: pre_tokenizer`, 0);
  const decoding = restate(decoders, json.decoder, `${where}: decoder`, 0);
  // The library cannot tell where in the text a piece began: it takes each first piece for the start.
  const first = splitting.findIndex((step) => step.prepend_scheme === 'first');
  if (first > 0 || (first === 0 && normalizing.some(({ type }) => type === 'Replace')))
    throw new InputError(
      `${where}: pre_tokenizer: Metaspace with prepend_scheme first after other steps is not supported`,
    );
  // It tells only the outermost decoder which tokens are added ones, and ByteLevel must know.
  if (decoding.length > 1 && decoding.some(({ type }) => type === 'ByteLevel'))
    throw new InputError(`${where}: decoder: ByteLevel together with another decoder is not supported`);
  return {
    normalizer: inSequence(normalizing, 'normalizers'),
    pre_tokenizer: inSequence(splitting, 'pretokenizers'),
    decoder: inSequence(decoding, 'decoders'),
  };
}

/**
 * The same steps for a text that goes on after another: nothing is put before its first word. Undefined
 * where the steps put nothing there anyhow.
 */
export function continued(steps: Steps): Steps | undefined {
  const normalizing = parts(steps.normalizer, 'normalizers');
  const splitting = parts(steps.pre_tokenizer, 'pretokenizers');
  const kept = normalizing.filter(({ type }) => type !== 'Prepend');
  const bare = splitting
    .filter((step) => step !== prefixSpace)
    .map((step) => (step.type === 'Metaspace' ? { ...step, prepend_scheme: 'never' } : step));
  const prefixes =
    kept.length < normalizing.length ||
    splitting.some((step) => step.type === 'Metaspace' && step.prepend_scheme !== 'never');
  if (!prefixes) return undefined;
  return {
    ...steps,
    normalizer: inSequence(kept, 'normalizers'),
    pre_tokenizer: inSequence(bare, 'pretokenizers'),
  };
}

function parts(step: Step | null, field: string): readonly Step[] {
  if (step === null) return [];
  return step.type === 'Sequence' ? (step[field] as readonly Step[]) : [step];
}

function inSequence(steps: readonly Step[], field: string): Step | null {
  return steps.length > 1 ? { type: 'Sequence', [field]: steps } : (steps[0] ?? null);
}

function restate(rules: Rules, step: unknown, where: string, depth: number): Step[] {
  if (step === null || step === undefined) return [];
  if (depth > maxDepth) throw new InputError(`${where}: more than ${maxDepth} sequences within each other`);
  const { type } = checked(z.looseObject({ type: z.string() }), step, where);
  const rule = Object.hasOwn(rules, type) ? rules[type] : undefined;
  if (rule === undefined)
    throw new InputError(`${where}: expected one of ${Object.keys(rules).join(', ')}, found ${quoted(type)}`);
  return rule(step, `${where}: ${type}`, depth);
}

function rule<S extends z.ZodType>(
  schema: S,
  steps: (step: z.output<S>, where: string, depth: number) => Step[],
): Rule {
  return (step, where, depth) => steps(checked(schema, step, where), where, depth);
}

const unchanged = (type: string): Rule => rule(z.object({}), () => [{ type }]);

function sequence<Field extends string>(field: Field, rules: () => Rules): Rule {
  return (step, where, depth) => {
    const parts = checked(z.object({ [field]: z.array(z.unknown()) }), step, where)[field] as unknown[];
    return parts.flatMap((part, i) => restate(rules(), part, `${where}[${i}]`, depth + 1));
  };
}

const pattern = z.union([z.object({ String: z.string().min(1) }), z.object({ Regex: z.string().min(1) })]);

/** The pattern as an Oniguruma expression, the dialect that the library translates into JavaScript's. */
function expression(found: z.output<typeof pattern>): string {
  return 'Regex' in found ? found.Regex : found.String.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Replacement text as the library's `replaceAll` wants it: `$` stands for itself. */
const literal = (content: string): string => content.replaceAll('$', '$$$$');

const replaceRule: Rule = rule(z.object({ pattern, content: z.string() }), (step) => [
  { type: 'Replace', pattern: { Regex: expression(step.pattern) }, content: literal(step.content) },
]);

const normalizers: Rules = {
  Sequence: sequence('normalizers', () => normalizers),
  NFC: unchanged('NFC'),
  NFD: unchanged('NFD'),
  NFKC: unchanged('NFKC'),
  NFKD: unchanged('NFKD'),
  Prepend: rule(z.object({ prepend: z.string() }), ({ prepend }) => [{ type: 'Prepend', prepend }]),
  Replace: replaceRule,
  Strip: rule(z.object({ strip_left: z.boolean(), strip_right: z.boolean() }), (step) => [
    ...(step.strip_left ? [replaced(String.raw`\A\s+`, '')] : []),
    ...(step.strip_right ? [replaced(String.raw`(?<!\s)\s+\z`, '')] : []),
  ]),
};

function replaced(regex: string, content: string): Step {
  return { type: 'Replace', pattern: { Regex: regex }, content };
}

const behaviour = z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);

/** A split that keeps every piece: the matches of `regex` and what lies between them. */
function isolated(regex: string): Step {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

function removed(regex: string, invert: boolean): Step {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Removed', invert };
}

/** The pieces that `behavior` makes of the matches of `regex`, as a split that the library knows. */
function split(regex: string, behavior: z.output<typeof behaviour>, invert: boolean, where: string): Step {
  const between = `(?:(?!${regex})[\\s\\S])`;
  switch (behavior) {
    case 'Isolated':
      return isolated(regex);
    case 'Contiguous':
      return isolated(`(?:${regex})+`);
    case 'Removed':
      // The library's String.split would return what a group captured.
      if (!invert && /(?<!\\)\((?!\?)/.test(regex))
        throw new InputError(`${where}: a group that captures, in a split that removes, is not supported`);
      return removed(regex, invert);
  }
  if (invert) throw new InputError(`${where}: invert with ${behavior} is not supported`);
  return behavior === 'MergedWithNext'
    ? isolated(`(?:${regex})${between}*`)
    : isolated(`${between}+(?:${regex})?|(?:${regex})`);
}

const punctuation = String.raw`[\p{P}\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E]`;
const word = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;

const metaspace = z.object({
  replacement: z.string().regex(/^.$/u, 'expected one character'),
  prepend_scheme: z.enum(['always', 'first', 'never']).default('always'),
  add_prefix_space: z.boolean().nullish(),
  split: z.boolean().nullish(),
});

function prepends(step: z.output<typeof metaspace>): 'always' | 'first' | 'never' {
  return step.add_prefix_space === false ? 'never' : step.prepend_scheme;
}

/** A space before each piece that does not begin with one: Metaspace, with the space itself in place of ▁. */
const prefixSpace: Step = { type: 'Metaspace', replacement: ' ', prepend_scheme: 'always' };

const preTokenizers: Rules = {
  Sequence: sequence('pretokenizers', () => preTokenizers),
  ByteLevel: rule(
    z.object({ add_prefix_space: z.boolean().default(false), use_regex: z.boolean().default(true) }),
    (step) => [
      ...(step.add_prefix_space ? [prefixSpace] : []),
      ...(step.use_regex ? [isolated(gpt2Split)] : []),
      { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    ],
  ),
  Split: rule(
    z.object({ pattern, behavior: behaviour, invert: z.boolean().default(false) }),
    (step, where) => [split(expression(step.pattern), step.behavior, step.invert, where)],
  ),
  CharDelimiterSplit: rule(z.object({ delimiter: z.string().min(1) }), ({ delimiter }) => [
    removed(expression({ String: delimiter }), false),
  ]),
  Digits: rule(z.object({ individual_digits: z.boolean().default(false) }), (step) => [
    isolated(step.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`),
  ]),
  Punctuation: rule(z.object({ behavior: behaviour.default('Isolated') }), (step, where) => [
    split(punctuation, step.behavior, false, where),
  ]),
  Whitespace: rule(z.object({}), () => [removed(`[${word}]+|[^${word}\\s]+`, true)]),
  WhitespaceSplit: rule(z.object({}), () => [removed(String.raw`\s+`, false)]),
  Metaspace: rule(metaspace, (step, where) => [
    { type: 'Metaspace', replacement: step.replacement, prepend_scheme: prepends(step) },
    ...(step.split === false
      ? []
      : [split(expression({ String: step.replacement }), 'MergedWithNext', false, where)]),
  ]),
};

const decoders: Rules = {
  Sequence: sequence('decoders', () => decoders),
  ByteLevel: unchanged('ByteLevel'),
  ByteFallback: unchanged('ByteFallback'),
  Fuse: unchanged('Fuse'),
  Replace: replaceRule,
  Strip: rule(
    z.object({ content: z.string().length(1), start: z.int().min(0), stop: z.int().min(0) }),
    ({ content, start, stop }) => [{ type: 'Strip', content, start, stop }],
  ),
  Metaspace: rule(metaspace, (step) =>
    prepends(step) === 'never'
      ? [{ type: 'Replace', pattern: { String: step.replacement }, content: ' ' }]
      : [{ type: 'Metaspace', replacement: step.replacement }],
  ),
};
