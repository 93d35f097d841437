/**
 * The grade in what a chat model replied: the JSON that was asked for, or what is left of it when it came
 * fenced, after other text, or cut. Knows no server. A reply whose grade is in doubt has none: it is better
 * asked again than guessed.
 */
import { z } from 'zod';
import { parseJsonIf } from '../results.ts';
import { isOneObject, objectsIn } from './replyJson.ts';
import { spoken } from './thoughts.ts';

export interface Grade {
  /** 0 to 100 */
  readonly score: number;
  /** empty where the reply gives none */
  readonly reason: string;
}

/**
 * The schema of a reply, for servers that hold their model to one. The reason comes first, so that the
 * score follows from it.
 */
export const replySchema = {
  type: 'object',
  properties: {
    reason: { type: 'string' },
    score: { type: 'integer', minimum: 0, maximum: 100 },
  },
  required: ['reason', 'score'],
  additionalProperties: false,
} as const;

/** Between 0 and 1 the scale is in doubt. */
const scoreSchema = z
  .number()
  .min(0)
  .max(100)
  .refine((score) => score === 0 || score >= 1);
/** Characters of a reason that are kept. */
const longestReason = 2000;

const gradeSchema = z.object({
  score: z.union([
    scoreSchema,
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number)
      .pipe(scoreSchema),
  ]),
  reason: z.unknown().optional().transform(reasonText),
});

/** A reason of any type as a text: servers hold their models to less than the schema. */
function reasonText(reason: unknown = null): string {
  if (reason === null) return '';
  return (typeof reason === 'string' ? reason : JSON.stringify(reason)).slice(0, longestReason);
}

/**
 * The grade in `text`, or undefined where there is none, where it is not from 0 to 100, where the number
 * itself may be cut, or where the reply holds several that differ. Thoughts do not count (thoughts.ts); of a
 * reply that was `cut` off at its limit only a grade that is not followed by other text does.
 */
export function gradeIn(text: string, { cut = false } = {}): Grade | undefined {
  const said = spoken(text);
  if (said === undefined) return undefined;
  const whole = grade(parseJsonIf(said)) ?? (cut ? undefined : lone(said));
  if (whole !== undefined) return whole;
  if (cut && !isOneObject(said)) return undefined;
  const found = objectsIn(said).flatMap((value) => grade(value) ?? []);
  return found.every(({ score }) => score === found[0]!.score) ? found.at(-1) : undefined;
}

function grade(value: unknown): Grade | undefined {
  return gradeSchema.safeParse(value).data;
}

/** A number alone: `85`, `Score: 85`, `85/100`. */
function lone(text: string): Grade | undefined {
  const number = /^(?:score\s*[:=]\s*)?(\d{1,3}(?:\.\d+)?)(?:\s*\/\s*100)?\.?$/i.exec(text)?.[1];
  return number === undefined ? undefined : grade({ score: Number(number) });
}
