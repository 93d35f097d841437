/** A study as one page: what it holds, what it lets run, and how it is made small. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import {
  completionRecord,
  decodeLatents,
  gradeRecord,
  latentPageSchema,
  pairRecord,
  steeredRecord,
} from '../../../src/results.ts';
import { runAttribute } from '../../../src/study/attribution/attributeRun.ts';
import { type ReportRequest, runReport } from '../../../src/study/report/reportRun.ts';
import { interpretStudy } from '../../../src/study/run/interpretRun.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { appScript, appStyle, putApp } from '../../support/appFolder.ts';
import { hostileTexts, poison, poisonPage } from '../../support/hostileStudy.ts';
import { hashSource, held, readReport } from '../../support/reportPage.ts';
import { put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-report-'));
const at = (...parts: string[]) => join(root, ...parts);
const created = '2026-01-02T03:04:05.000Z';
const words = (n: number) => 'A'.repeat(n);
let tiny: TinyFolder;
let study: string;
let appFolder: string;

beforeAll(async () => {
  tiny = await putAll(root);
  appFolder = putApp(at('app'));
  study = putStudy(at('study'), tiny, {
    prompts: causalTestPrompts,
    steering: smallSteering,
    judge: { kind: 'pattern', positive: '[A-Za-z]', incoherent: '^.{0,1}$' },
  });
  await runStudy({ study, cacheDir: tiny.cache });
  await interpretStudy({ study, latents: 4, cacheDir: tiny.cache });
  const grades = await readJsonlAll(join(study, 'grades.jsonl'), gradeRecord);
  put(
    join(study, 'grades.jsonl'),
    grades.map((one) => `${JSON.stringify({ ...one, judge: words(5000) })}\n`).join(''),
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const report = (studies: readonly string[], over: Partial<ReportRequest> = {}) =>
  runReport({ studies, appFolder, clock: () => new Date(created), out: at('report.html'), ...over });

async function made(studies: readonly string[], over: Partial<ReportRequest> = {}) {
  const result = await report(studies, over);
  const html = readFileSync(result.path, 'utf8');
  expect(result.bytes).toBe(Buffer.byteLength(html));
  return { ...result, html, read: readReport(html) };
}

async function refusal(studies: readonly string[], over: Partial<ReportRequest> = {}): Promise<string> {
  const error = await report(studies, { out: at('none.html'), ...over }).catch((one: unknown) => one);
  expect(error).toBeInstanceOf(InputError);
  expect(existsSync(at('none.html'))).toBe(false);
  return (error as InputError).message;
}

const json = (bytes: Buffer) => JSON.parse(bytes.toString());
/** The records of a file that a report holds, by the reader that the rest of culprit uses. */
async function records<S extends Parameters<typeof readJsonlAll>[1]>(bytes: Buffer, schema: S) {
  return readJsonlAll(put(at('held.jsonl'), bytes), schema);
}

/** What a study's page may be made of. */
const plainTags = [
  'html',
  'head',
  'meta',
  'meta',
  'meta',
  'meta',
  'title',
  'style',
  'body',
  'div',
  'script',
  'script',
];

describe('a page', () => {
  it('holds every result file to the byte, and not the arrays', async () => {
    const { read, path } = await made([study], { out: undefined });
    expect(path).toBe(join(study, 'report.html'));
    const [only, ...more] = read.data.studies;
    expect(more).toEqual([]);
    expect(read.data).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), created });
    expect(only).toMatchObject({ id: 'study', name: 'study' });
    const pages = readdirSync(join(study, 'latents')).map((name) => `latents/${name}`);
    expect(pages.length).toBeGreaterThanOrEqual(4);
    const names = [
      'study.yaml',
      'manifest.json',
      'completions.jsonl',
      'grades.jsonl',
      'pairs.jsonl',
      'pair-tokens.jsonl',
      'latents.parquet',
    ];
    const causalTest = ['fidelity.json', 'steering.parquet', 'steering.json', 'steered.jsonl'];
    expect(Object.keys(only!.files).sort()).toEqual([...names, ...causalTest, ...pages].sort());
    for (const name of Object.keys(only!.files).filter((one) => one !== 'grades.jsonl'))
      expect(held(only!, name).equals(readFileSync(join(study, name))), name).toBe(true);
  });

  it("cuts a long judge's name in every line, and says so", async () => {
    const { read, trimmed } = await made([study]);
    const [only] = read.data.studies;
    expect(only!.trimmed).toEqual({ 'grades.jsonl': "the judge's name is cut to 200 characters" });
    expect(trimmed).toEqual({ study: only!.trimmed });
    const whole = await readJsonlAll(join(study, 'grades.jsonl'), gradeRecord);
    const found = await records(held(only!, 'grades.jsonl'), gradeRecord);
    expect(found).toEqual(whole.map((one) => ({ ...one, judge: `${one.judge.slice(0, 200)}…` })));
  });

  it('lets one script run, by its hash, and loads nothing', async () => {
    const { read, html } = await made([study]);
    expect(read.tags).toEqual(plainTags);
    expect(read.scripts.map(({ type }) => type)).toEqual(['application/json', 'module']);
    expect(read.scripts[1]!.text).toBe(appScript);
    expect(html).toContain(`<style>${appStyle}</style>`);
    expect(Object.fromEntries(read.policy)).toEqual({
      'default-src': "'none'",
      'script-src': hashSource(appScript),
      'style-src': "'unsafe-inline'",
      'img-src': 'data: blob:',
      'base-uri': "'none'",
      'form-action': "'none'",
    });
    expect(read.attributes.filter((name) => /^(src|href|srcdoc|on.*)$/.test(name))).toEqual([]);
  });

  it('is the same twice, and holds several studies under names of their own', async () => {
    const other = at('elsewhere', 'study');
    cpSync(study, other, { recursive: true });
    const two = await made([study, other, `${study}/study.yaml`]);
    expect(two.html).toBe((await made([study, other])).html);
    expect(two.read.data.studies.map(({ id, name }) => [id, name])).toEqual([
      ['study', 'study'],
      ['study-2', 'study 2'],
    ]);
    expect(two.read.title).toBe('culprit: study, study 2');
  });
});

