/**
 * A study from its file to its results: what each stage makes, what is kept when options change, and what
 * is refused.
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { completionRecord, gradeRecord, pairRecord } from '../../../src/results.ts';
import { runAttribute } from '../../../src/study/attribution/attributeRun.ts';
import { runImport } from '../../../src/study/completions/importRun.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { readPrompts } from '../../../src/study/open/promptsFile.ts';
import { runStudy, type StudyRequest } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { fakeChatServer } from '../../support/fakeChatServer.ts';
import { put, putAll, putModel, type TinyFolder } from '../../support/tinyFolder.ts';
import { tinyModel } from '../../support/tinyModel.ts';
import { prompts, putStudy, type StudyOver, sampling, smallSteering } from '../../support/tinyStudy.ts';
import { byteLevelJson } from '../../support/tokenizers.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-study-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let studies = 0;
const fresh = (over: StudyOver = {}) => putStudy(join(folder, `study${studies++}`), tiny, over);

/** Runs, and tells how many units each stage was told to have left. */
async function run(study: string, over: Partial<StudyRequest> = {}) {
  const left: Record<string, number> = {};
  const notes: string[] = [];
  const progress: Progress = {
    stage(label, total, done = 0) {
      left[label] = total - done;
      return { advance() {}, end() {} };
    },
    note: (line) => void notes.push(line),
  };
  const result = await runStudy({ study, cacheDir: tiny.cache, progress, ...over });
  return { result, left, notes };
}

const read = (study: string, name: string) => readFileSync(join(study, name));
const completionsOf = (study: string) => readJsonlAll(join(study, 'completions.jsonl'), completionRecord);

