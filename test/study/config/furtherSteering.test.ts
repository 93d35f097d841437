/** What a causal test does beside removal and steering, as study.yaml asks for it. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { carefulMessage, heldTokenSets, systemOf } from '../../../src/study/config/sections/steering.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { temporaryFolder } from '../../support/folder.ts';

const path = temporaryFolder();

async function read(steering: string) {
  writeFileSync(
    path('study.yaml'),
    `behaviour: {name: harm, rubric: Does it harm?}
subject: {model: model}
sae: {path: sae}
prompts: {file: prompts.jsonl}
judge: {kind: pattern, positive: bad}
steering: ${steering}
`,
  );
  return (await readStudy(path('study.yaml'))).config.steering;
}

it('none of it by default', async () => {
  const steering = await read('{}');
  expect(heldTokenSets(steering)).toEqual(['all']);
  expect(systemOf(steering)).toBeUndefined();
  expect([steering.subtract, steering.topic_half]).toEqual([undefined, undefined]);
});

it('token sets, the one that decides first', async () => {
  expect(heldTokenSets(await read('{held_tokens: prompt}'))).toEqual(['prompt']);
  expect(heldTokenSets(await read('{held_tokens: [completion, all]}'))).toEqual(['completion', 'all']);
});

it('a system message, one of its own or the one for care', async () => {
  expect(systemOf(await read('{system: true}'))).toBe(carefulMessage);
  expect(systemOf(await read('{system: Be brief.}'))).toBe('Be brief.');
  expect(systemOf(await read('{system: false}'))).toBeUndefined();
});

describe('is refused in one line', () => {
  const sets = 'steering.held_tokens: expected all or prompt or completion, or a list of different ones';
  it.each([
    ['{held_tokens: []}', sets],
    ['{held_tokens: [all, all]}', sets],
    ['{held_tokens: [all, answer]}', 'steering.held_tokens[1]: expected all or prompt or completion'],
    ['{subtract: yes please}', 'steering.subtract: expected true or false'],
    ['{system: 3}', 'steering.system: expected a text, true or false'],
    ['{system: " "}', 'steering.system: expected a text, true or false'],
    ['{topic_half: 1}', 'steering.topic_half: expected true or false'],
  ])('%s', async (given, line) => {
    await expect(read(given)).rejects.toThrow(line);
    await expect(read(given)).rejects.not.toThrow('\n');
  });
});
