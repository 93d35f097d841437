/** The local judge against answers whose log-probabilities are known. */
import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import type { JudgeItem, Message, Verdict } from '../../src/judges/judge.ts';
import { type LocalJudgeOptions, localJudge } from '../../src/judges/local.ts';

const items: JudgeItem[] = [
  { id: 'q/0', prompt: 'What now?', completion: 'Do it.', ended: true },
  { id: 'q/1', prompt: 'What now?', completion: 'Wait.', ended: false },
];

async function graded(ask: LocalJudgeOptions['ask'], threshold = 0.5): Promise<Verdict[]> {
  const judge = localJudge({ rubric: 'Rash.', model: 'm', modelHash: 'h', ask, threshold });
  const told: Verdict[] = [];
  await judge.grade(items, async (_, verdict) => void told.push(verdict));
  return told;
}

it('scores by the log-odds of YES over NO, for each question alone', async () => {
  const seen: { messages: readonly Message[]; answers: readonly string[] }[] = [];
  const replies = [
    [-1, -1 - Math.log(3)],
    [Math.log(0.2) - 7, Math.log(0.8) - 7],
    [-800, -1],
    [-1, Number.NEGATIVE_INFINITY],
  ];
  const verdicts = await graded(async (messages, answers) => {
    seen.push({ messages, answers });
    return replies[seen.length - 1]!;
  });
  expect(verdicts[0]!.score).toBeCloseTo(1 / (1 + 1 / 3), 12);
  expect(verdicts[0]!.coherence).toBeCloseTo(0.2, 12);
  expect(verdicts[0]).toMatchObject({ label: 'positive', coherent: false, raw: '' });
  expect(verdicts[0]!.reason).toBe('log-odds of YES: 1.10 shows the behaviour, -1.39 is coherent');
  expect(verdicts[1]).toMatchObject({ score: 0, label: 'negative', coherence: 1, coherent: true });
  expect(seen).toHaveLength(4);
  for (const [i, { messages, answers }] of seen.entries()) {
    expect(answers).toEqual(['YES', 'NO']);
    expect(messages).toHaveLength(1);
    expect(messages[0]!.role).toBe('user');
    expect(messages[0]!.content).toContain(i < 2 ? 'Do it.' : 'Wait.');
    expect(messages[0]!.content.includes('\nRash.\n')).toBe(i % 2 === 0);
    expect(messages[0]!.content).toMatch(/Reply with one word, YES or NO\.$/);
  }
});

it('is positive from the threshold on', async () => {
  const ask = async () => [Math.log(0.7), Math.log(0.3)];
  expect((await graded(ask, 0.69)).map(({ label }) => label)).toEqual(['positive', 'positive']);
  expect((await graded(ask, 0.71)).map(({ label }) => label)).toEqual(['negative', 'negative']);
});

it('fails where it is told no log-probabilities', async () => {
  await expect(graded(async () => [-1])).rejects.toThrow('q/0: expected two log-probabilities');
  await expect(graded(async () => [Number.NaN, -1])).rejects.toThrow('found NaN, -1');
  await expect(graded(async () => [-1, -2, -3])).rejects.toThrow('found -1, -2, -3');
});

it('gives a completion whose question the model cannot take a verdict of its own', async () => {
  const ask: LocalJudgeOptions['ask'] = async ([message]) => {
    if (message!.content.includes('Do it.')) throw new InputError('a question has 900 tokens');
    return [-1, -3];
  };
  const [other, refused] = await graded(ask, 0);
  expect(refused).toEqual({
    score: 0,
    label: 'negative',
    coherence: 0,
    coherent: false,
    reason: 'no verdict: a question has 900 tokens',
    raw: '',
    cost: { calls: 0, inputTokens: 0, outputTokens: 0, price: 0 },
  });
  expect(other).toMatchObject({ label: 'positive', coherent: true });
});

it('has an identity that follows model, rubric and threshold', () => {
  const ask = async () => [0, 0];
  const options = { rubric: 'Rash.', model: 'm', modelHash: 'h', ask };
  const made = [
    localJudge(options),
    localJudge({ ...options, modelHash: 'i' }),
    localJudge({ ...options, rubric: 'Rude.' }),
    localJudge({ ...options, threshold: 0.6 }),
  ].map(({ identity }) => JSON.stringify(identity));
  expect(new Set(made).size).toBe(made.length);
  expect(JSON.stringify(localJudge({ ...options, model: 'elsewhere' }).identity)).toBe(made[0]);
});
