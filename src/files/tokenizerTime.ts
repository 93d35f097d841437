/**
 * How long the regular expressions of a tokenizer.json may hold this process. Those of the families that we know
 * take time that grows with the text, and run as they are: to watch one costs about 0.1 ms of processor time a call.
 * Any other runs where it can be ended.
 */
import { comesToAnEnd } from '../timeLimit.ts';
import { ggufPreTokenizers } from './ggufPreTokenizers.ts';
import { gpt2Split } from './tokenizerDialect.ts';

/** `work()`, which applies expressions to a text, or to that of ids. Throws InputError where it takes too long. */
export type Bounded = <T>(of: string | readonly number[], work: () => T) => T;

const known: ReadonlySet<string> = new Set([
  gpt2Split,
  ...Object.values(ggufPreTokenizers).flatMap(({ splits }) => splits),
]);

interface GivenStep {
  readonly type?: unknown;
  readonly behavior?: unknown;
  readonly pattern?: { readonly Regex?: unknown };
  readonly normalizers?: unknown;
  readonly pretokenizers?: unknown;
  readonly decoders?: unknown;
}

const whole: readonly unknown[] = ['Isolated', 'Removed'];

/** The places, within a step, of expressions that nobody has vouched for. */
function unknownIn(step: unknown, where: string): string[] {
  if (typeof step !== 'object' || step === null) return [];
  const { type, behavior, pattern, normalizers, pretokenizers, decoders } = step as GivenStep;
  const here = `${where}: ${type}`;
  const within = [normalizers, pretokenizers, decoders].filter(Array.isArray).flat() as unknown[];
  const found = within.flatMap((part, i) => unknownIn(part, `${here}[${i}]`));
  const regex = pattern?.Regex;
  const isKnown = type === 'Split' && whole.includes(behavior) && known.has(regex as string);
  return regex === undefined || isKnown ? found : [...found, `${here}: ${JSON.stringify(regex)}`];
}

/** So that an honest expression ends on a long text, on a machine that is at work. */
const perCharacterMs = 0.05;

/**
 * Bounds for steps of a parsed tokenizer.json that are known to be supported, each with its place: to `limitMs`
 * (default 5000), and 0.05 ms for each character of the text.
 */
export function boundedBy(steps: readonly (readonly [unknown, string])[], limitMs = 5000): Bounded {
  const places = steps.flatMap(([step, where]) => unknownIn(step, where));
  if (places.length === 0) return (_, work) => work();
  const where = places.join(' or ');
  return (of, work) => {
    const text = typeof of === 'string' ? of : of.join(' ');
    return comesToAnEnd(work, text, where, Math.ceil(limitMs + perCharacterMs * of.length));
  };
}