describe('hostile text', () => {
  it('stays text wherever it stands', async () => {
    const bad = at('<img src=x onerror=alert(1)>');
    cpSync(study, bad, { recursive: true });
    poison(bad);
    for (const name of readdirSync(join(bad, 'latents'))) poisonPage(join(bad, 'latents', name));
    for (const maxBytes of [3e6, 45_000]) {
      const { read } = await made([bad], { maxBytes });
      expect(read.tags).toEqual(plainTags);
      expect(read.scripts.map(({ text }) => text)[1]).toBe(appScript);
      expect(read.attributes.filter((name) => name.startsWith('on'))).toEqual([]);
      expect(read.title).toBe('culprit: <img src=x onerror=alert(1)>');
      const [only] = read.data.studies;
      expect(only!.name).toBe('<img src=x onerror=alert(1)>');
      expect(only!.id).toMatch(/^[\w-]+$/);
      const texts = (await records(held(only!, 'completions.jsonl'), completionRecord)).map(
        ({ text }) => text,
      );
      expect(texts.length).toBeGreaterThan(0);
      expect(hostileTexts).toEqual(expect.arrayContaining([...new Set(texts)]));
    }
  });

  it("in the app's own script and styles neither ends them nor hides what follows", async () => {
    const literals = ['</script><script>', '<!-- <script>', '</ScRiPt >', '<!--', 'a</b>'];
    const script = `globalThis.said = [${literals.map((text) => JSON.stringify(text)).join()}, /<!--|<\\/script/u.source];\r\n`;
    const folder = putApp(at('odd'), { script, style: 'b::after { content: "</style><script>" }' });
    const { read } = await made([study], { appFolder: folder });
    expect(read.tags).toEqual(plainTags);
    const { text } = read.scripts[1]!;
    expect(read.policy.get('script-src')).toBe(hashSource(text));
    const context: { said?: unknown[] } = vm.createContext({});
    vm.runInContext(text, context);
    expect(context.said!.slice(0, -1)).toEqual(literals);
    expect(new RegExp(context.said!.at(-1) as string, 'u').test('</script')).toBe(true);
  });
});

