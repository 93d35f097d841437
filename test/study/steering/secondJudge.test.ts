/**
 * A second judge beside the first, by hand: from made verdicts, and in a whole small study that also asks for all that
 * the causal test can do beside removal and steering.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { effectOf } from '../../../src/methods/steering/effect.ts';
import { promptInterval } from '../../../src/methods/steering/promptInterval.ts';
import {
  completionRecord,
  decodeSteering,
  findingOf,
  type SteeringSummary,
  secondJudgeLines,
  steeredRecord,
  steeringSummarySchema,
} from '../../../src/results.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import {
  comparedOn,
  effectByBoth,
  type ShortVerdict,
  type TextOfFirst,
} from '../../../src/study/steering/secondJudge.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';

const yes: ShortVerdict = { positive: true, coherent: true };
const no: ShortVerdict = { positive: false, coherent: true };
const broken: ShortVerdict = { positive: false, coherent: false };

let made = 0;
const text = (prompt_id: string, first: ShortVerdict): TextOfFirst => ({
  item: { id: `${made++}`, prompt: prompt_id, completion: 'said', ended: true },
  prompt_id,
  first,
});

/** Texts of a prompt with what both say: pairs of first and second. */
function texts(
  pairs: readonly (readonly [prompt: string, first: ShortVerdict, second: ShortVerdict | undefined])[],
) {
  const judged = pairs.map(([prompt, first]) => text(prompt, first));
  const second = new Map(
    judged.flatMap(({ item }, i) => (pairs[i]![2] === undefined ? [] : [[item.id, pairs[i]![2]!] as const])),
  );
  return { judged, second };
}

