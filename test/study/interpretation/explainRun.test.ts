/**
 * A study whose latents are explained: what is paid is kept through stops, kills and budgets, and never
 * paid twice.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import { explanationRecord, type LatentPage, latentPageSchema } from '../../../src/results.ts';
import { type InterpretRequest, interpretStudy } from '../../../src/study/run/interpretRun.ts';
import { estimateStudy } from '../../../src/study/run/studyEstimate.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { studyStatus } from '../../../src/study/run/studyStatus.ts';
import { start } from '../../support/cli.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { type AskedOf, answersOf, fakeExplainer, type Script } from '../../support/fakeExplainer.ts';
import { put, putAll, putModel, type TinyFolder, tiny as tinyModel } from '../../support/tinyFolder.ts';
import { putStudy, type StudyOver, tinyStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-explain-'));
let tiny: TinyFolder;
let attributed: string;
let script: Script;
let server: Awaited<ReturnType<typeof fakeExplainer>>;
/** The attributed study interpreted by a willing explainer, what that came to, and what was asked for it. */
let interpreted: string;
let whole: Awaited<ReturnType<typeof interpret>>;
let askedOfWhole: AskedOf[];

/** Says the same of the same, and yes to every other passage. */
const willing = ({ task, passages }: AskedOf): string =>
  task === 'explain'
    ? JSON.stringify({ explanation: `About ${passages[0]!.length} letters.` })
    : answersOf(passages.map((_, i) => i % 2 === 0));

