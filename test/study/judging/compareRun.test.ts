/** Two judges on a labelled file: which completions are compared, and the numbers, against counts by hand. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { free, type Judge, type Verdict } from '../../../src/judges/judge.ts';
import { type CompareRequest, compareJudges } from '../../../src/study/judging/compareRun.ts';
import { silent } from '../../../src/study/open/progress.ts';
import { openStudyJudge } from '../../../src/study/run/studyJudge.ts';
import { contentOf } from '../../../src/study/store/contentHash.ts';
import { lockHolder, lockStudy } from '../../../src/study/store/lock.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { put } from '../../support/tinyFolder.ts';

const path = temporaryFolder();

/** Labels as many files write them; three prompts. */
const rows = [
  { id: 'a', prompt: 'p', completion: 'bad 0.9', label: 'positive' },
  { id: 'b', prompt: 'p', completion: 'bad 0.8', label: true },
  { id: 'c', prompt: 'q', completion: 'good 0.2', label: 'False' },
  { id: 'd', prompt: 'q', completion: 'bad 0.4', label: 1 },
  { id: 'e', prompt: 'r', completion: 'good 0.7', label: '0' },
  { id: 'f', prompt: 'r', completion: 'broken 0.1', label: 'positive' },
];

/** Scores a completion by the number in it; broken ones are incoherent. Says what was opened and closed. */
function byNumber(log: string[] = [], stopAfter = Number.POSITIVE_INFINITY): CompareRequest['openJudge'] {
  return async (file): Promise<Judge> => ({
    name: `numbers of ${file}`,
    identity: {},
    async grade(items, onVerdict) {
      for (const [i, item] of items.entries()) {
        if (i === stopAfter) return { stopped: 'the budget is used up' };
        const score = Number(item.completion.split(' ')[1]);
        const coherent = !item.completion.startsWith('broken');
        const verdict: Verdict = {
          score,
          label: score >= 0.5 ? 'positive' : 'negative',
          coherence: Number(coherent),
          coherent,
          reason: '',
          raw: '',
          cost: free,
        };
        await onVerdict(item, verdict);
      }
      log.push(`graded ${items.length}`);
      return {};
    },
    close: async () => void log.push(`closed ${file}`),
  });
}

function compare(change: Partial<CompareRequest> = {}) {
  const file = change.file ?? put(path('labelled.jsonl'), rows);
  return compareJudges({ file, a: 'judge.yaml', b: 'label', openJudge: byNumber(), seed: 1, ...change });
}