describe('the first judge against the second', () => {
  // of 10: 4 both positive, 1 the first alone, 2 the second alone, 3 neither
  const { judged, second } = texts([
    ['a', yes, yes],
    ['a', yes, yes],
    ['a', no, yes],
    ['b', yes, no],
    ['b', no, no],
    ['b', yes, yes],
    ['c', no, no],
    ['c', no, no],
    ['c', no, yes],
    ['c', yes, yes],
    // not counted: incoherent to either, or without a verdict
    ['d', broken, yes],
    ['d', yes, broken],
    ['e', yes, undefined],
  ]);

  it('agrees, finds and errs as often as the texts say', () => {
    const found = comparedOn('changed', judged, second, 1);
    expect([found.compared, found.prompts]).toEqual([10, 3]);
    expect(found.agreement!.value).toBeCloseTo(0.7, 12);
    expect(found.sensitivity!.value).toBeCloseTo(4 / 6, 12);
    expect(found.specificity!.value).toBeCloseTo(3 / 4, 12);
    // chance: both positive .5 · .6, neither .5 · .4
    expect(found.kappa!.value).toBeCloseTo((0.7 - 0.5) / 0.5, 12);
    for (const { value, low, high } of [found.agreement!, found.kappa!, found.sensitivity!]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
  });

  it('nothing is defined without a text that both rate', () => {
    const none = comparedOn('completions', judged.slice(-3), second, 1);
    expect(none).toMatchObject({ compared: 0, prompts: 0, agreement: null, kappa: null });
  });
});

it('an effect by both is over the prompts that the second has rated whole', () => {
  const changed = texts([
    ['a', no, yes],
    ['a', no, no],
    ['b', no, no],
    ['b', yes, broken],
    ['c', no, undefined],
  ]);
  const alone = texts([
    ['a', yes, yes],
    ['a', yes, yes],
    ['b', yes, yes],
    ['b', no, no],
    ['c', yes, yes],
  ]);
  const second = new Map([...changed.second, ...alone.second]);
  const found = effectByBoth(changed.judged, alone.judged, second);
  expect(found.prompts).toBe(2);
  // first: 1 of 4 after, 3 of 4 alone; second: 1 of 3 coherent after, 3 of 4 alone
  expect(found.first!.value).toBeCloseTo(1 / 4 - 3 / 4, 12);
  expect(found.second!.value).toBeCloseTo(1 / 3 - 3 / 4, 12);
  const tally = (completions: number, coherent: number, positives: number) => ({
    completions,
    coherent,
    positives,
  });
  const prompts = [
    { steered: tally(2, 2, 1), alone: tally(2, 2, 2) },
    { steered: tally(2, 1, 0), alone: tally(2, 2, 1) },
  ];
  expect(found.second).toEqual({ value: effectOf(prompts), ...promptInterval(prompts) });
});

describe('a study with a second judge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-second-'));
  const study = join(folder, 'study');
  let tiny: TinyFolder;
  let summary: SteeringSummary;
  const readSummary = () =>
    steeringSummarySchema.parse(JSON.parse(readFileSync(join(study, 'steering.json'), 'utf8')));
  const steering = {
    ...smallSteering,
    held_tokens: ['all', 'completion'],
    subtract: true,
    system: true,
    topic_half: true,
  };
  const over = (second: string) => ({
    prompts: causalTestPrompts,
    steering,
    second_judge: { kind: 'pattern', positive: second, incoherent: '^.{0,2}$' },
  });

  beforeAll(async () => {
    tiny = await putAll(folder);
    putStudy(study, tiny, over('[A-Ma-m]'));
    await runStudy({ study, cacheDir: tiny.cache });
    summary = readSummary();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has what both say of the completions, by hand', async () => {
    const all = await readJsonlAll(join(study, 'completions.jsonl'), completionRecord);
    const both = all.filter(({ text }) => !/^.{0,2}$/.test(text));
    const same = both.filter(({ text }) => /[A-Za-z]/.test(text) === /[A-Ma-m]/.test(text));
    const [completions, changed] = summary.second_judge!.compared;
    expect([completions!.texts, completions!.compared]).toEqual(['completions', both.length]);
    expect(completions!.agreement!.value).toBeCloseTo(same.length / both.length, 12);
    // whatever the second finds, the first, whose letters are more, finds too
    expect(completions!.sensitivity!.value).toBe(1);
    expect(changed!.texts).toBe('changed');
    expect(changed!.compared).toBeGreaterThan(20);
    expect(changed!.compared).toBeLessThanOrEqual(60);
    expect(summary.second_judge!.missing).toBe(0);
  });

  it('says so in the finding', async () => {
    const rows = await decodeSteering(Uint8Array.from(readFileSync(join(study, 'steering.parquet'))).buffer);
    const lines = secondJudgeLines(summary.second_judge!);
    expect(lines[0]).toMatch(
      /^A second judge \(.*\) on \d+ of the completions that latents were found by: agreement 0\.\d\d/,
    );
    expect(findingOf({ rows, summary }).more).toEqual(expect.arrayContaining(lines));
  });

  it('another one is asked without sampling anew', async () => {
    const before = await readJsonlAll(join(study, 'steered.jsonl'), steeredRecord);
    putStudy(study, tiny, over('[A-Za-z]'));
    await runStudy({ study, cacheDir: tiny.cache });
    expect(readSummary().second_judge!.compared[0]!.agreement!.value).toBe(1);
    expect(await readJsonlAll(join(study, 'steered.jsonl'), steeredRecord)).toEqual(before);
  });

  it('has every other thing that it asked for', async () => {
    const rows = await decodeSteering(Uint8Array.from(readFileSync(join(study, 'steering.parquet'))).buffer);
    const done = new Set(rows.map(({ operation }) => operation));
    for (const operation of ['subtract', 'remove_completion', 'system'] as const)
      expect(done).toContain(operation);
    expect(rows.some(({ direction }) => direction === 'unrelated: topic')).toBe(true);
  });

  it('one that would be trained is refused in one line', async () => {
    const judge = { kind: 'classifier', positive: 'yes.jsonl', negative: 'no.jsonl' };
    putStudy(study, tiny, { ...over('a'), second_judge: judge });
    await expect(runStudy({ study, cacheDir: tiny.cache })).rejects.toThrow(
      'second_judge.kind: expected a judge that is not trained in this study, found classifier',
    );
  });
});
