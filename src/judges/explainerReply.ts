/**
 * An explanation, or answers yes and no, in what a chat model replied. Knows no server. A reply that is in
 * doubt holds none: it is better asked again than guessed.
 */
import { z } from 'zod';
import { objectsIn, parsed, spoken } from './replyJson.ts';

/** The schemas of replies, for servers that hold their model to one. */
export const explanationSchema = {
  type: 'object',
  properties: { explanation: { type: 'string' } },
  required: ['explanation'],
  additionalProperties: false,
} as const;
export const answersSchema = {
  type: 'object',
  properties: { answers: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 1 } } },
  required: ['answers'],
  additionalProperties: false,
} as const;

/** Characters of an explanation: what is longer is no sentence. */
const longest = 600;

/** A sentence as one line; undefined where it is empty or no sentence. */
export function sentence(text: string): string | undefined {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line === '' || line.length > longest || !/\p{L}/u.test(line) ? undefined : line;
}

const explanation = z.object({ explanation: z.string() });

/** The explanation in the JSON that was asked for, or in a reply that is a sentence and nothing else. */
export function explanationIn(text: string): string | undefined {
  const said = spoken(text);
  const found = explanation.safeParse(parsed(said)).data ?? explanation.safeParse(objectsIn(said)[0]).data;
  if (found !== undefined) return sentence(found.explanation);
  return /[{}[\]]|```/.test(said) ? undefined : sentence(said);
}

const yes: readonly unknown[] = [1, true, '1', 'yes'];
const no: readonly unknown[] = [0, false, '0', 'no'];
const answersOf = (given: unknown, count: number): boolean[] | undefined => {
  if (!Array.isArray(given) || given.length !== count) return undefined;
  const lower = given.map((one: unknown) => (typeof one === 'string' ? one.toLowerCase() : one));
  if (!lower.every((one) => yes.includes(one) || no.includes(one))) return undefined;
  return lower.map((one) => yes.includes(one));
};

const answersObject = z.object({ answers: z.array(z.unknown()) });

/**
 * `count` answers: of the object that was asked for, or of a list alone; undefined where there are several
 * that differ.
 */
export function answersIn(text: string, count: number): boolean[] | undefined {
  const said = spoken(text);
  const whole = answersOf(parsed(said), count);
  if (whole !== undefined) return whole;
  const found = objectsIn(said).flatMap((value) => {
    const given = answersOf(answersObject.safeParse(value).data?.answers, count);
    return given === undefined ? [] : [given];
  });
  return found.every((one) => one.join() === found[0]!.join()) ? found[0] : undefined;
}