describe('a whole run', () => {
  let study: string;
  let first: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    study = fresh();
    first = await run(study);
  });

  it('samples each discovery prompt, and says why each completion ended', async () => {
    const completions = await completionsOf(study);
    expect(completions).toHaveLength(8 * 6);
    expect(new Set(completions.map(({ id }) => id)).size).toBe(48);
    const ids = new Set(completions.map(({ prompt_id }) => prompt_id));
    expect(ids.size).toBe(8);
    for (const { prompt_id, prompt, ids: tokens, log_probabilities, stop, text, seed } of completions) {
      expect(prompts.find(({ id }) => id === prompt_id)!.prompt).toBe(prompt);
      expect(log_probabilities).toHaveLength(tokens!.length);
      expect(log_probabilities!.every((x) => x <= 0)).toBe(true);
      if (stop === 'length') expect(tokens).toHaveLength(12);
      expect(text).not.toMatch(/[b-df-hj-np-tv-xz]/);
      expect(Number.isInteger(seed)).toBe(true);
    }
    expect(new Set(completions.map(({ text }) => text)).size).toBeGreaterThan(40);
  });

  it('grades each as the pattern says', async () => {
    const grades = await readJsonlAll(join(study, 'grades.jsonl'), gradeRecord);
    const texts = new Map((await completionsOf(study)).map(({ id, text }) => [id, text]));
    expect(grades.map(({ id }) => id)).toEqual([...texts.keys()]);
    for (const { id, label, coherent } of grades) {
      expect(label).toBe(/[A-Za-z]/.test(texts.get(id)!) ? 'positive' : 'negative');
      expect(coherent).toBe(!/^.{0,1}$/.test(texts.get(id)!));
    }
  });

  it('pairs a positive with a negative of the same prompt, and counts why others gave none', async () => {
    const pairs = await readJsonlAll(join(study, 'pairs.jsonl'), pairRecord);
    const completions = new Map((await completionsOf(study)).map((one) => [one.id, one]));
    expect(pairs.length).toBeGreaterThan(2);
    for (const { prompt_id, positive_id, negative_id, positive, negative } of pairs) {
      const [p, n] = [completions.get(positive_id)!, completions.get(negative_id)!];
      expect([p.prompt_id, n.prompt_id]).toEqual([prompt_id, prompt_id]);
      expect([p.text, n.text]).toEqual([positive, negative]);
      expect([p.stop, n.stop]).not.toContain('length');
    }
    const { without, prompts: asked } = first.result.pair!;
    expect(pairs.length + Object.values(without).reduce((a, b) => a + b, 0)).toBe(asked);
  });

  it('says what to be careful of before it goes on, each once, and again at its end', () => {
    const careful = first.notes.flatMap((note) => /^Be careful: (.*)/s.exec(note)?.[1] ?? []);
    const atEnd = first.result.warnings.map((text) => text.replaceAll('\u202f', ' '));
    expect(careful.filter((text) => !text.startsWith('The check '))).toEqual(
      atEnd.filter((text) => careful.includes(text)),
    );
    expect(careful).toContainEqual(expect.stringMatching(/^Only \d+ pairs; /));
    expect(new Set(careful).size).toBe(careful.length);
  });

  it('attributes as `culprit attribute` does on the same pairs', async () => {
    expect(first.result.attribute!.latents).toHaveLength(40);
    const baselined = fresh({ baseline: { file: tiny.baseline } });
    for (const name of ['completions.jsonl', 'grades.jsonl'])
      writeFileSync(join(baselined, name), read(study, name));
    // texts of our own, which both must tokenise: the sampled ids say others
    const pairs = (await readJsonlAll(join(study, 'pairs.jsonl'), pairRecord)).map((pair, i) => ({
      ...pair,
      positive: `Yes, ${i} times.`,
      negative: `No, never ${i}.`,
    }));
    put(join(baselined, 'pairs.jsonl'), pairs);
    const { result } = await run(baselined, { accept: ['sample', 'grade', 'pair'], stages: ['attribute'] });
    const alone = await runAttribute({
      model: tiny.model,
      adapter: tiny.adapter,
      sae: tiny.sae,
      pairs: join(baselined, 'pairs.jsonl'),
      baseline: tiny.baseline,
      out: join(folder, 'alone'),
    });
    const byLatent = new Map(alone.latents.map((row) => [row.latent, row]));
    for (const { latent, delta } of result.attribute!.latents)
      expect(delta).toBeCloseTo(byLatent.get(latent)!.delta, 6);
  });

  it('does nothing the second time', async () => {
    const before = read(study, 'manifest.json');
    const { result, left } = await run(study);
    expect(left).toEqual({});
    expect(result.sample!.upToDate && result.grade!.upToDate && result.pair!.upToDate).toBe(true);
    expect(result.attribute!.upToDate).toBe(true);
    const float32 = first.result.attribute!.latents.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, x]) => [name, Math.fround(x)])),
    );
    expect(result.attribute!.latents).toEqual(float32);
    expect(read(study, 'manifest.json')).toEqual(before);
  });

  it('status tells that all is done', async () => {
    const { stages, running } = await studyStatus({ study, cacheDir: tiny.cache });
    expect(running).toBeUndefined();
    expect(stages.map(({ name, finished, left }) => [name, finished, left])).toEqual([
      ['sample', true, 0],
      ['grade', true, 0],
      ['pair', true, 0],
      ['attribute', true, 0],
      ['fidelity', true, 0],
    ]);
  });
});

describe('changed options run again only what depends on them', () => {
  it('another judge grades anew and samples nothing', async () => {
    const study = fresh();
    await run(study);
    const completions = read(study, 'completions.jsonl');
    putStudy(study, tiny, { judge: { kind: 'pattern', positive: '[xyz]' } });
    const { left } = await run(study);
    expect(Object.keys(left)).toContain('Grading');
    expect(left.Grading).toBe(48);
    expect(Object.keys(left)).not.toContain('Sampling');
    expect(read(study, 'completions.jsonl')).toEqual(completions);
  });

  it('more completions keep those that are there, with the same bytes as at once', async () => {
    const study = fresh();
    await run(study);
    const more = { ...sampling, completions: 8 };
    putStudy(study, tiny, { sampling: more });
    const { left } = await run(study);
    expect([left.Sampling, left.Grading]).toEqual([16, 16]);
    const atOnce = fresh({ sampling: more });
    await run(atOnce);
    for (const name of ['completions.jsonl', 'grades.jsonl', 'pairs.jsonl', 'latents.parquet'])
      expect(read(study, name)).toEqual(read(atOnce, name));
  });

  it('another seed, or another text under the same id, is sampled anew', async () => {
    const study = fresh();
    await run(study, { stages: ['sample'] });
    putStudy(study, tiny, { sampling: { ...sampling, seed: 6 } });
    expect((await run(study, { stages: ['sample'] })).left.Sampling).toBe(48);
    const changed = prompts.map((one) => ({ ...one, prompt: `${one.prompt}!` }));
    writeFileSync(join(study, 'prompts.jsonl'), changed.map((one) => `${JSON.stringify(one)}\n`).join(''));
    expect((await run(study, { stages: ['sample'] })).left.Sampling).toBe(48);
  });

  it('other prompts for the causal test alone leave the latents as they are', async () => {
    const study = fresh();
    await run(study);
    putStudy(study, tiny, { prompts: { ...drawn, evaluation: 4, calibration: 0 } });
    const { result, left } = await run(study);
    expect(result.attribute!.upToDate).toBe(true);
    expect(left).toEqual({});
  });

  it('rows side by side change nothing', async () => {
    const [a, b] = [64, 5].map((rows) => fresh({ sampling: { ...sampling, rows } })) as [string, string];
    await run(a, { stages: ['sample'] });
    await run(b, { stages: ['sample'] });
    expect(read(a, 'completions.jsonl')).toEqual(read(b, 'completions.jsonl'));
  });
});

