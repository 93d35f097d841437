/**
 * A study killed at every kind of change that its run makes to the disk, in each of its stages, in a control and
 * in the report: started again each time it ends with the same bytes as one that was left alone, and nothing else
 * is left in its folder.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runReport } from '../../../src/study/report/reportRun.ts';
import { runControl } from '../../../src/study/run/controlRun.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { putApp } from '../../support/appFolder.ts';
import { type DiskCall, guardDisk, leaveToAnother, until } from '../../support/deadDisk.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-every-'));
let tiny: TinyFolder;
let release: () => void;
beforeAll(async () => {
  tiny = await putAll(root);
  release = await guardDisk();
});
afterAll(() => {
  release();
  rmSync(root, { recursive: true, force: true });
});

const clock = () => new Date('2026-11-30T07:00:00Z');

const make = (name: string) =>
  putStudy(join(root, name), tiny, {
    prompts: causalTestPrompts,
    steering: smallSteering,
    fix: { orders: ['delta'], sizes: [1], random: 3, comparisons: false, completions: 1 },
    interpret: { latents: 2, tokens: 300 },
    check: { mode: 'warn', answers: 2 },
  });

/** A study's commands, in their order. */
const commands = (study: string): (() => Promise<unknown>)[] => {
  const request = { study, cacheDir: tiny.cache, clock };
  return [
    () => runStudy(request),
    () => runControl({ ...request, control: { kind: 'shuffle-labels', seed: 1 } }),
    () => runReport({ studies: [study], appFolder: putApp(join(root, 'app')), clock, cacheDir: tiny.cache }),
  ];
};

/** The kind of a change: numbers and hashes in a name do not count, nor whether it is in a control. */
const kindOf = ({ call, path }: DiskCall, study: string): string =>
  `${call} ${relative(study, path)
    .replace(/^controls\/[^/]+\//, '')
    .replaceAll(/[0-9a-f]{8,}(-[0-9a-f]+)*|\d+/g, 'N')}`;

const skipped = /^(sync|open) /;

const filesIn = (study: string) =>
  readdirSync(study, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(study, join(entry.parentPath, entry.name)))
    .sort();

/** A file's bytes, without what tells of the machine at that moment: seconds, free space, an estimate of hours. */
const contentOf = (study: string, name: string) =>
  readFileSync(join(study, name), 'latin1')
    .replaceAll(/"seconds": \{[^}]*\}/g, '')
    .replaceAll(/"(free|about)": ?[\d.e+-]+/g, '')
    .replaceAll(/"check\.json": "[0-9a-f]{64}"/g, '')
    .replaceAll(study, 'STUDY');

/** What a kill must have hit: the journal or the results of each stage, the lock, a control, the report. */
const parts = [
  /^link .*run\.lock/,
  /manifest\.json/,
  /check\.json/,
  /^appendFile .*sample-/,
  /^appendFile .*grade-/,
  /pairs\.jsonl/,
  /^write .*attribute/,
  /latents\.parquet/,
  /^appendFile .*fidelity-/,
  /^appendFile .*steer-/,
  /steering\.png/,
  /interpret-evidence/,
  /latents\/.*json/,
  /controls\.json/,
  /report\.html/,
];

it('ends with the same bytes, and leaves nothing else', async () => {
  const undisturbed = make('undisturbed');
  for (const command of commands(undisturbed)) await command();
  const study = make('killed');
  const kinds = new Set<string>();
  const killedAt: string[] = [];
  for (const command of commands(study))
    for (;;) {
      const last = await until((call) => {
        const kind = kindOf(call, study);
        return !skipped.test(kind) && !kinds.has(kind);
      }, command);
      if (last === undefined) break;
      kinds.add(kindOf(last, study));
      killedAt.push(kindOf(last, study));
      await leaveToAnother(study);
    }
  expect(killedAt.length).toBeGreaterThan(80);
  for (const part of parts)
    expect(
      killedAt.some((kind) => part.test(kind)),
      String(part),
    ).toBe(true);
  expect(filesIn(study)).toEqual(filesIn(undisturbed));
  for (const name of filesIn(study).filter((one) => one !== 'report.html'))
    expect(contentOf(study, name) === contentOf(undisturbed, name), name).toBe(true);
  expect(filesIn(study).filter((name) => name.startsWith('.work/'))).toEqual([]);
}, 500_000);
