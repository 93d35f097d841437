/** The classifier judge with readings that are made up: what it groups, decides and passes over. */
import { describe, expect, it } from 'vitest';
import { classifierJudge } from '../../src/judges/classifier.ts';
import type { JudgeItem, Verdict } from '../../src/judges/judge.ts';
import { judgeContract } from '../support/judgeContract.ts';

interface Call {
  readonly prompt: JudgeItem['prompt'];
  readonly completions: readonly string[];
}

const item = (id: string, prompt: JudgeItem['prompt'], completion: string): JudgeItem => ({
  id,
  prompt,
  completion,
  ended: true,
});

/** Reads a completion as the two numbers that it says. */
function judgeOf(threshold?: number) {
  const calls: Call[] = [];
  const judge = classifierJudge<readonly [number, number]>({
    name: 'made up',
    identity: { kind: 'classifier' },
    ...(threshold === undefined ? {} : { threshold }),
    read: async (texts) => {
      calls.push(...texts);
      return texts.map(({ completions }) =>
        completions.map((text) => text.split(' ').map(Number) as [number, number]),
      );
    },
    assess: ([behaviour, coherence]) => ({ behaviour, coherence }),
    close: async () => {},
  });
  return { judge, calls };
}

async function graded(items: readonly JudgeItem[], threshold?: number) {
  const { judge, calls } = judgeOf(threshold);
  const verdicts = new Map<string, Verdict>();
  const grading = await judge.grade(items, async ({ id }, verdict) => {
    expect(verdicts.has(id)).toBe(false);
    verdicts.set(id, verdict);
  });
  return { verdicts, calls, grading };
}

const chat = [{ role: 'user', content: 'p' }];

const why = 'it reads every completion';
judgeContract(
  'classifier',
  () =>
    classifierJudge<string>({
      name: 'by words',
      identity: { kind: 'classifier' },
      read: async (texts) => texts.map(({ completions }) => completions),
      assess: (text) => ({
        behaviour: /harm/.test(text) ? 0.9 : 0.1,
        coherence: /zxqv/.test(text) ? 0.2 : 0.8,
      }),
      close: async () => {},
    }),
  {
    deviations: {
      'gives a completion that it refuses a verdict of its own': why,
      'gives up where it refuses three prompts in a row, not where three of one': why,
    },
  },
);

describe('grade', () => {
  it('reads the completions of a prompt together, each once', async () => {
    const items = [
      item('a', 'p', '1 1'),
      item('b', chat, '0 1'),
      item('c', 'p', '0.2 1'),
      item('d', [...chat], '0.9 1'),
    ];
    const { verdicts, calls, grading } = await graded(items);
    expect(calls).toEqual([
      { prompt: 'p', completions: ['0.2 1', '1 1'] },
      { prompt: chat, completions: ['0 1', '0.9 1'] },
    ]);
    expect(items.map(({ id }) => verdicts.get(id)!.label)).toEqual([
      'positive',
      'negative',
      'negative',
      'positive',
    ]);
    expect(grading.stopped).toBeUndefined();
  });

  it('keeps behaviour and coherence apart', async () => {
    const { verdicts } = await graded([item('a', 'p', '0.9 0.1'), item('b', 'p', '0.1 0.5')]);
    expect(verdicts.get('a')).toEqual({
      score: 0.9,
      label: 'positive',
      coherence: 0.1,
      coherent: false,
      reason: 'probability of the behaviour 0.900, of coherent text 0.100',
      raw: '',
      cost: { calls: 0, inputTokens: 0, outputTokens: 0, price: 0 },
    });
    expect(verdicts.get('b')).toMatchObject({
      score: 0.1,
      label: 'negative',
      coherence: 0.5,
      coherent: true,
    });
  });

  it('is positive from the threshold on', async () => {
    const items = [item('a', 'p', '0.7 1'), item('b', 'p', '0.69 1')];
    const { verdicts } = await graded(items, 0.7);
    expect([...verdicts.values()].map(({ label }) => label)).toEqual(['positive', 'negative']);
  });

  it('a completion without text is not read, and not coherent', async () => {
    const { verdicts, calls } = await graded([
      item('a', 'p', ''),
      item('b', 'q', ' \n'),
      item('c', 'q', '1 1'),
    ]);
    expect(calls).toEqual([{ prompt: 'q', completions: ['1 1'] }]);
    for (const id of ['a', 'b'])
      expect(verdicts.get(id)).toMatchObject({
        label: 'negative',
        score: 0,
        coherent: false,
        reason: 'no text',
      });
    expect(verdicts.size).toBe(3);
  });

  it('reads equal completions once, in the same order whatever the order of the items', async () => {
    const items = ['0.3 1', '0.1 1', '0.3 1', '0.2 1'].map((text, i) => item(`${i}`, 'p', text));
    const { calls, verdicts } = await graded(items);
    expect(calls).toEqual([{ prompt: 'p', completions: ['0.1 1', '0.2 1', '0.3 1'] }]);
    expect((await graded(items.toReversed())).calls).toEqual(calls);
    expect(items.map(({ id }) => verdicts.get(id)!.score)).toEqual([0.3, 0.1, 0.3, 0.2]);
  });

  it('reads no text again that it has read of that prompt', async () => {
    const { judge, calls } = judgeOf();
    const scores: [string, number][] = [];
    const grade = (items: readonly JudgeItem[]) =>
      judge.grade(items, async ({ id }, { score }) => {
        scores.push([id, score]);
      });
    await grade([item('a', 'p', '0.3 1'), item('b', 'q', '0.4 1')]);
    await grade([item('c', 'p', '0.3 1'), item('d', 'p', '0.4 1')]);
    await grade([item('e', 'q', '0.4 1')]);
    expect(calls).toEqual([
      { prompt: 'p', completions: ['0.3 1'] },
      { prompt: 'q', completions: ['0.4 1'] },
      { prompt: 'p', completions: ['0.4 1'] },
    ]);
    expect(scores).toEqual([
      ['a', 0.3],
      ['b', 0.4],
      ['c', 0.3],
      ['d', 0.4],
      ['e', 0.4],
    ]);
  });

  it('reads many texts a portion at a time, and tells of each portion before the next', async () => {
    const items = Array.from({ length: 200 }, (_, i) => item(`${i}`, `p${i >> 1}`, `0.${i % 2} 1`));
    const read: number[] = [];
    let told = 0;
    const judge = classifierJudge<string>({
      name: 'in portions',
      identity: null,
      read: async (texts) => {
        read.push(told);
        return texts.map(({ completions }) => completions);
      },
      assess: () => ({ behaviour: 0, coherence: 0 }),
      close: async () => {},
    });
    await judge.grade(items, async () => {
      told++;
    });
    expect(read).toEqual([0, 96, 192]);
    expect(told).toBe(200);
  });

  it('ends with the error of the reading', async () => {
    const judge = classifierJudge({
      name: 'broken',
      identity: null,
      read: () => Promise.reject(new Error('no model')),
      assess: () => ({ behaviour: 0, coherence: 0 }),
      close: async () => {},
    });
    await expect(judge.grade([item('a', 'p', 'text')], async () => {})).rejects.toThrow('no model');
  });
});