describe('all positives against all negatives', () => {
  it('is one contrast a prompt', async () => {
    const study = fresh({ pairs: { per_prompt: 'all' } });
    const { result } = await run(study);
    const { pairs } = result.pair!;
    const prompts = new Set(pairs.map(({ prompt_id }) => prompt_id));
    expect(pairs.length).toBeGreaterThan(prompts.size);
    const manifest = JSON.parse(read(study, 'manifest.json').toString());
    expect(manifest.stages.attribute.counts.pairs).toBe(prompts.size);
  });

  it.each(['all', 2])(
    'its pairs.jsonl gives the same latents without it; %s a prompt',
    async (per_prompt) => {
      const study = fresh({ pairs: { per_prompt }, baseline: { file: tiny.baseline } });
      const { result } = await run(study);
      const { model, adapter, sae, baseline } = tiny;
      const out = join(study, 'alone');
      const pairs = join(study, 'pairs.jsonl');
      const alone = await runAttribute({ model, adapter, sae, baseline, pairs, out });
      expect(alone.latents).toEqual(result.attribute!.latents);
      const prompts = new Set(result.pair!.pairs.map(({ prompt_id }) => prompt_id)).size;
      expect([alone.manifest.counts.clusters, alone.manifest.counts.pairs! > prompts]).toEqual([
        prompts,
        per_prompt === 2,
      ]);
    },
  );
});

describe('what is refused', () => {
  it('a stage whose files are not there', async () => {
    await expect(run(fresh(), { stages: ['pair'] })).rejects.toThrow(
      /completions\.jsonl: no such file: stage pair needs it/,
    );
  });

  it('a result that was edited by hand, unless it is accepted or made anew', async () => {
    const study = fresh();
    await run(study, { stages: ['sample', 'grade'] });
    const path = join(study, 'grades.jsonl');
    const edited = read(study, 'grades.jsonl').toString().replace('"label":"positive"', '"label":"negative"');
    writeFileSync(path, edited);
    await expect(run(study)).rejects.toThrow(/grades\.jsonl: was changed after stage grade/);
    await run(study, { accept: ['grade'] });
    expect(read(study, 'grades.jsonl').toString()).toBe(edited);
    await run(study, { redo: ['grade'] });
    expect(read(study, 'grades.jsonl').toString()).not.toBe(edited);
    expect(existsSync(`${path}.bak`)).toBe(true);
  });

  it('a prompt that leaves no room for its completion', async () => {
    const study = fresh({ sampling: { completions: 1, max_tokens: 250 } });
    await expect(run(study)).rejects.toThrow(
      /prompts\.jsonl: row \d+: prompt "p\d+" has \d+ tokens: with sampling\.max_tokens 250 it exceeds the 256/,
    );
  });

  it('no pairs at all: the run stops and says so', async () => {
    const { result } = await run(fresh({ judge: { kind: 'pattern', positive: '[^]' } }));
    expect(result.stopped!.stage).toBe('attribute');
    expect(result.stopped!.reason).toMatch(/^there are no pairs to attribute: `culprit pair` says why$/);
    expect(result.pair!.without['all positive']).toBeGreaterThan(0);
  });
});

/** Of a study with a causal test; 14 prompts, of 16 to 58 tokens. */
const drawn = { file: 'prompts.jsonl', discovery: 8, evaluation: 3, calibration: 2 };

