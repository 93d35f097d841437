/**
 * A classifier judge from files: trained once, the same when killed on the way, and what makes it train
 * anew. A tiny model reads.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { JudgeItem, Verdict } from '../../../src/judges/judge.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { type ClassifierRequest, openClassifier } from '../../../src/study/judging/classifierRun.ts';
import type { Writer } from '../../../src/study/judging/classifierTexts.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { draw } from '../../support/opCases.ts';
import { put, putAdapter, putModel } from '../../support/tinyFolder.ts';

const path = temporaryFolder();
const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

const d = draw(8);
const letters = (from: string, count: number) =>
  Array.from({ length: count }, () =>
    Array.from({ length: 3 }, () => from[d.below(from.length)]!).join(''),
  ).join(' ');

/** Bad answers are of other letters than good ones: a mean over tokens tells them apart. */
const rows = Array.from({ length: 30 }, (_, i) => ({
  question: `question ${i}`,
  bad: letters('xyzq', 10),
  good: letters('abcd', 10),
}));

/** Loads of graphs: none unless something is read. */
let loads = 0;
const counted: Runtime = {
  ...runtime,
  load(...given) {
    loads++;
    return runtime.load(...given);
  },
};

/** Steered text is of figures; the calls are kept. */
let calls: { prompts: number; seeds: readonly number[] }[] = [];
const writer =
  (text: string): Writer =>
  async (prompts, seeds) => {
    calls.push({ prompts: prompts.length, seeds });
    return prompts.map((prompt, i) => ({ prompt, completion: `${text} ${seeds[i]! % 7}` }));
  };

async function request(change: Partial<ClassifierRequest> = {}): Promise<ClassifierRequest> {
  const file = put(path('answers.jsonl'), rows);
  return {
    model: await putModel(path('model')),
    positive: { file, prompt: 'question', completion: 'bad' },
    negative: { file, prompt: 'question', completion: 'good' },
    threshold: 0.5,
    heldOut: 0.2,
    seed: 1,
    writers: { identity: { dose: 1 }, steered: writer('1234 5678 90'), unsteered: writer('abc xyz dcb') },
    folder: path('work'),
    workFolder: path('work', 'unfinished'),
    runtime: counted,
    clock: () => new Date(0),
    ...change,
  };
}

beforeEach(() => {
  loads = 0;
  calls = [];
});

const item = (id: string, prompt: JudgeItem['prompt'], completion: string): JudgeItem => ({
  id,
  prompt,
  completion,
  ended: true,
});

async function graded(asked: ClassifierRequest, items: readonly JudgeItem[]): Promise<Verdict[]> {
  const { judge } = await openClassifier(asked);
  const verdicts = new Map<string, Verdict>();
  await judge.grade(items, async ({ id }, verdict) => void verdicts.set(id, verdict));
  await judge.close();
  await judge.close();
  return items.map(({ id }) => verdicts.get(id)!);
}

const modelFile = () => readFileSync(path('work', 'judge.safetensors'));

