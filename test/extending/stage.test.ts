/**
 * A made-up stage, added by one object: it runs, is resumed, is redone, and stands in status, dry run and
 * study.yaml.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { about, section, whole } from '../../src/study/config/fields.ts';
import { defaulted, type Section } from '../../src/study/config/section.ts';
import { type StudyStage, studyStage } from '../../src/study/open/stage.ts';
import type { OpenStudy } from '../../src/study/open/study.ts';
import { runUnits, stageOf, type UnitPlan, unitsOf } from '../../src/study/open/units.ts';
import { stages } from '../../src/study/run/stages.ts';
import { estimateStudy } from '../../src/study/run/studyEstimate.ts';
import { runStudy } from '../../src/study/run/studyRun.ts';
import { studyStatus } from '../../src/study/run/studyStatus.ts';
import { jsonHash } from '../../src/study/store/hash.ts';
import { putAll } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-made-up-stage-'));
let study: string;
beforeAll(async () => {
  const tiny = await putAll(join(folder, 'tiny'));
  study = putStudy(join(folder, 'study'), tiny, {
    prompts: { file: 'prompts.jsonl', discovery: 3, evaluation: 0 },
  });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const schema = section({ longest: about(whole(1).default(5), 'words that are counted of an answer') });
const countSection: Section = defaulted('count', 'How words are counted.', () => schema);

const record = z.object({ id: z.string(), words: z.int() });
type Counted = z.output<typeof record>;

/** What study.yaml says in the section, which the stage alone knows. */
const longestIn = ({ config }: Pick<OpenStudy, 'config'>) =>
  (config as unknown as { count: z.output<typeof schema> }).count.longest;

async function planOf(study: OpenStudy): Promise<UnitPlan<typeof record>> {
  const texts = new Map((await study.completions()).map(({ id, text }) => [id, text]));
  return {
    name: 'count',
    file: 'words.jsonl',
    schema: record,
    idOf: ({ id }) => id,
    order: [...texts.keys()],
    fits: () => true,
    unitOptions: { longest: longestIn(study) },
    computed: false,
    inputs: {},
    units: jsonHash([...texts]),
  };
}

/** Counts the words of every completion; stops after `most` in one run, as one that is killed. */
const countStage = (most = Number.POSITIVE_INFINITY): StudyStage =>
  studyStage({
    name: 'count',
    about: 'how many words each completion has',
    needs: ['completions.jsonl'],
    outputs: ['words.jsonl'],
    section: countSection,
    plan: async (study) => stageOf(await planOf(study), study.recorder.versions),
    async run(study) {
      const texts = new Map((await study.completions()).map(({ id, text }) => [id, text]));
      return runUnits(
        study,
        await planOf(study),
        async ({ missing, save }) => {
          for (const [done, id] of [...missing].entries()) {
            if (done >= most) throw new Error('killed');
            const words = texts.get(id)!.split(/\s+/).length;
            await save([{ id, words: Math.min(words, longestIn(study)) }]);
          }
          return undefined;
        },
        (records: readonly Counted[]) => ({ counted: records.length }),
      );
    },
    units: async (study, planned) =>
      planned === undefined ? { units: 0 } : unitsOf(study, await planOf(study)),
    estimate: async (_, { status }) => ({ seconds: status.left, note: 'a second per text' }),
  });

const withCount = (most?: number) => [...stages, countStage(most)];
const words = () => readFileSync(join(study, 'words.jsonl'), 'utf8');

describe('a study with a stage more', () => {
  it('has it in the dry run, with its note and its time', async () => {
    const { lines } = await estimateStudy({ study, list: withCount() });
    expect(lines.at(-1)).toMatchObject({ stage: 'count', done: 0, note: 'a second per text' });
    expect(lines).toHaveLength(6);
  });

  it('stops where it is killed, is told in the status, and goes on from there', async () => {
    await expect(runStudy({ study, list: withCount(7) })).rejects.toThrow('killed');
    expect(existsSync(join(study, 'words.jsonl'))).toBe(false);
    const begun = (await studyStatus({ study, list: withCount() })).stages.at(-1)!;
    expect(begun).toMatchObject({ name: 'count', finished: false, done: 7, left: 11 });
    const result = await runStudy({ study, list: withCount(11) });
    expect((result as unknown as { count: { counts: unknown } }).count.counts).toEqual({ counted: 18 });
    expect(words().split('\n')).toHaveLength(19);
    const done = (await studyStatus({ study, list: withCount() })).stages.at(-1)!;
    expect(done).toMatchObject({ finished: true, done: 18, left: 0 });
  });

  it('does nothing the second time, and makes it anew with redo', async () => {
    const before = words();
    await runStudy({ study, list: withCount(0) });
    await runStudy({ study, list: withCount(), stages: ['count'], redo: ['count'] });
    expect(words()).toBe(before);
    expect(readFileSync(join(study, 'words.jsonl.bak'), 'utf8')).toBe(before);
  });

  it('reads its section of study.yaml, which no other study has', async () => {
    const yaml = join(study, 'study.yaml');
    const text = readFileSync(yaml, 'utf8');
    writeFileSync(yaml, `${text}count:\n  longest: 2\n`);
    await expect(studyStatus({ study })).rejects.toThrow(/expected one of the fields .* found "count"/);
    await runStudy({ study, list: withCount(), stages: ['count'] });
    const counts = words()
      .trim()
      .split('\n')
      .map((line) => record.parse(JSON.parse(line)).words);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    writeFileSync(yaml, `${text}count:\n  longest: none\n`);
    await expect(runStudy({ study, list: withCount() })).rejects.toThrow(
      /count\.longest: expected a whole number of at least 1, found "none"/,
    );
    writeFileSync(yaml, text);
  });

  it('is asked for by its name alone', async () => {
    await expect(runStudy({ study, stages: ['count'] })).rejects.toThrow(
      new InputError(
        'stage count: expected one of check, sample, grade, pair, attribute, fidelity, steer, fix, interpret',
      ),
    );
  });
});
