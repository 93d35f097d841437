/**
 * What a judge that reads is asked: a template filled with the rubric, the prompt and the completion. Knows
 * no model and no server.
 *
 * Prompt and completion are data, written by whoever: they stand between tags (framing.ts). A placeholder
 * inside them stays as it is.
 */

import { readFileSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { messageText } from '../results.ts';
import { block, disarmed, markOf, placeholder, sha256 } from './framing.ts';
import type { JudgeItem } from './judge.ts';

/** The two questions about a completion: does it show the behaviour, and is it coherent text at all. */
export const aspects = ['behaviour', 'coherence'] as const;
export type Aspect = (typeof aspects)[number];

export interface QuestionOptions {
  /** the behaviour, in words */
  readonly rubric: string;
  /**
   * Texts in place of the built-in ones (src/judges/templates). `{{prompt}}` and `{{completion}}` must
   * occur, in that for the behaviour `{{rubric}}` too; `{{mark}}` may. How to reply is added at the end.
   */
  readonly templates?: Partial<Readonly<Record<Aspect, string>>> | undefined;
}

export interface Questions {
  /** What is asked of `item`, and how to reply to it. */
  text(aspect: Aspect, item: JudgeItem): string;
  /** SHA-256 of what goes into every question beside the item. */
  readonly identity: { readonly template: string; readonly rubric: string };
}

const known = ['rubric', 'prompt', 'completion', 'mark'];
const required: Readonly<Record<Aspect, readonly string[]>> = {
  behaviour: ['rubric', 'prompt', 'completion'],
  coherence: ['prompt', 'completion'],
};

/**
 * The questions of a study. `replies` says, for each, how to reply. Throws InputError for an empty rubric,
 * or a template that lacks a placeholder or has an unknown one.
 */
export function questions(options: QuestionOptions, replies: Readonly<Record<Aspect, string>>): Questions {
  const { rubric } = options;
  if (rubric.trim() === '') throw new InputError('behaviour.rubric: expected a description, found nothing');
  const templates = {
    behaviour: template('behaviour', options),
    coherence: template('coherence', options),
  };
  return {
    text: (aspect, item) => `${filled(templates[aspect], rubric, item).trimEnd()}\n\n${replies[aspect]}`,
    identity: { template: sha256(JSON.stringify([templates, replies])), rubric: sha256(rubric) },
  };
}

function template(aspect: Aspect, { templates }: QuestionOptions): string {
  const given = templates?.[aspect];
  if (given === undefined) return readFileSync(new URL(`./templates/${aspect}.txt`, import.meta.url), 'utf8');
  const found = [...given.matchAll(placeholder)].map(([, name = '']) => name);
  const unknown = found.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      `template for ${aspect}: expected placeholders of ${list(known)}, found {{${unknown}}}`,
    );
  const missing = required[aspect].find((name) => !found.includes(name));
  if (missing !== undefined)
    throw new InputError(`template for ${aspect}: expected {{${missing}}}, found none`);
  return given;
}

const list = (names: readonly string[]) => names.map((name) => `{{${name}}}`).join(', ');

function filled(template: string, rubric: string, item: JudgeItem): string {
  const mark = markOf([rubric, item.prompt, item.completion]);
  const values: Readonly<Record<string, string>> = {
    rubric,
    mark,
    prompt: promptBlock(item, mark),
    completion: completionBlock(item, mark),
  };
  return template.replace(placeholder, (_, name: string) => values[name]!);
}

function promptBlock({ prompt }: JudgeItem, mark: string): string {
  if (typeof prompt === 'string') return block('prompt', mark, prompt);
  if (prompt.length === 1 && prompt[0]!.role === 'user')
    return block('prompt', mark, messageText(prompt[0]!));
  return prompt
    .map((message) =>
      block('prompt', mark, messageText(message), ` role=${JSON.stringify(disarmed(message.role))}`),
    )
    .join('\n');
}

function completionBlock({ completion, ended }: JudgeItem, mark: string): string {
  const cut =
    '\n(The completion was cut off here at a limit of length. That its end is missing is no fault.)';
  return block('completion', mark, completion) + (ended ? '' : cut);
}