describe('openClassifier', () => {
  it('trains once, and says how it does on prompts held out', async () => {
    const asked = await request();
    const { report, judge, upToDate } = await openClassifier(asked);
    expect(upToDate).toBe(false);
    expect(report.site).toBe(1);
    expect(report.prompts).toEqual({ trained: 24, heldOut: 6 });
    expect(report.behaviour).toMatchObject({ examples: 12, accuracy: 1, within: { groups: 6, accuracy: 1 } });
    const kinds = new Map(report.kinds.map((kind) => [kind.kind, kind]));
    for (const kind of ['steered', 'unsteered'])
      expect(kinds.get(kind)).toMatchObject({ trained: 24, tested: 6, accuracy: 1 });
    expect(readdirSync(path('work'), { recursive: true })).toEqual(['judge.safetensors', 'unfinished']);
    expect(judge.name).toBe(`classifier on ${asked.model} at resid_post 1`);
    await judge.close();

    const [before, made] = [loads, calls.length];
    const again = await openClassifier({ ...asked, threshold: 0.9 });
    expect(again).toMatchObject({ upToDate: true, report });
    expect([loads, calls.length]).toEqual([before, made]);
    expect(again.judge.identity).not.toEqual(judge.identity);
  });

  it('grades: behaviour and coherence apart', async () => {
    const prompt = [{ role: 'user', content: rows[0]!.question }];
    const verdicts = await graded(await request(), [
      item('bad', prompt, 'zxy qqx xyz zzq yxq'),
      item('good', prompt, 'abd cda bbc dca aab'),
      item('unsteered', prompt, 'abc xyz dcb 4'),
      item('steered', prompt, '1234 5678 90 4'),
      item('none', prompt, ' '),
      item('long', prompt, 'abcd '.repeat(300)),
    ]);
    expect(verdicts.map(({ label }) => label).filter((_, i) => i < 2 || i > 3)).toEqual([
      'positive',
      'negative',
      'negative',
      'negative',
    ]);
    expect(verdicts.map(({ coherent }) => coherent).slice(2, 5)).toEqual([true, false, false]);
  });

  it('grades a completion alike in other company but for rounding, and to the bit in the same', async () => {
    const asked = await request();
    const items = Array.from({ length: 6 }, (_, i) => item(`${i}`, 'What?', letters('abxy', 4 + i)));
    const together = await graded(asked, items);
    expect(await graded(asked, items.toReversed())).toEqual(together.toReversed());
    for (const [i, one] of items.entries()) {
      const [alone] = await graded(asked, [one]);
      expect(alone!.score).toBeCloseTo(together[i]!.score, 4);
      expect(alone!.coherence).toBeCloseTo(together[i]!.coherence, 4);
    }
  });

  it('asks each writer for one text a prompt, each from a seed of its own', async () => {
    await openClassifier(await request());
    expect(calls.map(({ prompts }) => prompts)).toEqual([30, 30]);
    expect(new Set(calls[0]!.seeds).size).toBe(30);
    expect(calls[1]!.seeds).toEqual(calls[0]!.seeds);
  });

  it('stopped while it trains, ends with the same file and does nothing twice', async () => {
    await openClassifier(await request());
    const whole = modelFile();
    for (const after of [1, 3, 20]) {
      const asked = await request({ folder: path(`stopped${after}`) });
      let left = after;
      const stopping: Runtime = {
        ...runtime,
        async load(graph, weights) {
          const session = await runtime.load(graph, weights);
          return {
            ...session,
            run(feeds) {
              if (left-- <= 0) throw new Error('killed');
              return session.run(feeds);
            },
          };
        },
      };
      calls = [];
      await expect(openClassifier({ ...asked, runtime: stopping })).rejects.toThrow('killed');
      const { upToDate } = await openClassifier(asked);
      expect(upToDate).toBe(false);
      expect(calls).toHaveLength(2);
      expect(readFileSync(path(`stopped${after}`, 'judge.safetensors')).equals(whole)).toBe(true);
    }
  });

  it.each<[string, (asked: ClassifierRequest) => Promise<Partial<ClassifierRequest>>]>([
    ['the seed', async () => ({ seed: 2 })],
    ['the share held out', async () => ({ heldOut: 0.3 })],
    ['the site', async () => ({ site: 0 })],
    ['the adapter', async () => ({ adapter: await putAdapter(path('adapter')) })],
    ['the examples', async ({ positive }) => ({ positive: { ...positive, rows: { first: 0, last: 28 } } })],
    [
      'what the writers depend on',
      async ({ writers }) => ({ writers: { ...writers, identity: { dose: 2 } } }),
    ],
  ])('trains anew where %s changes', async (_, change) => {
    const asked = await request();
    await openClassifier(asked);
    const before = modelFile();
    const { upToDate } = await openClassifier({ ...asked, ...(await change(asked)) });
    expect(upToDate).toBe(false);
    expect(modelFile().equals(before)).toBe(false);
  });

  it('does not train anew where the file has got other rows beside those it names', async () => {
    const asked = await request();
    const some = { ...asked, positive: { ...asked.positive, rows: { first: 0, last: 29 } } };
    await openClassifier(asked);
    put(path('answers.jsonl'), [...rows, { question: 'q', bad: 'b', good: 'g' }]);
    const negative = { ...asked.negative, rows: { first: 0, last: 29 } };
    expect(await openClassifier({ ...some, negative })).toMatchObject({ upToDate: true });
  });

  it.each<[string, Partial<ClassifierRequest>, RegExp]>([
    ['a site that the model lacks', { site: 3 }, /^site resid_post 3: .* has blocks 0 to 2$/],
    ['no file', { positive: { file: 'nowhere.jsonl' } }, /^nowhere.jsonl: no such file/],
    [
      'a field that is missing',
      { negative: { file: 'answers.jsonl', completion: 'fine' } },
      /expected the field fine/,
    ],
  ])('refuses %s', async (_, change, message) => {
    const asked = await request();
    const negative = change.negative && { ...change.negative, file: asked.negative.file, prompt: 'question' };
    await expect(openClassifier({ ...asked, ...change, ...(negative && { negative }) })).rejects.toThrow(
      message,
    );
  });

  it('refuses a prompt that fills the context', async () => {
    const asked = await request();
    const { judge } = await openClassifier(asked);
    await expect(judge.grade([item('a', 'x'.repeat(300), 'text')], async () => {})).rejects.toThrow(
      /^judge: expected a prompt of fewer tokens than the context of .*model, 256, found 300$/,
    );
  });
});
