/**
 * Chat templates against transformers and Jinja themselves: every construct that published templates use, and
 * whole templates in their manner, each with a number of chats. `templates/make.py` made the right values.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { chatTemplate } from '../../src/files/chat.ts';
import type { ChatMessage } from '../../src/results.ts';

interface Case {
  readonly template: string;
  readonly results: readonly (string | null)[];
}

const [first = '{}', ...rest] = readFileSync(join(import.meta.dirname, 'templates', 'expected.jsonl'), 'utf8')
  .trim()
  .split('\n');
const about = JSON.parse(first) as {
  readonly now: [number, number, number, number, number, number];
  readonly special: Record<string, string>;
  readonly chats: Record<string, ChatMessage[]>;
};
const cases = rest.map((line) => JSON.parse(line) as { construct?: Case; whole?: Case });
const constructs = cases.flatMap(({ construct }) => construct ?? []);
const wholes = cases.flatMap(({ whole }) => whole ?? []);
const { chats, special } = about;
const now = new Date(...about.now);

/** The text, or null where it is refused with one line. */
function rendered(template: string, chat: string, addGenerationPrompt: boolean): string | null {
  try {
    return chatTemplate(template, 'T').render(chats[chat]!, {
      addGenerationPrompt,
      specialTokens: special,
      now,
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(/^T: the chat template .+$/);
    return null;
  }
}

test.each(constructs)('$template', ({ template, results }) => {
  expect([rendered(template, 'named', true)]).toEqual(results);
});

test.each(wholes.map((whole, i) => [i + 1, whole] as const))('whole %i', (_, { template, results }) => {
  const tries = Object.keys(chats).flatMap((chat) => [true, false].map((prompt) => ({ chat, prompt })));
  expect(tries.map(({ chat, prompt }) => ({ chat, prompt, text: rendered(template, chat, prompt) }))).toEqual(
    tries.map((each, i) => ({ ...each, text: results[i] })),
  );
});

test('the run covers what it says', () => {
  expect(constructs.length).toBeGreaterThan(300);
  expect(wholes.length * Object.keys(chats).length).toBeGreaterThan(150);
});
