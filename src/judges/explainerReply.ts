/**
 * An explanation, or answers yes and no, in what a chat model replied. Knows no server. A reply that is in
 * doubt holds none: it is better asked again than guessed.
 */
import { z } from 'zod';
import { parseJsonIf } from '../results.ts';
import { isOneObject, objectsIn } from './replyJson.ts';
import { spoken } from './thoughts.ts';

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

const not = "(?:n['’`]?t|not)";
const am = "i(?:['’`]?m| am)?";
/**
 * How texts begin that explain nothing: refusals, what a model says before it answers, and what a server
 * says in place of one. Explanations do not speak in the first person; one that quotes it has it in quotes.
 */
const noExplanations = [
  `${am} (?:(?:deeply|really|so|very|truly|terribly) )?(?:sorry|afraid|unable|not (?:able|comfortable|sure|going)|just an? (?:ai|language))\\b`,
  `i (?:ca(?:n ?)?${not}|could ?${not}|wo(?:n['’\`]?t)|will not|do(?:es)? ?${not}|would(?:n['’\`]?t| rather| prefer| not)|(?:must |have to )?(?:decline|refuse)|apologi[sz]e|need to|understand)\\b`,
  `(?:sorry|apologies|my apologies|unfortunately|regrettably|sure|okay|ok|alright|certainly|of course|absolutely|great|hello|hi|hmm)[,.:!]`,
  `as an? (?:ai|artificial|large|language)\\b[^.]{0,60}\\bi\\b`,
  `(?:let me|let['’\`]?s|we need to) (?:look|see|think|find|figure|analy)`,
  `here (?:is|are) (?:the|my|an?|your)\\b`,
  `(?:please provide|unable to (?:determine|explain|answer|help|provide)|(?:there is )?(?:not enough|insufficient) (?:information|context|data|evidence)|no explanation)\\b`,
  `this (?:request|content) (?:can|was|has been|violates)\\b`,
  `error(?::| \\d{3})|internal server error\\b|rate limit(?:ed| exceeded| reached)|too many requests|bad gateway|service unavailable|upstream (?:error|request|connect)|request timed out|<!?(?:html|doctype)`,
  'je suis désolé|désolé,|lo siento|(?:es )?tut mir leid|desculpe|mi dispiace|извините|к сожалению|很?抱歉|对不起|我无法|申し訳|죄송',
];
const noExplanation = new RegExp(`^(?:${noExplanations.join('|')})`, 'i');
/** Words that stand for no answer, and the one that the form of the reply has in its place. */
const emptyWord = /^(?:n\/?a|none|null|nil|nothing|unknown|unclear|undefined|one sentence|tbd)[.!]?$/i;
/** Quotes or emphasis around the whole of a text. */
const wrapped = /^(["'“*_<]{1,3})([^"“”*_<>]*)["'”*_>]{1,3}$/;

/** A sentence that explains, as one line; undefined where it is empty, no sentence, or says that there is none. */
export function sentence(text: string): string | undefined {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  if (line === '' || line.length > longest || !/\p{L}/u.test(line)) return undefined;
  const bare = wrapped.exec(line)?.[2]?.trim() ?? line;
  return noExplanation.test(bare) || emptyWord.test(bare) || bare.endsWith('?') ? undefined : line;
}

const explanation = z.object({ explanation: z.string() });

/**
 * The explanation in the JSON that was asked for, or in a reply that is a sentence and nothing else;
 * undefined where the reply was `cut` off before its end.
 */
export function explanationIn(text: string, { cut = false } = {}): string | undefined {
  const said = spoken(text);
  if (said === undefined) return undefined;
  const whole = explanation.safeParse(parseJsonIf(said)).data;
  if (whole !== undefined) return sentence(whole.explanation);
  if (cut) return undefined;
  const found = explanation.safeParse(objectsIn(said)[0]).data;
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
 * that differ, or where the reply was `cut` off and is not that object alone.
 */
export function answersIn(text: string, count: number, { cut = false } = {}): boolean[] | undefined {
  const said = spoken(text);
  if (said === undefined || (cut && !isOneObject(said))) return undefined;
  const whole = answersOf(parseJsonIf(said), count);
  if (whole !== undefined) return whole;
  const found = objectsIn(said).flatMap((value) => {
    const given = answersOf(answersObject.safeParse(value).data?.answers, count);
    return given === undefined ? [] : [given];
  });
  return found.every((one) => one.join() === found[0]!.join()) ? found[0] : undefined;
}