describe('a reference that does not fit is refused before anything is sampled', () => {
  const refused = async (over: StudyOver, line: RegExp | string) => {
    const study = fresh({ prompts: drawn, steering: smallSteering, ...over });
    await expect(run(study)).rejects.toThrow(line);
    expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
    return study;
  };

  it('the subject itself, for want of an adapter', async () => {
    const line =
      /study\.yaml: reference: expected a model other than the subject, which names no adapter: name a reference, or set prompts\.evaluation to 0 to skip the causal test$/;
    const study = await refused({ subject: { model: tiny.model } }, line);
    putStudy(study, tiny, { subject: { model: tiny.model }, prompts: { ...drawn, evaluation: 0 } });
    expect((await run(study)).result.attribute!.latents).toHaveLength(40);
  });

  it('the subject itself, with its adapter, under another path', async () => {
    const copy = join(folder, 'copy-of-model');
    cpSync(tiny.model, copy, { recursive: true });
    await refused(
      { reference: { model: copy, adapter: tiny.adapter } },
      /reference: expected a model other than the subject, found the same model and adapter: /,
    );
  });

  const shaped = async (name: string, config: object): Promise<string> =>
    putModel(
      join(folder, name),
      tinyModel({ config: { vocab_size: 272, max_position_embeddings: 256, ...config } }),
    );

  it.each<[string, object, string]>([
    ['width', { hidden_size: 24 }, ": expected the subject's residual width 16, found 24"],
    ['vocabulary', { vocab_size: 280 }, ": expected the subject's vocabulary of 272 tokens, found 280"],
  ])('of another %s', async (name, config, line) => {
    const model = await shaped(name, config);
    await refused({ reference: { model } }, `reference ${model}${line}`);
  });

  it('with too few blocks', async () => {
    const model = await shaped('shallow', { num_hidden_layers: 1 });
    await refused({ reference: { model } }, `site resid_post 1: ${model} has blocks 0 to 0`);
  });

  it('that takes fewer tokens', async () => {
    const model = await shaped('short', { max_position_embeddings: 40 });
    await refused(
      { reference: { model } },
      /row \d+: prompt "p\d+": expected at most the 40 tokens that reference \S+short takes, found \d+$/,
    );
    const room = await shaped('narrow', { max_position_embeddings: 62 });
    await refused(
      { reference: { model: room }, steering: { ...smallSteering, max_tokens: 60 } },
      /prompt "p\d+" has \d+ tokens: with 60 tokens of a steered completion it exceeds the 62 that \S+narrow takes$/,
    );
  });

  it('that reads a prompt as other tokens', async () => {
    const model = await shaped('other-tokens', {});
    const json = byteLevelJson();
    const swapped = { ...json, model: { ...(json.model as object), merges: [] } };
    put(join(model, 'tokenizer.json'), swapped);
    await refused(
      { reference: { model } },
      /row \d+: prompt "p\d+": expected the same tokens for subject and reference \S+other-tokens, found that they differ at token \d+$/,
    );
  });
});