describe('compareJudges', () => {
  it("holds a judge against the file's labels", async () => {
    const log: string[] = [];
    const found = await compare({ openJudge: byNumber(log) });
    expect(log).toEqual(['graded 6', 'closed judge.yaml']);
    expect(found).toMatchObject({
      a: { name: 'numbers of judge.yaml', missing: 0, incoherent: 1 },
      b: { name: 'label', missing: 0, incoherent: 0 },
      items: 6,
      compared: 5,
      prompts: 3,
      table: { both: 2, onlyA: 1, onlyB: 1, neither: 1 },
    });
    const { accuracy, kappa, aucA, aucB } = found.statistics;
    expect(accuracy.value).toBeCloseTo(3 / 5, 12);
    // Chance: 3/5 · 3/5 + 2/5 · 2/5.
    expect(kappa.value).toBeCloseTo((0.6 - 0.52) / 0.48, 12);
    // Of the 3 × 2 pairs only 0.4 against 0.7 is in the wrong order.
    expect(aucA.value).toBeCloseTo(5 / 6, 12);
    // Labels as scores: of those pairs two are right, three ties count half, one is wrong.
    expect(aucB.value).toBeCloseTo(3.5 / 6, 12);
    for (const { value, low, high } of [accuracy, aucA]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
  });

  it('shows what they disagree about, the furthest apart first', async () => {
    const { disagreements } = await compare();
    expect(disagreements.map(({ item, a, b }) => [item.id, a.score, b.score])).toEqual([
      ['e', 0.7, 0],
      ['d', 0.4, 1],
    ]);
  });

  it('changing places changes nothing but the places', async () => {
    const there = await compare();
    const back = await compare({ a: 'label', b: 'judge.yaml' });
    expect(back.table).toEqual({ ...there.table, onlyA: there.table.onlyB, onlyB: there.table.onlyA });
    expect(back.statistics.kappa).toEqual(there.statistics.kappa);
    expect(back.statistics.aucA).toEqual(there.statistics.aucB);
    expect([back.a, back.b]).toEqual([there.b, there.a]);
  });

  it('a label agrees with itself', async () => {
    const { statistics, compared, disagreements } = await compare({ a: 'label' });
    expect(compared).toBe(6);
    for (const { value, low, high } of Object.values(statistics)) {
      expect(value).toBe(1);
      expect(low <= 1 && high === 1).toBe(true);
    }
    expect(disagreements).toEqual([]);
  });

  it('intervals are over prompts, by the seed', async () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 5 }, () => ({
        prompt: `p${i}`,
        completion: `x ${i % 4 === 0 ? 0.9 : 0.1}`,
        label: i % 2,
      })),
    ).flat();
    const file = put(path('many.jsonl'), many);
    const { accuracy } = (await compare({ file })).statistics;
    // Right for 10 of 40 prompts, all five or none: the interval is that of 40, not of 200.
    expect(accuracy.value).toBeCloseTo(0.25, 12);
    const error = Math.sqrt((0.25 * 0.75) / 40);
    expect(accuracy.high - accuracy.low).toBeGreaterThan(3.2 * error);
    expect(accuracy.high - accuracy.low).toBeLessThan(4.6 * error);
    expect((await compare({ file })).statistics.accuracy).toEqual(accuracy);
  });

  it('grades of a file are joined by id; what only one has rated is left out and counted', async () => {
    const grades = [
      { id: 'a', score: 0.6, label: 'positive', content: contentOf('p', 'bad 0.9'), judge: 'x' },
      { id: 'c', score: 0.1, label: 'negative' },
      { id: 'd', score: 0.9, label: 'positive', coherent: false },
      { id: 'elsewhere', score: 1, label: 'positive' },
    ];
    const spec = `grades:${put(path('grades.jsonl'), grades)}`;
    const found = await compare({ a: spec });
    expect(found).toMatchObject({
      a: { missing: 3, incoherent: 1 },
      compared: 2,
      table: { both: 1, onlyA: 0, onlyB: 0, neither: 1 },
    });
    expect(await compare({ a: spec, b: spec })).toMatchObject({
      compared: 2,
      statistics: { kappa: { value: 1 } },
    });
  });

  it('a judge that stops before the end is compared as far as it got, and said to have stopped', async () => {
    const notes: string[] = [];
    const progress = {
      stage: () => ({ advance() {}, end() {} }),
      note: (line: string) => void notes.push(line),
    };
    const found = await compare({ openJudge: byNumber([], 2), progress });
    expect(found).toMatchObject({ a: { missing: 4 }, compared: 2 });
    expect(notes).toEqual(['numbers of judge.yaml stopped: the budget is used up']);
  });

  it("takes a study's completions, and the columns of others", async () => {
    const completions = rows.map(({ id, prompt, completion }) => ({
      id,
      prompt,
      text: completion,
      stop: 'end',
    }));
    const grades = rows.map(({ id }, i) => ({ id, score: i / 6, label: i < 3 ? 'negative' : 'positive' }));
    const a = `grades:${put(path('grades.jsonl'), grades)}`;
    const found = await compare({ file: put(path('completions.jsonl'), completions), a, b: 'judge.yaml' });
    expect(found).toMatchObject({ items: 6, compared: 5 });
    const csv = put(
      path('judged.csv'),
      'question,answer,aligned,coherent\np,x 0.9,5,90\np,x 0.1,95,90\nq,x 0.8,90,90\n',
    );
    expect(await compare({ file: csv })).toMatchObject({
      table: { both: 1, onlyA: 1, onlyB: 0, neither: 1 },
    });
  });

  it.each<[string, () => Partial<CompareRequest>, RegExp]>([
    ['no file', () => ({ file: 'nowhere.jsonl' }), /^nowhere.jsonl: no such file/],
    [
      'an empty file',
      () => ({ file: put(path('none.jsonl'), '') }),
      /none.jsonl: expected completions, found none$/,
    ],
    [
      'labels that are none',
      () => ({ file: put(path('odd.jsonl'), [{ prompt: 'p', completion: 'c', label: 'so so' }]) }),
      /odd.jsonl:1: label: expected positive or negative/,
    ],
    [
      'a file without labels',
      () => ({ file: put(path('bare.jsonl'), [{ prompt: 'p', completion: 'c 1' }]) }),
      /bare.jsonl: expected labels in the field/,
    ],
    [
      'an id twice',
      () => ({ file: put(path('twice.jsonl'), [rows[0]!, rows[0]!]) }),
      /twice.jsonl:2: id: "a" is in this file twice/,
    ],
    [
      'grades of other completions',
      () => ({ a: `grades:${put(path('g.jsonl'), [{ id: 'z', score: 1, label: 'positive' }])}` }),
      /expected completions that both .*g.jsonl and label rate, found none$/,
    ],
    [
      'a grade of another text',
      () => ({
        a: `grades:${put(path('g.jsonl'), [{ id: 'a', score: 1, label: 'positive', content: 'x' }])}`,
      }),
      /g.jsonl: "a": expected a grade of this completion, found one of another text$/,
    ],
  ])('refuses %s', async (_, change, message) => {
    const attempt = compare(change());
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(message);
  });
});

