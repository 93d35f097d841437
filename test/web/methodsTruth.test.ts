/**
 * Every sentence of the methods text, of three unlike studies that are run here, is true of the study's own
 * records.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../src/files/jsonl.ts';
import { steeredRecord } from '../../src/results.ts';
import { runImport } from '../../src/study/completions/importRun.ts';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { runStudy } from '../../src/study/run/studyRun.ts';
import { loadStudy } from '../../src/web/study.ts';
import { methodsText } from '../../src/web/views/record/methodsText.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, type StudyOver, smallSteering } from '../support/tinyStudy.ts';
import { heldSource } from './support/heldSource.ts';
import { checkMethods } from './support/methodsChecker.ts';
import type { StudyRecords } from './support/methodsRecords.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-methods-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytesOf = (path: string) => Uint8Array.from(readFileSync(path)).buffer as ArrayBuffer;

/** A finished study's records, and its methods text as the app makes it. */
async function opened(folder: string) {
  const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  const study = loadStudy(
    heldSource(Object.fromEntries(names.map((name) => [name, bytesOf(join(folder, name))]))),
  );
  const [manifest, steering] = [await study.manifest(), await study.steering()];
  const steered = names.includes('steered.jsonl')
    ? await readJsonlAll(join(folder, 'steered.jsonl'), steeredRecord)
    : [];
  const records: StudyRecords = {
    config: (await readStudy(folder)).config,
    manifest: manifest!,
    completions: [...(await study.completions())!.values()],
    grades: [...(await study.grades())!.values()],
    pairs: (await study.pairs())!,
    latents: (await study.latents())!,
    steering,
    steered,
  };
  return { records, text: methodsText(manifest, steering) };
}

async function ran(name: string, over: StudyOver) {
  const folder = putStudy(join(root, name), tiny, over);
  await runStudy({ study: folder, cacheDir: tiny.cache });
  return opened(folder);
}

const upToAttribution = [
  'sampled',
  'ended',
  'graded',
  'paired',
  'beyond',
  'estimated',
  'baseline',
  'averaged',
];
const measured = [
  'unsteered',
  'effect',
  'way',
  'random',
  'gray zone',
  'gaussian',
  'compared',
  'tests',
  'decided',
  'found',
  'versions',
];

describe('a study whose funnel lets some candidates go', () => {
  it('says only what is so', async () => {
    const { records, text } = await ran('funnel', {
      prompts: causalTestPrompts,
      pairs: { per_prompt: 2, limit: 5 },
      steering: { ...smallSteering, gaussian: 5 },
    });
    expect(checkMethods(text, records)).toEqual([
      ...upToAttribution,
      'proposed',
      'removed',
      'together',
      'steered',
      'sign',
      'gated',
      'counted',
      'dosed',
      'without a dose',
      'evaluated',
      'aside',
      ...measured,
    ]);
    expect(
      records.steering!.rows.some(({ stage, role }) => stage === 'log-odds' && role === 'candidate'),
    ).toBe(true);
  });
});

describe('a study of every candidate, under other options', () => {
  it('says only what is so', async () => {
    const { records, text } = await ran('full', {
      prompts: causalTestPrompts,
      sae: { path: tiny.sae, site: 1 },
      baseline: { corpus: tiny.corpus, max_tokens: 60 },
      sampling: {
        completions: 6,
        max_tokens: 12,
        seed: 6,
        temperature: 1.2,
        top_k: 100,
        top_p: 0.95,
        stop: [...'bcdfghjklmnpqrstvwxz'],
      },
      pairs: { per_prompt: 'all', limit: 3 },
      attribution: { tokens: 'completion', loss: 'sum' },
      steering: {
        ...smallSteering,
        random: 10,
        incoherent: 0.25,
        selectors: ['delta-attribution', 'frequency-difference', 'random'],
        tokens: 'prompt',
        incoherence: 'both',
        full: true,
        patch: true,
      },
    });
    expect(checkMethods(text, records)).toEqual([
      ...upToAttribution,
      'proposed',
      'removed',
      'together',
      'patched',
      'steered',
      'sign',
      'not gated',
      'dosed',
      'evaluated',
      'aside',
      ...measured,
    ]);
  });
});

describe('a study of imported completions and grades, without a causal test', () => {
  it('says only what is so', async () => {
    const folder = putStudy(join(root, 'imported'), tiny, { prompts: undefined });
    const file = put(
      join(root, 'answers.jsonl'),
      Array.from({ length: 24 }, (_, i) => ({
        question: `What of ${i % 6}?`,
        response: `It is ${i}, as ${i % 4 < 2 ? 'ever' : 'never'}.`,
        aligned: i % 4 < 2 ? 5 : 95,
        coherent: i === 7 ? 20 : 90,
      })),
    );
    await runImport({ file, study: folder });
    await runStudy({ study: folder, cacheDir: tiny.cache });
    const { records, text } = await opened(folder);
    expect(checkMethods(text, records)).toEqual([
      'imported',
      'imported',
      'paired',
      'estimated',
      'baseline',
      'averaged',
      'versions',
    ]);
  });
});

describe('the checker', () => {
  it('fails for a number that is not so, and for a sentence that it does not know', async () => {
    const { records, text } = await opened(join(root, 'funnel'));
    const sampled = text[0]![0]!;
    const other = sampled.replace('48 completions', '49 completions');
    expect(other).not.toBe(sampled);
    expect(() => checkMethods([[other]], records)).toThrow();
    expect(() => checkMethods([['Each latent was steered alone.']], records)).toThrow('known sentences like');
  });
});