describe('a page that may not be large', () => {
  /** Trials by id, as their dose curves count them. */
  const tally = (found: readonly ReturnType<typeof steeredRecord.parse>[]) =>
    new Map(
      found.flatMap((one) =>
        one.kind === 'forced'
          ? []
          : [
              [
                one.id,
                [
                  one.completions.length,
                  one.completions.filter(({ coherent }) => coherent).length,
                  one.completions.filter(({ coherent, label }) => coherent && label === 'positive').length,
                ],
              ],
            ],
      ),
    );

  it('is under its budget at any, and read by the same readers', async () => {
    const { bytes: whole } = await made([study], { maxBytes: 1e9 });
    const causalTest = await readJsonlAll(join(study, 'steered.jsonl'), steeredRecord);
    const counted = tally(causalTest);
    const sizes: number[] = [];
    for (const share of [0.95, 0.8, 0.7, 0.6, 0.5]) {
      const { bytes, read, trimmed } = await made([study], { maxBytes: share * whole });
      expect(bytes).toBeLessThanOrEqual(share * whole);
      sizes.push(bytes);
      const only = read.data.studies[0]!;
      const steered = await records(held(only, 'steered.jsonl'), steeredRecord);
      for (const [id, counts] of tally(steered)) expect(counts, id).toEqual(counted.get(id));
      if (share >= 0.7) expect(steered).toHaveLength(causalTest.length);
      const pairs = await records(held(only, 'pairs.jsonl'), pairRecord);
      const completions = await records(held(only, 'completions.jsonl'), completionRecord);
      const grades = await records(held(only, 'grades.jsonl'), gradeRecord);
      expect(grades.map(({ id }) => id)).toEqual(completions.map(({ id }) => id));
      const ids = new Set(completions.map(({ id }) => id));
      for (const { positive_id, negative_id } of pairs)
        expect(ids.has(positive_id) && ids.has(negative_id)).toBe(true);
      expect(Object.keys(trimmed.study!).length).toBeGreaterThan(3);
      for (const name of Object.keys(only.files).filter((one) => one.startsWith('latents/')))
        latentPageSchema.parse(json(held(only, name)));
      expect((await decodeLatents(Uint8Array.from(held(only, 'latents.parquet')).buffer))[0]!.rank).toBe(1);
    }
    expect(new Set(sizes).size).toBeGreaterThan(2);
  });

  it('says in words what was left out', async () => {
    const all = (await readJsonlAll(join(study, 'steered.jsonl'), steeredRecord)).flatMap((one) =>
      one.kind === 'trial' ? one.completions : [],
    );
    const { bytes } = await made([study], { maxBytes: 1e9 });
    let seen = false;
    for (let share = 0.95; share > 0.5; share -= 0.05) {
      const { read } = await made([study], { maxBytes: share * bytes });
      const only = read.data.studies[0]!;
      const texts = (await records(held(only, 'steered.jsonl'), steeredRecord)).flatMap((one) =>
        one.kind === 'trial' ? one.completions.filter(({ reason }) => reason !== '') : [],
      );
      const told = /(\d+) of ([\d,]+) completions with their texts/.exec(only.trimmed['steered.jsonl'] ?? '');
      if (!told) continue;
      seen = true;
      expect([Number(told[1]), told[2]]).toEqual([texts.length, all.length.toLocaleString('en-US')]);
      if (seen) break;
    }
    expect(seen).toBe(true);
  });

  it('is refused where nothing more can be left out', async () => {
    expect(await refusal([study], { maxBytes: 2000 })).toMatch(
      /^--max-size: expected at least \d\.\d\d MB, the least that study can be cut to, found 0\.00 MB$/,
    );
  });
});

describe('what there is', () => {
  it('of a study that has not begun, that has sampled, that has no causal test', async () => {
    const young = putStudy(at('young'), tiny);
    const names = async () => Object.keys((await made([young])).read.data.studies[0]!.files);
    expect(await names()).toEqual(['study.yaml']);
    await runStudy({ study: young, stages: ['sample'], cacheDir: tiny.cache });
    expect(await names()).toEqual(['study.yaml', 'manifest.json', 'completions.jsonl']);
    await runStudy({ study: young, stages: ['grade', 'pair', 'attribute'], cacheDir: tiny.cache });
    expect(await names()).toEqual([
      'study.yaml',
      'manifest.json',
      'completions.jsonl',
      'grades.jsonl',
      'pairs.jsonl',
      'latents.parquet',
    ]);
    await made([young], { maxBytes: 12_000 });
  });

  it('of an attribution alone', async () => {
    const { model, adapter, sae, pairs, baseline } = tiny;
    await runAttribute({ model, adapter, sae, pairs, baseline, out: at('attributed') });
    const { read } = await made([at('attributed')]);
    expect(Object.keys(read.data.studies[0]!.files)).toEqual(['manifest.json', 'latents.parquet']);
  });

  it('but nothing by a link that leads out', async () => {
    const linked = putStudy(at('linked'), tiny);
    put(at('secret'), 'secret');
    symlinkSync(at('secret'), join(linked, 'completions.jsonl'));
    mkdirSync(at('pages'));
    put(at('pages', '3.json'), {});
    symlinkSync(at('pages'), join(linked, 'latents'));
    expect(Object.keys((await made([linked])).read.data.studies[0]!.files)).toEqual(['study.yaml']);
  });
});

describe('refused in one line', () => {
  it('what is no study, what is not there, what is damaged', async () => {
    mkdirSync(at('empty'));
    expect(await refusal([at('empty')])).toBe(
      `${at('empty')}: expected a study (a folder with study.yaml) or a folder of \`culprit attribute --out\`, found neither`,
    );
    put(at('based', 'manifest.json'), { command: 'baseline' });
    expect(await refusal([at('based')])).toMatch(/found what `culprit baseline` made$/);
    expect(await refusal([at('nowhere')])).toBe(`${at('nowhere')}: no such file or folder`);
    const damaged = at('damaged');
    cpSync(study, damaged, { recursive: true });
    writeFileSync(join(damaged, 'pairs.jsonl'), '{"id": 3}\n');
    expect(await refusal([damaged])).toMatch(/^\S+pairs\.jsonl:1: id: expected string, found 3$/);
  });

  it('an app that was not built, and a place that cannot be written to', async () => {
    expect(await refusal([study], { appFolder: at('empty') })).toBe(
      `${at('empty')}: expected the built web app, found no index.html: \`npm run build\` makes it`,
    );
    expect(await refusal([study], { out: at('empty') })).toBe(
      `--out ${at('empty')}: expected a file, found a folder`,
    );
  });
});
