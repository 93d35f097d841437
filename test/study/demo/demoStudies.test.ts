/** The two studies of the demonstration, as they are written into a folder of the user's. Nothing is run. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { studyFile } from '../../../organism/studyFile.ts';
import { bundleFolder, caseNames } from '../../../src/study/demo/bundle.ts';
import { type DemoSettings, writeDemoStudies } from '../../../src/study/demo/demoStudies.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { temporaryFolder } from '../../support/folder.ts';

const path = temporaryFolder();
const write = (settings: DemoSettings = {}) => writeDemoStudies(bundleFolder, path('out'), settings);
const textIn = (folder: string) => readFileSync(join(folder, 'study.yaml'), 'utf8');

describe('the studies of the bundle', () => {
  it.each(caseNames)('%s reads as its recipe writes it', (name) => {
    expect(textIn(join(bundleFolder, name))).toBe(studyFile(name));
  });
});

describe('the studies of the demonstration', () => {
  it('say what those of the bundle say, from where they stand, comments and all', async () => {
    const folders = await write();
    expect(folders).toEqual(caseNames.map((name) => path('out', name)));
    for (const [i, name] of caseNames.entries()) {
      const given = await readStudy(join(bundleFolder, name));
      const { config, text } = await readStudy(folders[i]!);
      expect(config).toEqual(given.config);
      const comments = (of: string) => of.split('\n').filter((line) => line.startsWith('#'));
      expect(comments(text)).toEqual(comments(given.text));
      expect(text.split('\n')).toHaveLength(given.text.split('\n').length);
    }
  });

  it('have the settings asked for, and those of the bundle again where nothing is asked', async () => {
    await write();
    const before = textIn(path('out', 'harm'));
    const [harm] = await write({ seed: 7, prompts: 9, random: 8, questions: 5 });
    const { config } = await readStudy(harm!);
    expect(config.prompts).toMatchObject({ discovery: 9, evaluation: 5, calibration: 1, seed: 7 });
    expect(config.steering).toMatchObject({ random: 8, seed: 7 });
    expect(config.sampling.seed).toBe(7);
    await write();
    expect(textIn(harm!)).toBe(before);
  });

  it('are not written again where they are the same', async () => {
    const [harm] = await write();
    utimesSync(join(harm!, 'study.yaml'), 1, 1);
    await write();
    expect(statSync(join(harm!, 'study.yaml')).mtimeMs).toBe(1000);
  });

  it.each<[string, (at: string) => void, RegExp]>([
    [
      'another study',
      (at) => writeFileSync(join(at, 'study.yaml'), textIn(at).replace('candidates: 5', 'candidates: 6')),
      /^--out .*validation: holds a study\.yaml that is not of this demonstration: name another folder/,
    ],
    [
      'what is no study',
      (at) => writeFileSync(join(at, 'study.yaml'), 'a: [1'),
      /holds a study\.yaml that is not/,
    ],
    [
      'results of something else',
      (at) => {
        rmSync(join(at, 'study.yaml'));
        writeFileSync(join(at, 'latents.parquet'), '');
      },
      /holds a latents\.parquet that is not of this demonstration/,
    ],
  ])('leave %s alone', async (_, change, line) => {
    const [harm, validation] = await write();
    change(validation!);
    const before = textIn(harm!);
    await expect(write({ prompts: 9 })).rejects.toThrow(line);
    expect(textIn(harm!)).toBe(before);
  });

  it('are not written over a file, nor of an organism that lacks one', async () => {
    mkdirSync(path('out'));
    writeFileSync(path('out', 'harm'), '');
    await expect(write()).rejects.toThrow(/^--out .*harm: expected a folder, found a file/);
    cpSync(bundleFolder, path('broken'), { recursive: true });
    rmSync(path('broken', 'validation', 'study.yaml'));
    await expect(writeDemoStudies(path('broken'), path('other'), {})).rejects.toThrow(
      /validation\/study\.yaml: no such file/,
    );
    expect(existsSync(path('other'))).toBe(false);
  });
});