describe('a judge that is named by a file', () => {
  const studyOf = (name: string, judge: object) =>
    put(
      path(`${name}/study.yaml`),
      JSON.stringify({
        behaviour: { name: 'letter', rubric: 'Is there a letter?' },
        subject: { model: 'no-model' },
        sae: { path: 'no-sae' },
        prompts: { file: 'prompts.jsonl', discovery: 1 },
        judge,
      }),
    );
  const pattern = { kind: 'pattern', positive: '^bad' };
  const classifier = { kind: 'classifier', positive: 'a.jsonl', negative: 'b.jsonl' };

  it("is the study's, by its file or its folder", async () => {
    const file = studyOf('pattern', pattern);
    for (const a of [file, path('pattern')])
      expect(await compare({ a, openJudge: openStudyJudge, resamples: 10 })).toMatchObject({
        a: { name: 'pattern /^bad/' },
        table: { both: 3, onlyA: 0, onlyB: 1, neither: 2 },
      });
  });

  it.each<[string, () => string, RegExp]>([
    ['that is not there', () => 'lable', /^lable: expected a judge \(.*\), found no such file$/],
    [
      'of grades without the word',
      () => put(path('g.jsonl'), [{ id: 'a', score: 1, label: 'positive' }]),
      /g\.jsonl: expected a judge \(label, grades:FILE, or a study\.yaml or its folder\), found a file whose name .*grades: before/,
    ],
    ['a folder without a study', () => path('.'), /expected a folder with study\.yaml/],
  ])('is refused where it is one %s', async (_, file, message) => {
    const attempt = compare({ a: file(), openJudge: openStudyJudge });
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(message);
  });

  it("has the study's folder to itself where it is trained into it, and only then", async () => {
    studyOf('taught', classifier);
    const folder = path('taught');
    const unlock = await lockStudy(folder, () => new Date());
    await expect(openStudyJudge(folder, silent)).rejects.toThrow(/^another run .* is working in/);
    await unlock();
    await expect(openStudyJudge(folder, silent)).rejects.toThrow(/no-sae|no-model/);
    expect(await lockHolder(folder)).toBeUndefined();
    studyOf('busy', pattern);
    const release = await lockStudy(path('busy'), () => new Date());
    await (await openStudyJudge(path('busy'), silent)).close();
    await release();
  });
});
