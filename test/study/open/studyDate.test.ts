/** The date that chat templates print: given, or now, or a study's first day. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAttribute } from '../../../src/study/attribution/attributeRun.ts';
import { openFor } from '../../../src/study/run/studyRun.ts';
import { beginManifest } from '../../../src/study/store/finishStage.ts';
import { dateText } from '../../../src/study/store/runRecord.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  const put = await putAll(folder);
  const model = join(folder, 'dated');
  cpSync(put.model, model, { recursive: true });
  writeFileSync(
    join(model, 'chat_template.jinja'),
    "{{ strftime_now('%d') }}{% for m in messages %}{{ m.content }}{% endfor %}",
  );
  tiny = { ...put, model };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const day = (d: number, hour = 0) => new Date(2024, 6, d, hour);

test('attribute takes the clock, or the date given, and goes by what comes of it', async () => {
  const pairs = join(folder, 'chat.jsonl');
  const prompt = [{ role: 'user', content: 'ab' }];
  writeFileSync(pairs, JSON.stringify({ prompt, positive: 'a', negative: 'b' }));
  const { model, sae, baseline, cache: cacheDir } = tiny;
  const run = (date: Date | undefined, clock = day(1)) =>
    runAttribute({
      ...{ model, sae, baseline, cacheDir, pairs, out: join(folder, 'out') },
      date,
      clock: () => clock,
    });
  const first = await run(undefined, day(1, 9));
  expect(first.manifest.options.date).toBe('2024-07-01T09:00:00');
  expect((await run(day(1, 17))).upToDate).toBe(true);
  await expect(run(day(2))).rejects.toThrow(/holds the results of another run/);
});

describe('a study', () => {
  const printed = async (study: string, date: Date | undefined, now: Date) => {
    const opened = await openFor({ study, date, clock: () => now });
    try {
      await beginManifest(opened.folder, opened.recorder);
      const { codec } = await opened.model(opened.config.subject);
      return codec.chatText([{ role: 'user', content: '' }], { addGenerationPrompt: true });
    } finally {
      await opened.close();
    }
  };

  test('prints its first day ever after', async () => {
    const study = putStudy(join(folder, 'a'), tiny);
    expect(await printed(study, undefined, day(3))).toBe('03');
    expect(await printed(study, undefined, day(4))).toBe('03');
  });

  test('or the date of its first run, and no other', async () => {
    const study = putStudy(join(folder, 'b'), tiny);
    expect(await printed(study, day(20), day(3))).toBe('20');
    expect(await printed(study, undefined, day(4))).toBe('20');
    expect(await printed(study, day(20), day(5))).toBe('20');
    await expect(printed(study, day(21), day(5))).rejects.toThrow(
      /--date 2024-07-21T00:00:00: the prompts of .* are of 2024-07-20T00:00:00 since its first run/,
    );
  });
});

test('a date in words', () => {
  expect(dateText(new Date(2024, 0, 2, 3, 4, 5))).toBe('2024-01-02T03:04:05');
});