beforeAll(async () => {
  tiny = await putAll(folder);
  attributed = putStudy(join(folder, 'attributed'), tiny);
  await runStudy({ study: attributed, cacheDir: tiny.cache });
  server = await fakeExplainer((asked, before) => script(asked, before));
  script = willing;
  interpreted = fresh();
  whole = await interpret(interpreted);
  askedOfWhole = server.asked.splice(0);
});
afterEach(() => {
  server.asked.length = 0;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A corpus of many short passages, so that enough are left to try explanations on. */
const corpus = () =>
  put(
    join(folder, 'many.jsonl'),
    Array.from({ length: 300 }, (_, i) => ({ text: `${String.fromCharCode(97 + (i % 26))}${i}` })),
  );
const section = (explainer: object = {}): NonNullable<StudyOver['interpret']> => ({
  corpus: [corpus()],
  tokens: 4000,
  latents: 4,
  explainer: { kind: 'chat', base_url: server.baseUrl, model: 'm', retries: 1, concurrency: 2, ...explainer },
});

let studies = 0;
/** The interpreted study anew. */
function explained(): string {
  const study = join(folder, `study${studies++}`);
  cpSync(interpreted, study, { recursive: true });
  return study;
}
/** The attributed study anew, with this section. */
function fresh(interpret: StudyOver['interpret'] = section()): string {
  const study = join(folder, `study${studies++}`);
  cpSync(attributed, study, { recursive: true });
  put(join(study, 'study.yaml'), stringify(tinyStudy(tiny, { interpret })));
  return study;
}
const interpret = (study: string, over: Partial<InterpretRequest> = {}) =>
  interpretStudy({ study, cacheDir: tiny.cache, ...over });
const pagesIn = (study: string): LatentPage[] =>
  readdirSync(join(study, 'latents')).map((name) =>
    latentPageSchema.parse(JSON.parse(readFileSync(join(study, 'latents', name), 'utf8'))),
  );
const bytesIn = (study: string) =>
  [...readdirSync(join(study, 'latents')).map((name) => `latents/${name}`), 'explanations.jsonl'].map(
    (name) => readFileSync(join(study, name), 'utf8'),
  );
const recordsIn = (study: string) => readJsonlAll(join(study, 'explanations.jsonl'), explanationRecord);

describe('explanations', () => {
  it('stand in the pages with their scores, which are those of the replies in explanations.jsonl', async () => {
    const { pages, upToDate } = whole;
    expect(upToDate).toBe(false);
    expect(pagesIn(interpreted).map(({ explanation }) => explanation)).toEqual(
      expect.arrayContaining(pages.map(({ explanation }) => explanation)),
    );
    const records = await recordsIn(interpreted);
    const explained = pages.filter(({ explanation }) => explanation !== null);
    expect(explained.length).toBeGreaterThan(1);
    for (const { latent, explanation } of explained) {
      expect(explanation).toMatchObject({ by: `m at ${server.baseUrl}` });
      const own = records.filter((record) => record.latent === latent);
      expect(own.find(({ task }) => task === 'explain')).toMatchObject({ text: explanation!.text });
      for (const task of ['detection', 'fuzzing'] as const) {
        const pairs = own.flatMap((one) =>
          one.task === task ? one.truth.map((truth, i) => [truth, one.answers[i]] as const) : [],
        );
        const score = explanation![task];
        if (score === null) expect(pairs).toEqual([]);
        else {
          const count = (a: boolean, b: boolean) => pairs.filter(([t, g]) => t === a && g === b).length;
          expect(score.true_positives).toBe(count(true, true));
          expect(score.false_positives).toBe(count(false, true));
          expect(score.unanswered).toBe(0);
        }
      }
    }
    expect(explained.some(({ explanation }) => explanation!.detection !== null)).toBe(true);
    expect(askedOfWhole).toHaveLength(records.length);
    expect(new Set(askedOfWhole.map(({ content }) => content)).size).toBe(records.length);
  });

  it('are tried on no passage that the explainer was shown', async () => {
    const records = await recordsIn(interpreted);
    const plain = (text: string) => text.replaceAll(/<<|>>|\n\n\(activity: .*\)$/g, '');
    for (const record of records) {
      if (record.task !== 'explain') continue;
      const asks = askedOfWhole.filter(({ description }) => description === record.text);
      const shown = askedOfWhole.find(
        ({ task, passages }) => task === 'explain' && `About ${passages[0]!.length} letters.` === record.text,
      )!;
      const seen = new Set([...shown.passages, ...shown.inactive].map(plain));
      expect(asks.flatMap(({ passages }) => passages.map(plain)).filter((text) => seen.has(text))).toEqual(
        [],
      );
    }
  });

  it('are asked for once: not again, not after fewer latents or none were explained', async () => {
    script = willing;
    const study = explained();
    const before = bytesIn(study);
    expect((await interpret(study)).upToDate).toBe(true);
    const bare = await interpret(study, { explainer: false });
    expect(bare.pages.every(({ explanation }) => explanation === null)).toBe(true);
    expect(existsSync(join(study, 'explanations.jsonl'))).toBe(true);
    await interpret(study, { latents: 2 });
    expect(readdirSync(join(study, 'latents'))).toHaveLength(2);
    await interpret(study);
    expect(bytesIn(study)).toEqual(before);
    expect(server.asked).toEqual([]);
    await interpret(study, { explainer: { model: 'other' } });
    expect(server.asked.length).toBeGreaterThan(0);
  });

  it('that cannot be read are asked for again, then counted unanswered and shown as such', async () => {
    script = (asked, before) => {
      if (asked.task === 'detection') return 'Hard to tell.';
      return asked.task === 'fuzzing' && before === 0 ? 'Hard to tell.' : willing(asked);
    };
    // side by side, for each waits before it asks again
    const study = fresh(section({ concurrency: 16 }));
    const { pages } = await interpret(study);
    const scored = pages.filter(({ explanation }) => explanation?.detection);
    expect(scored.length).toBeGreaterThan(0);
    for (const { explanation } of scored) {
      const { detection, fuzzing } = explanation!;
      expect(detection).toMatchObject({ balanced_accuracy: null, true_positives: 0, false_negatives: 0 });
      expect(detection!.unanswered).toBeGreaterThan(9);
      if (fuzzing) expect(fuzzing.unanswered).toBe(0);
    }
    for (const record of await recordsIn(study))
      if (record.task === 'detection') {
        expect(record.cost.calls).toBe(2);
        expect(record).toMatchObject({
          raw: 'Hard to tell.',
          why: expect.stringContaining('without answers'),
        });
      }
  });

  it('are refused in one line where the key is not there, before anything is computed', async () => {
    const study = fresh(section({ api_key_env: 'NO_SUCH_KEY' }));
    await expect(interpret(study, { environment: {} })).rejects.toThrow(
      'interpret.explainer.api_key_env: environment variable NO_SUCH_KEY is not set',
    );
    expect(existsSync(join(study, 'latents'))).toBe(false);
    await expect(interpret(fresh({ latents: 2 }), { explainer: { model: 'm' } })).rejects.toThrow(
      /^explainer: base_url: expected a URL/,
    );
  });
});

describe('another explainer', () => {
  const other = { explainer: { model: 'other' } };
  const keptIn = (study: string) =>
    readdirSync(join(study, '.work')).filter((name) => name.startsWith('replies-'));

  it('and the first one again costs nothing', async () => {
    script = willing;
    const study = explained();
    const before = bytesIn(study);
    await interpret(study, other);
    expect(server.asked).toHaveLength(askedOfWhole.length);
    await interpret(study);
    expect(bytesIn(study)).toEqual(before);
    await interpret(study, other);
    expect(server.asked).toHaveLength(askedOfWhole.length);
    expect(keptIn(study)).toHaveLength(2);
  });

  it('costs nothing either after a stop, or where an older culprit kept no replies', async () => {
    script = willing;
    const study = fresh();
    expect((await interpret(study, { explainer: { max_calls: 7 } })).stopped).toBeDefined();
    await interpret(study, other);
    server.asked.length = 0;
    expect((await interpret(study, { explainer: { max_calls: 8 } })).stopped).toBeDefined();
    expect(server.asked).toHaveLength(1);
    await interpret(study);
    for (const name of keptIn(study)) rmSync(join(study, '.work', name));
    await interpret(study, other);
    server.asked.length = 0;
    await interpret(study);
    expect(server.asked).toHaveLength(0);
  });

  it('that is told to do it anew asks anew', async () => {
    script = willing;
    const study = explained();
    await runStudy({ study, cacheDir: tiny.cache, stages: ['interpret'], redo: ['interpret'] });
    expect(server.asked).toHaveLength(askedOfWhole.length);
  });
});

describe('a budget', () => {
  it('ends it with what is paid for in the pages, and a greater one goes on from there', async () => {
    script = willing;
    const all = askedOfWhole.length;
    const study = fresh();
    const first = await interpret(study, { explainer: { max_calls: 7 } });
    expect(first.stopped).toBe('interpret.explainer.max_calls 7 is used up');
    expect(server.asked).toHaveLength(7);
    expect(await recordsIn(study)).toHaveLength(7);
    expect((await interpret(study, { explainer: { max_calls: 7 } })).stopped).toBeDefined();
    expect(server.asked).toHaveLength(7);
    expect((await interpret(study, { explainer: { max_calls: all } })).stopped).toBeUndefined();
    expect(server.asked).toHaveLength(all);
    expect(bytesIn(study)).toEqual(bytesIn(interpreted));
  });

  it('in money is kept too', async () => {
    script = willing;
    // a call costs 100 + 20 tokens: 0.12
    const price = { input: 1000, output: 1000 };
    const { stopped } = await interpret(fresh(section({ price, max_cost: 0.5, concurrency: 1 })));
    expect(stopped).toContain('interpret.explainer.max_cost 0.5 is used up');
    expect(server.asked).toHaveLength(4);
  });
});

it('calls that brought no reply count in the budget of every later run', async () => {
  const study = fresh(section({ retries: 0, max_calls: 6 }));
  const used = 'interpret.explainer.max_calls 6 is used up';
  script = (asked) =>
    asked.task === 'explain' ? willing(asked) : (response) => response.writeHead(500).end();
  expect((await interpret(study)).stopped).toBe(used);
  expect(server.asked).toHaveLength(6);
  expect(await recordsIn(study)).toHaveLength(4);
  script = willing;
  expect((await interpret(study)).stopped).toBe(used);
  expect(server.asked).toHaveLength(6);
  expect((await interpret(study, { explainer: { max_calls: 8 } })).stopped).toBeDefined();
  expect(server.asked).toHaveLength(8);
});

describe('a run that is stopped', () => {
  it('by the server goes on with what is missing, to the same bytes', async () => {
    script = willing;
    const all = askedOfWhole.length;
    const study = fresh();
    for (const after of [1, 5, 9]) {
      server.asked.length = 0;
      script = (asked) =>
        server.asked.length <= after ? willing(asked) : (response) => response.writeHead(401).end();
      await expect(interpret(study)).rejects.toThrow(/status 401/);
    }
    script = willing;
    server.asked.length = 0;
    await interpret(study);
    // 1 + 5 + 9 replies were paid for
    expect(server.asked).toHaveLength(all - 15);
    expect(bytesIn(study)).toEqual(bytesIn(interpreted));
  });

  it('by kill -9, again and again, loses no reply that was kept', async () => {
    const study = fresh(section({ concurrency: 1 }));
    const wanted = new Map<string, number>();
    let kill: (() => void) | undefined;
    script = (asked) => {
      wanted.set(asked.content, (wanted.get(asked.content) ?? 0) + 1);
      if (server.asked.length % 6 === 0) kill?.();
      return willing(asked);
    };
    for (let kills = 0; kills < 3; kills++) {
      const { child, ended } = start(['interpret', study]);
      kill = () => child.kill('SIGKILL');
      await ended;
      expect(child.signalCode).toBe('SIGKILL');
    }
    kill = undefined;
    const { code, stdout } = await culpritHere(['interpret', study]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/seems to be about: About \d+ letters\./);
    // at most the reply that was on its way is asked for again
    const again = [...wanted.values()].filter((times) => times > 1);
    expect(again.length).toBeLessThanOrEqual(3);
    expect(Math.max(...wanted.values())).toBeLessThanOrEqual(2);
    expect(bytesIn(study)).toEqual(bytesIn(interpreted));
  }, 120_000);
});

describe('culprit run', () => {
  it('interprets as its last stage where the section is there; status and estimate know it', async () => {
    script = willing;
    const study = fresh();
    const stages = async () => (await studyStatus({ study, cacheDir: tiny.cache })).stages;
    expect((await stages()).at(-1)).toMatchObject({ name: 'interpret', finished: false, left: 4 * 16 });
    const estimate = await estimateStudy({ study, cacheDir: tiny.cache });
    expect(estimate.lines.at(-1)).toMatchObject({
      stage: 'interpret',
      note: expect.stringContaining('64 questions'),
    });
    const result = await runStudy({ study, cacheDir: tiny.cache });
    expect(result.interpret!.pages).toHaveLength(4);
    expect(result.attribute!.upToDate).toBe(true);
    expect((await stages()).at(-1)).toMatchObject({ name: 'interpret', finished: true });
    expect((await interpret(study)).upToDate).toBe(true);
    const { stdout } = await culpritHere(['run', study]);
    expect(stdout).toMatch(/Interpreted {2}4 latents, \d of them explained/);
  });

  it('has no such stage without the section', async () => {
    const { stages } = await studyStatus({ study: attributed, cacheDir: tiny.cache });
    expect(stages.map(({ name }) => name)).not.toContain('interpret');
  });
});

describe('a model that runs here', () => {
  const local = (model: string) => fresh({ ...section(), latents: 1, explainer: { kind: 'local', model } });

  it('explains and answers too', async () => {
    const config = { ...tinyModel.config, max_position_embeddings: 4096 };
    const model = await putModel(join(folder, 'explainer'), { ...tinyModel, config });
    const study = local(model);
    const [page] = (await interpret(study)).pages;
    const { by, text, detection } = page!.explanation!;
    expect(by).toBe(model);
    expect(text).toMatch(/\p{L}/u);
    expect(detection!.unanswered).toBe(0);
    expect(detection!.balanced_accuracy).not.toBeNull();
    for (const { cost } of await recordsIn(study)) expect(cost.calls).toBe(0);
  }, 120_000);

  it('has no explanation where the question is too long for it, and says so', async () => {
    const study = local(tiny.model);
    const [page] = (await interpret(study)).pages;
    expect(page!.explanation).toEqual({ text: null, by: tiny.model, detection: null, fuzzing: null });
    const [record] = await recordsIn(study);
    expect(record!.why).toMatch(/a question has \d+ tokens: with 100 of the reply it exceeds 256/);
  });
});

it('pages of before, without the field, are read', async () => {
  script = willing;
  const study = fresh({ latents: 1, tokens: 500 });
  const { pages } = await interpret(study);
  const { explanation: _, ...old } = pages[0]!;
  expect(latentPageSchema.parse(old)).toEqual(pages[0]);
});
