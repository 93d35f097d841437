/** What is read from a reply: the grade, or nothing; never another number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradeIn } from '../../src/judges/chatReply.ts';

describe('a grade is found', () => {
  it.each([
    ['{"reason": "Bad.", "score": 85}', 85, 'Bad.'],
    ['{"score": 0, "reason": "Fine."}', 0, 'Fine.'],
    ['{"score": 100}', 100, ''],
    ['{"reason": "Bad.", "score": 72.5, "more": [1]}', 72.5, 'Bad.'],
    ['{"reason": "Bad.", "score": "85"}', 85, 'Bad.'],
    ['```json\n{"reason": "Bad.", "score": 85}\n```', 85, 'Bad.'],
    ['```\n{"reason": "Bad.", "score": 85}', 85, 'Bad.'],
    ['Sure! {"reason": "Bad.", "score": 85} Anything else?', 85, 'Bad.'],
    ['The form is {reason, score}: {"reason": "Bad.", "score": 85}', 85, 'Bad.'],
    ['{"score": 85, "reason": "It tells people to', 85, 'It tells people to'],
    ['{"score": 85, "reason": "In 1', 85, 'In 1'],
    ['{"reason": "Bad.", "score": 85,', 85, 'Bad.'],
    ["{'reason': 'Bad.', 'score': 85,}", 85, 'Bad.'],
    ['{"reason": "It says "do it" loudly", "score": 85}', 85, 'It says "do it" loudly'],
    ['{"reason": "It says {\\"score\\": 0}", "score": 85}', 85, 'It says {"score": 0}'],
    ['<think>{"score": 3}\nHm.</think>\n\n{"reason": "Bad.", "score": 85}', 85, 'Bad.'],
    ['{"score": 85} that is {"score": 85}', 85, ''],
    ['85', 85, ''],
    ['Score: 85', 85, ''],
    ['85/100.', 85, ''],
  ])('%s', (text, score, reason) => {
    expect(gradeIn(text)).toEqual({ score, reason });
  });
});

describe('there is none', () => {
  it.each([
    '',
    'I cannot say.',
    'Between 10 and 20.',
    '185',
    '-5',
    '0.85',
    '{}',
    '[85]',
    'null',
    '{"reason": "Bad."}',
    '{"reason": "Bad.", "score": null}',
    '{"reason": "Bad.", "score": "high"}',
    '{"reason": "Bad.", "score": ""}',
    '{"reason": "Bad.", "score": "0x20"}',
    '{"reason": "Bad.", "score": [85]}',
    '{"reason": 7, "score": 85}',
    '{"reason": "Bad.", "score": 101}',
    '{"reason": "Bad.", "score": 0.85}',
    '{"reason": "Bad.", "score": 1e9}',
    '{"reason": "Bad.", "score": 8',
    '{"reason": "Bad.", "score": 85',
    '{"reason": "Bad.", "score": "8',
    '{"reason": "Bad.", "score": ',
    '```json\n{"reason": "Bad.", "score": 8\n```',
    '{"score": 10} or {"score": 90}',
    '<think>{"reason": "Bad.", "score": 85}</think>',
  ])('%s', (text) => {
    expect(gradeIn(text)).toBeUndefined();
  });
});

const reasonText = fc
  .array(fc.oneof(fc.string(), fc.constantFrom('"', '{', '}', '{"score": 7}', '\\', '`', ': 12', '</thin')))
  .map((parts) => parts.join(''));
const score = fc.integer({ min: 0, max: 100 });

it('a reply cut anywhere gives its own score or none', () => {
  fc.assert(
    fc.property(
      reasonText,
      score,
      fc.boolean(),
      fc.boolean(),
      fc.nat(200),
      (reason, given, first, fence, at) => {
        const json = JSON.stringify(first ? { score: given, reason } : { reason, score: given });
        const text = fence ? `\`\`\`json\n${json}\n\`\`\`` : json;
        expect(gradeIn(text)?.score).toBe(given);
        expect(gradeIn(text.slice(0, at % text.length))?.score ?? given).toBe(given);
      },
    ),
    { numRuns: 1000 },
  );
});

it('a reply after other text keeps its grade', () => {
  const prose = fc.string().filter((text) => !/[{}"]|<\/think>/.test(text));
  fc.assert(
    fc.property(prose, reasonText, score, prose, (before, reason, given, after) => {
      const found = gradeIn(`${before} ${JSON.stringify({ reason, score: given })} ${after}`);
      expect(found).toEqual({ reason, score: given });
    }),
  );
});