describe('what a review found', () => {
  it('a text edited by hand is attributed as edited', async () => {
    const study = fresh();
    const before = (await run(study)).result.attribute!.latents.map(({ delta }) => delta);
    const path = join(study, 'pairs.jsonl');
    const lines = read(study, 'pairs.jsonl').toString().trim().split('\n');
    const edited = lines.map((line) => ({ ...JSON.parse(line), positive: 'Something else altogether.' }));
    writeFileSync(path, edited.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const after = (await run(study, { accept: ['pair'] })).result.attribute!.latents;
    expect(after.map(({ delta }) => delta)).not.toEqual(before);
  });

  it('redo of several stages works, and an edited pairs file is what is told', async () => {
    const study = fresh();
    const { result } = await run(study);
    const again = await run(study, { redo: ['sample', 'grade'] });
    expect(again.left.Sampling).toBe(48);
    expect(again.left.Grading).toBe(48);
    expect(again.result.pair!.pairs).toEqual(result.pair!.pairs);
    const [first] = read(study, 'pairs.jsonl').toString().split('\n');
    writeFileSync(join(study, 'pairs.jsonl'), `${first}\n`);
    const accepted = await run(study, { accept: ['pair'] });
    expect(accepted.result.pair!.pairs).toHaveLength(1);
  });

  it('finds a wrong SAE, baseline or key before it samples', async () => {
    const wrong: [StudyOver, RegExp][] = [
      [{ sae: { path: join(folder, 'no-sae') } }, /no-sae/],
      [{ baseline: { file: join(folder, 'no-mean.safetensors') } }, /no-mean/],
      [
        {
          judge: { kind: 'chat', base_url: 'http://localhost:1/v1', model: 'm', api_key_env: 'NO_SUCH_KEY' },
        },
        /environment variable NO_SUCH_KEY is not set/,
      ],
    ];
    for (const [over, message] of wrong) {
      const study = fresh(over);
      await expect(run(study, { environment: {} })).rejects.toThrow(message);
      expect(existsSync(join(study, '.work', 'sample'))).toBe(false);
      expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
    }
  });

  it('another threshold labels anew and asks no judge', async () => {
    const server = await fakeChatServer();
    try {
      const judge = (threshold: number) => ({
        kind: 'chat' as const,
        base_url: server.baseUrl,
        model: 'judge',
        threshold,
      });
      const study = fresh({ judge: judge(0.5) });
      await run(study, { stages: ['sample', 'grade'] });
      const asked = server.asked.length;
      expect(asked).toBeGreaterThan(40);
      // the server scores what has no word of its own 0.1
      putStudy(study, tiny, { judge: judge(0.1) });
      const { left, result } = await run(study, { stages: ['grade'] });
      expect(left).toEqual({});
      expect(server.asked.length).toBe(asked);
      expect(result.grade!.records.every(({ label }) => label === 'positive')).toBe(true);
    } finally {
      await server.close();
    }
  });

  it('status knows what more completions keep', async () => {
    const study = fresh();
    await run(study);
    putStudy(study, tiny, { sampling: { ...sampling, completions: 8 } });
    const { stages } = await studyStatus({ study, cacheDir: tiny.cache });
    expect(stages[0]).toMatchObject({ name: 'sample', finished: false, done: 48, left: 16 });
  });
});

describe('imported completions', () => {
  it('may not be of prompts that the causal test is drawn from', async () => {
    const study = fresh({ prompts: drawn, steering: smallSteering });
    const answers = (of: typeof prompts) =>
      of.flatMap(({ prompt }) => [
        { prompt, answer: 'Yes, at once.', label: 'positive' },
        { prompt, answer: 'No, ask first.', label: 'negative' },
      ]);
    const parts = await readPrompts({ ...drawn, file: join(study, 'prompts.jsonl'), seed: 1 });
    const proving = parts.evaluation[2]!;
    const rows = (ids: readonly string[]) =>
      put(join(study, 'rows.jsonl'), answers(prompts.filter(({ id }) => ids.includes(id))));
    const finding = parts.discovery.map(({ id }) => id);
    await runImport({ file: rows([...finding, proving.id]), study });
    const line = `prompts.jsonl: row ${proving.row}: prompt "${proving.id}": expected a test prompt that latents were not found on, found it in ${join(study, 'completions.jsonl')}: name others in study.yaml`;
    await expect(run(study)).rejects.toThrow(line);
    expect(existsSync(join(study, 'pairs.jsonl'))).toBe(false);
    await run(study, { stages: ['pair', 'attribute'] });
    await expect(run(study, { stages: ['steer'] })).rejects.toThrow(line);
    await runImport({ file: rows(finding), study, overwrite: true });
    expect((await run(study)).result.steer!.upToDate).toBe(false);
  });

  it.each([{}, { prompts: { file: 'not-there.jsonl', evaluation: 0 } }])(
    'need no prompts file: %j',
    async (over) => {
      const study = fresh(over);
      if (!('prompts' in over)) rmSync(join(study, 'prompts.jsonl'));
      const rows = ['a', 'b'].flatMap((question) => [
        { question, answer: 'Yes, at once.', label: 'positive' },
        { question, answer: 'No, ask first.', label: 'negative' },
      ]);
      const file = put(join(study, 'rows.jsonl'), rows);
      await runImport({ file, study });
      const { result } = await run(study);
      expect(result.pair!.pairs).toHaveLength(2);
      expect(result.attribute!.latents).toHaveLength(40);
      const { stages } = await studyStatus({ study, cacheDir: tiny.cache });
      expect(stages.every(({ finished }) => finished)).toBe(true);
    },
  );
});
