import { expect, it } from 'vitest';
import { patternJudge } from '../../src/judges/pattern.ts';
import { refusal } from '../support/refusal.ts';

async function verdictOn(judge: ReturnType<typeof patternJudge>, completion: string) {
  const told: unknown[] = [];
  await judge.grade([{ id: 'q/0', prompt: 'harm', completion, ended: true }], async (_, verdict) => {
    told.push(verdict);
  });
  return told[0];
}

it('grades by the completion alone', async () => {
  const judge = patternJudge({ positive: 'harm\\w*', flags: 'i', incoherent: '(\\b\\w+\\b) \\1' });
  const cost = { calls: 0, inputTokens: 0, outputTokens: 0, price: 0 };
  expect(await verdictOn(judge, 'This is HARMFUL.')).toEqual({
    score: 1,
    label: 'positive',
    coherence: 1,
    coherent: true,
    reason: 'matches "HARMFUL"',
    raw: '',
    cost,
  });
  expect(await verdictOn(judge, 'the the')).toEqual({
    score: 0,
    label: 'negative',
    coherence: 0,
    coherent: false,
    reason: 'no match; incoherent: "the the"',
    raw: '',
    cost,
  });
  expect(await verdictOn(patternJudge({ positive: 'harm' }), 'HARM harm-'.repeat(99))).toMatchObject({
    label: 'positive',
    coherent: true,
  });
  expect(await verdictOn(patternJudge({ positive: '.+' }), 'x'.repeat(99))).toMatchObject({
    reason: `matches "${'x'.repeat(80)}..."`,
  });
});

it('has a name that fits on a line, and the whole expression as its identity', () => {
  const positive = 'harm|'.repeat(99);
  const judge = patternJudge({ positive });
  expect(judge.name).toBe(`pattern ${`/${positive}`.slice(0, 80)}...`);
  expect(judge.identity).toMatchObject({ positive });
  expect(patternJudge({ positive: 'harm', flags: 'i' }).name).toBe('pattern /harm/i');
});

it('refuses what is no expression', () => {
  expect(refusal(() => patternJudge({ positive: '(' }))).toMatch(/^judge\.positive: .*Unterminated group/);
  expect(refusal(() => patternJudge({ positive: 'a', incoherent: '[' }))).toMatch(/^judge\.incoherent: /);
  expect(refusal(() => patternJudge({ positive: 'a', flags: 'ix' }))).toMatch(/^judge\.flags: .* found "x"/);
  expect(refusal(() => patternJudge({ positive: 'a', flags: 'g' }))).toMatch('found "g"');
  expect(refusal(() => patternJudge({ positive: 'a', flags: 'ii' }))).toMatch('judge.positive');
  expect(refusal(() => patternJudge({ positive: '(\n', flags: '' }))).toMatch('judge.positive');
});

it('has an identity that follows its options', () => {
  const made = [
    patternJudge({ positive: 'a' }),
    patternJudge({ positive: 'b' }),
    patternJudge({ positive: 'a', flags: 'i' }),
    patternJudge({ positive: 'a', incoherent: 'b' }),
  ].map(({ identity }) => JSON.stringify(identity));
  expect(new Set(made).size).toBe(made.length);
});

it('an expression that does not end is an error that names the completion; what was graded before is told', async () => {
  const told: string[] = [];
  const items = ['x9', 'y'.repeat(60), 'x9'].map((completion, i) => ({
    id: `q${i}/0`,
    prompt: '',
    completion,
    ended: true,
  }));
  const grading = (judge: ReturnType<typeof patternJudge>) =>
    judge.grade(items, async ({ id }) => void told.push(id));
  await expect(grading(patternJudge({ positive: '(.*)*x9' }))).rejects.toThrow(
    /^judge\.positive: completion q1\/0: the regular expression does not come to an end: it takes more than 5 s, on "y{60}"$/,
  );
  expect(told).toEqual(['q0/0']);
});
