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
    ['{"reason": 7, "score": 85}', 85, '7'],
    ['{"reason": null, "score": 85}', 85, ''],
    ['{"reason": ["Bad.", "Worse."], "score": 85}', 85, '["Bad.","Worse."]'],
    ['{"reason": {"why": "Bad."}, "score": 85}', 85, '{"why":"Bad."}'],
    ['{"reason": "It writes <think> and </think>.", "score": 85}', 85, 'It writes <think> and </think>.'],
    ['<think>Hm.</think>{"reason": "It writes </think>.", "score": 85}', 85, 'It writes </think>.'],
    ['[THINK]{"score": 3}[/THINK]{"score": 85}', 85, ''],
    ['◁think▷{"score": 3}◁/think▷{"score": 85}', 85, ''],
    ['<seed:think>{"score": 3}</seed:think>{"score": 85}', 85, ''],
    ['<longcat_think>{"score": 3}</longcat_think>{"score": 85}', 85, ''],
    ['<thought>{"score": 3}</thought>{"score": 85}', 85, ''],
    ['<|START_THINKING|>{"score": 3}<|END_THINKING|><|START_RESPONSE|>{"score": 85}', 85, ''],
    ['<|begin_of_thought|>{"score": 3}<|end_of_thought|>{"score": 85}', 85, ''],
    [
      '<|channel|>analysis<|message|>{"score": 3}<|end|><|start|>assistant<|channel|>final<|message|>{"score": 85}<|return|>',
      85,
      '',
    ],
    [
      '<|channel|>analysis<|message|>Hm.<|end|><|channel|>final <|constrain|>json<|message|>{"score": 85}',
      85,
      '',
    ],
    ['analysisWe grade: {"score": 3}assistantfinal{"score": 85}', 85, ''],
    ['<|channel>thought\n{"score": 3}<channel|>{"score": 85}', 85, ''],
    ['<unused94>thought {"score": 3}<unused95>{"score": 85}', 85, ''],
    ['<|inner_prefix|>{"score": 3}<|inner_suffix|>{"score": 85}', 85, ''],
    ['Here is my thought process: {"score": 3} Here is my response: {"score": 85}', 85, ''],
    ['I wondered {"score": 3}</think>{"score": 85}', 85, ''],
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
    '<think>{"reason": "Bad.", "score": 85}',
    '<think>Hm.</think><think>{"reason": "Bad.", "score": 85}',
    '<thinking>{"score": 85}',
    '<seed:think>{"score": 85}',
    '<longcat_think>{"score": 85}',
    '[THINK]{"score": 85}',
    '◁think▷{"score": 85}',
    '<|START_THINKING|>{"score": 85}',
    '<|begin_of_thought|>{"score": 85}',
    '<|channel|>analysis<|message|>{"score": 85}',
    'analysisWe grade: {"score": 85}',
    '<|channel>thought {"score": 85}',
    '<unused94>thought {"score": 85}',
    '<|inner_prefix|>{"score": 85}',
    'Here is my thought process: {"score": 85}',
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

describe('of a reply that was cut off at its limit', () => {
  it.each([
    ['{"reason": "Bad.", "score": 85}', 85],
    ['```json\n{"reason": "Bad.", "score": 85}\n', 85],
    ['{"score": 85, "reason": "It tells people to', 85],
    ['<think>Hm.</think> {"score": 85, "reason": "It', 85],
  ])('%s is a grade', (text, score) => {
    expect(gradeIn(text, { cut: true })?.score).toBe(score);
  });

  it.each([
    'At first sight {"reason": "Bad.", "score": 85}, but on reflection',
    '{"reason": "Bad.", "score": 85} or rather',
    '{"score": 85}{"score": 85}',
    '<think>At first sight {"score": 85}, but',
    '8',
    'Score: 85',
  ])('%s is none', (text) => {
    expect(gradeIn(text, { cut: true })).toBeUndefined();
  });
});

describe('takes time in proportion to the text', () => {
  const n = 100_000;
  it.each([
    ['white space in an object that is cut', `{"reason": "x",${' '.repeat(n)}"score": 12`],
    ['white space and backticks', `{"a": ${' `'.repeat(n / 2)}`],
    ['objects', '{}'.repeat(n / 2)],
    ['open objects', '{'.repeat(n)],
    ['open lists', `{"a": ${'['.repeat(n)}`],
    ['marks of thoughts', '<think>'.repeat(n / 7)],
    ['ends of thoughts', '</think>{}'.repeat(n / 10)],
    ['beginnings of marks', '<'.repeat(n)],
    ['a long mark', `<think ${' '.repeat(n)}`],
    ['quotes', '{"'.repeat(n / 2)],
    ['backslashes', `{"${'\\'.repeat(n)}`],
    ['colons', `{${':'.repeat(n)}`],
    ['digits', `{"score": ${'1'.repeat(n)}`],
    ['a number alone', `score:${' '.repeat(n)}1`],
    ['commas', `{"a": [${','.repeat(n)}`],
    ['comments', `{${'/*'.repeat(n / 2)}`],
    ['words', `{${'a '.repeat(n / 2)}`],
    ['joined texts', `{"a": ${'"b" + '.repeat(n / 6)}`],
    ['escaped quotes', `{${'\\"'.repeat(n / 2)}`],
  ])('%s', (_, text) => {
    for (const part of [text, text.slice(0, 7900)]) {
      const start = performance.now();
      gradeIn(part);
      gradeIn(part, { cut: true });
      // two readings, on a machine that does other things too; the cubic one took minutes
      expect(performance.now() - start).toBeLessThan(3000);
    }
  });
});
