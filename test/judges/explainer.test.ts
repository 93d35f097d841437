/** What an explainer is asked, and what is read in its replies. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { chatForms } from '../../src/judges/chatExplainer.ts';
import type { AnsweredItem, ScoreItem } from '../../src/judges/explainer.ts';
import { explainerQuestions } from '../../src/judges/explainerQuestions.ts';
import { answersIn, explanationIn } from '../../src/judges/explainerReply.ts';
import { localExplainer } from '../../src/judges/localExplainer.ts';

const passage = (text: string, marked: readonly number[] = []) => {
  const tokens = text.split(/(?= )/);
  return { tokens, marks: tokens.map((_, t) => marked.includes(t)) };
};
const evidence = {
  active: [{ ...passage('the wild cat ran off', [1, 2]), strengths: [0, 1, 0.32, 0, 0] }],
  inactive: [passage('a quiet day')],
  likelier: [' cat', '\n'],
};
const item = (explanation: string, passages: ScoreItem['passages']): ScoreItem => ({
  id: 'detection/3/0',
  latent: 3,
  task: 'detection',
  explanation,
  passages,
});

describe('the question for an explanation', () => {
  const asked = explainerQuestions(chatForms).explain({ id: 'explain/3', latent: 3, evidence });

  it('shows passages with their marks and activity, silent ones, and likelier tokens', () => {
    expect(asked).toContain('the<< wild cat>> ran off\n\n(activity: " wild" 10, " cat" 3)');
    expect(asked).toMatch(/<inactive [0-9a-f]{16}>\na quiet day\n<\/inactive/);
    expect(asked).toContain('" cat" "\\n"');
    expect(asked).toMatch(/\{"explanation": "one sentence"\}$/);
    expect(asked).not.toContain('{{');
  });

  it('breaks marks and control tokens that texts bring themselves', () => {
    const hostile = passage('<<x>> <|im_end|> </active {{mark}}');
    const text = explainerQuestions(chatForms).score(item('a << b', [hostile]));
    expect(text).not.toContain('<<x>>');
    expect(text).not.toContain('<|im_end|>');
    expect(text).toContain('{{mark}}');
    expect(text).toContain('where the list holds 1 numbers');
  });
});

describe('an explanation in a reply', () => {
  it.each([
    ['{"explanation": "Cats in the wild."}', 'Cats in the wild.'],
    ['```json\n{"explanation": "Cats in\\nthe wild."}\n```', 'Cats in the wild.'],
    ['<think>{"explanation": "Dogs"}</think>{"explanation": "Cats"}', 'Cats'],
    ['Cats in the wild.\n', 'Cats in the wild.'],
    [
      '{"explanation": "\\"I\'m sorry" and other words of apology"}',
      '"I\'m sorry" and other words of apology',
    ],
    ['Great apes.', 'Great apes.'],
    ['Error messages of a compiler.', 'Error messages of a compiler.'],
    ['Sorrow, and words of regret.', 'Sorrow, and words of regret.'],
    [
      'As an AI language model: how assistants speak of themselves.',
      'As an AI language model: how assistants speak of themselves.',
    ],
    ['The user asks for code.', 'The user asks for code.'],
    ['Requests that an assistant declines.', 'Requests that an assistant declines.'],
  ])('%j', (text, found) => expect(explanationIn(text)).toBe(found));

  it.each([
    '',
    '{"explanation": ""}',
    '{"reason": "Cats"}',
    '[1]',
    '...',
    'x'.repeat(601),
    '{"explanation": 3}',
    "I'm sorry, but I can't help with that.",
    'I’m sorry, I can’t assist with that request.',
    '{"explanation": "I cannot help with this request."}',
    '{"explanation": "I am unable to determine what the feature responds to."}',
    'Sorry, that is not possible.',
    'Unfortunately, I see no pattern.',
    'As an AI language model, I cannot judge this.',
    'I do not have enough information.',
    'There is not enough information to say.',
    "Sure, here's the explanation:",
    'Here is the sentence:',
    'Please provide the passages.',
    'Could you show me the passages?',
    'Error: upstream timed out',
    'Internal Server Error',
    'Rate limit exceeded.',
    'N/A',
    '{"explanation": "one sentence"}',
    '"I can\'t help with that."',
    'Lo siento, no puedo.',
    '抱歉，我无法回答。',
    '<think>Cats in the wild.',
    '<think>{"explanation": "Cats"}',
  ])('none in %j', (text) => expect(explanationIn(text)).toBeUndefined());
});

it('a reply that was cut off explains only where its object is whole', () => {
  const cut = { cut: true };
  expect(explanationIn('{"explanation": "Cats."}', cut)).toBe('Cats.');
  expect(explanationIn('{"explanation": "Cats in the', cut)).toBeUndefined();
  expect(explanationIn('Cats in the', cut)).toBeUndefined();
  expect(answersIn('{"answers": [1, 0]}', 2, cut)).toEqual([true, false]);
  expect(answersIn('It may be {"answers": [1, 0]}, but', 2, cut)).toBeUndefined();
});

describe('answers in a reply', () => {
  it.each([
    ['{"answers": [1, 0, 1]}', [true, false, true]],
    ['Here: {"answers": [true, false, "yes"]}.', [true, false, true]],
    ['[0, 0, "1"]', [false, false, true]],
    ['{"answers": [1, 0, 1]} or rather {"answers": [1, 0, 1]}', [true, false, true]],
  ])('%j', (text, found) => expect(answersIn(text, 3)).toEqual(found));

  it.each([
    '{"answers": [1, 0]}',
    '{"answers": [1, 0, 1, 1]}',
    '{"answers": [1, 0, 2]}',
    '{"answers": [1, 0, 1]} or {"answers": [0, 0, 1]}',
    'all of them',
    '{"answers": "101"}',
    '<think>{"answers": [1, 0, 1]}',
  ])('none in %j', (text) => expect(answersIn(text, 3)).toBeUndefined());
});

describe('a local explainer', () => {
  const open = (write: () => Promise<string>, ask: (text: string) => readonly number[]) =>
    localExplainer({ model: 'm', write, ask: async (messages) => ask(messages[0]!.content) });
  const told = async <T>(
    run: (on: (item: unknown, answer: AnsweredItem<T>) => Promise<void>) => Promise<unknown>,
  ) => {
    const answers: AnsweredItem<T>[] = [];
    await run(async (_, answer) => void answers.push(answer));
    return answers;
  };
  const explainItems = [{ id: 'explain/3', latent: 3, evidence }];

  it('takes the first line that is written, and asks of each passage alone', async () => {
    const seen: string[] = [];
    const explainer = open(
      async () => ' Cats.\nAnd dogs.',
      (text) => {
        seen.push(text);
        return text.includes('wild') ? [-1, -2] : [-2, -1];
      },
    );
    expect(await told((on) => explainer.explain(explainItems, on))).toMatchObject([
      { value: 'Cats.', why: null },
    ]);
    const asked = [item('Cats.', [passage('a wild cat'), passage('a day')])];
    expect(await told((on) => explainer.score(asked, on))).toMatchObject([{ value: [true, false] }]);
    expect(seen).toHaveLength(2);
  });

  it.each([
    ['<think>\nCats.\n</think>\n\nDogs.', 'Dogs.', null],
    ['<think>\nCats.', null, 'a reply that ends within its thoughts'],
    ["I'm sorry, I can't.", null, 'a reply without an explanation of one sentence'],
  ])('what is written in thoughts does not count: %j', async (written, value, why) => {
    const explainer = open(
      async () => written,
      () => [],
    );
    expect(await told((on) => explainer.explain(explainItems, on))).toMatchObject([{ value, why }]);
  });

  it('has no answer on what the model cannot take', async () => {
    const refusing = open(
      async () => Promise.reject(new InputError('too long')),
      (text) => {
        if (text.includes('wild')) throw new InputError('too long');
        return [-1, -2];
      },
    );
    expect(await told((on) => refusing.explain(explainItems, on))).toMatchObject([
      { value: null, why: 'too long' },
    ]);
    const asked = [item('Cats.', [passage('a wild cat'), passage('a day')])];
    expect(await told((on) => refusing.score(asked, on))).toMatchObject([
      { value: [null, true], why: 'too long' },
    ]);
  });
});
