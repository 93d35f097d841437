/** A chat judge asked in batches: the same grades as from one that is asked at once, at half the price. */
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { runImport } from '../../../src/study/completions/importRun.ts';
import { writeBatch } from '../../../src/study/judging/batchWork.ts';
import { readJudgeBatch, writeJudgeBatch } from '../../../src/study/run/batchRun.ts';
import { openFor, runStudy } from '../../../src/study/run/studyRun.ts';
import { answerBatch, linesOf } from '../../support/batchApi.ts';
import { culpritHere } from '../../support/cliHere.ts';
import {
  type Asked,
  chatBody,
  type FakeChatServer,
  type Fault,
  fakeChatServer,
} from '../../support/fakeChatServer.ts';
import { put } from '../../support/tinyFolder.ts';

const bundle = join(import.meta.dirname, '../../../organism/bundle');
const answers = ['It may harm you.', 'It is fine.', 'zxqv', 'Harmless.', 'Quite harmless.', 'Nothing.'];

let folder: string;
let server: FakeChatServer;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culprit-batch-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.close();
});

function putStudy(name: string, judge: object = {}, rubric = 'Could the answer harm?'): void {
  put(
    at(`${name}/study.yaml`),
    stringify({
      behaviour: { name: 'harm', rubric },
      subject: { model: join(bundle, 'model') },
      sae: { path: join(bundle, 'sae') },
      judge: {
        kind: 'chat',
        base_url: server.baseUrl,
        model: 'words',
        api_key_env: 'NO_SUCH_KEY',
        concurrency: 1,
        retries: 1,
        price: { input: 1000, output: 5000 },
        ...judge,
      },
    }),
  );
}

async function putStudies(fault: (asked: Asked) => Fault | undefined = () => undefined): Promise<void> {
  server = await fakeChatServer(fault);
  const rows = answers.map((answer, i) => ({ question: `Question ${i}?`, answer }));
  put(at('answers.jsonl'), rows);
  for (const name of ['live', 'batch']) {
    putStudy(name);
    await runImport({ file: at('answers.jsonl'), study: at(name) });
  }
}

const live = (name: string) =>
  runStudy({ study: at(name), stages: ['grade'], environment: { NO_SUCH_KEY: 'sk-known-0123456789' } });
const environment = {};
const write = (name = 'batch') => writeJudgeBatch({ study: at(name), environment }, at('q.jsonl'));
const read = (files: readonly string[], name = 'batch') =>
  readJudgeBatch({ study: at(name), environment }, files);
/** No key is there, as for one who has the files alone. */
const finish = () => runStudy({ study: at('batch'), stages: ['grade'], environment });

interface Graded {
  readonly cost: { readonly calls: number; readonly price: number };
}
const gradesOf = (name: string) =>
  readFileSync(at(`${name}/grades.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Graded);
const withoutPrice = (name: string) =>
  gradesOf(name).map(({ cost: { price: _, ...cost }, ...grade }) => ({ ...grade, cost }));
const spent = (name: string) => gradesOf(name).reduce((sum, { cost }) => sum + cost.price, 0);

it('written, answered and read gives the grades of a judge that is asked at once, at half the price', async () => {
  await putStudies();
  await live('live');
  const { files, texts, left } = await write();
  expect(files).toEqual([{ file: at('q.jsonl'), requests: 12 }]);
  expect({ texts, left }).toEqual({ texts: 6, left: undefined });
  const [first] = linesOf(at('q.jsonl'));
  expect(first).toMatchObject({ method: 'POST', url: '/v1/chat/completions', body: { model: 'words' } });
  expect(first!.custom_id.length).toBeLessThanOrEqual(64);
  expect(first!.body).not.toHaveProperty('stream');
  const { results } = await answerBatch(at('q.jsonl'), server.baseUrl);
  expect(await read([results])).toMatchObject({
    lines: 12,
    kept: 12,
    graded: 6,
    outstanding: { texts: 0, questions: 0 },
  });
  const asked = server.asked.length;
  await finish();
  expect(server.asked).toHaveLength(asked);
  expect(withoutPrice('batch')).toEqual(withoutPrice('live'));
  expect(spent('live')).toBeCloseTo(12 * 0.2);
  expect(spent('batch')).toBeCloseTo(6 * 0.2);
  const bytes = readFileSync(at('live/grades.jsonl'), 'utf8').replaceAll('"price":0.4', '"price":0.2');
  expect(readFileSync(at('batch/grades.jsonl'), 'utf8')).toBe(bytes);
});

it('half a file is graded as far as it goes; the rest is written, or asked at once, and nothing twice', async () => {
  await putStudies();
  await write();
  const { results } = await answerBatch(at('q.jsonl'), server.baseUrl, (n) => n < 7);
  appendFileSync(results, readFileSync(results, 'utf8').slice(0, 50));
  expect(await read([results])).toMatchObject({
    lines: 7,
    graded: 3,
    outstanding: { texts: 3, questions: 5 },
  });
  expect(await read([results])).toMatchObject({ lines: 7, kept: 0, before: 7, graded: 0 });
  expect((await write()).files).toEqual([{ file: at('q.jsonl'), requests: 5 }]);
  const asked = server.asked.length;
  await live('batch');
  expect(server.asked.slice(asked).map(({ aspect }) => aspect)).toEqual([
    'coherence',
    ...['behaviour', 'coherence', 'behaviour', 'coherence'],
  ]);
  await live('live');
  expect(withoutPrice('batch')).toEqual(withoutPrice('live'));
  expect(gradesOf('batch').map(({ cost }) => Number(cost.price.toFixed(6)))).toEqual([
    ...[0.2, 0.2, 0.2],
    0.3,
    ...[0.4, 0.4],
  ]);
});

it('lines of errors leave their questions outstanding, under the same name', async () => {
  const busy: Fault = (response) => response.writeHead(429).end('{"error":{"message":"too many"}}');
  await putStudies(({ completion, before }) => (completion === 'zxqv' && before < 1 ? busy : undefined));
  await write();
  const { results, errors } = await answerBatch(at('q.jsonl'), server.baseUrl);
  const expired = { code: 'batch_expired', message: 'not in time' };
  appendFileSync(
    errors,
    `${JSON.stringify({ id: 'x', custom_id: linesOf(at('q.jsonl'))[0]!.custom_id, response: null, error: expired })}\n`,
  );
  const found = await read([results, errors]);
  expect(found).toMatchObject({
    lines: 13,
    kept: 10,
    before: 1,
    graded: 5,
    outstanding: { texts: 1, questions: 2 },
  });
  expect(found.failed).toEqual({ lines: 2, first: `${errors}:1: status 429: too many` });
  const names = linesOf(at('q.jsonl')).map(({ custom_id }) => custom_id);
  await write();
  const again = linesOf(at('q.jsonl')).map(({ custom_id }) => custom_id);
  expect(again).toHaveLength(2);
  expect(names).toEqual(expect.arrayContaining(again));
  const second = await answerBatch(at('q.jsonl'), server.baseUrl);
  expect(await read([second.results])).toMatchObject({ graded: 1, outstanding: { texts: 0 } });
});

it('a reply without a grade is asked again as often as at once, and then the completion is refused alike', async () => {
  const prose: Fault = (response) => response.writeHead(200).end(chatBody('I would rather not.'));
  await putStudies(({ completion, aspect }) =>
    completion === 'It is fine.' && aspect === 'behaviour' ? prose : undefined,
  );
  await live('live');
  await write();
  await read([(await answerBatch(at('q.jsonl'), server.baseUrl)).results]);
  expect((await write()).files).toEqual([{ file: at('q.jsonl'), requests: 1 }]);
  expect(linesOf(at('q.jsonl'))[0]!.custom_id).toMatch(/-behaviour-2$/);
  const { results } = await answerBatch(at('q.jsonl'), server.baseUrl);
  expect(await read([results])).toMatchObject({ graded: 1, outstanding: { questions: 0 } });
  await finish();
  const refused = (name: string) => {
    const { cost, ...grade } = gradesOf(name)[1]!;
    return { ...grade, calls: cost.calls };
  };
  // coherence was asked too, in the same batch
  expect(refused('batch')).toEqual({ ...refused('live'), calls: 3 });
});

it('a reply that was cut off in its thoughts is paid for and asked again; one with thoughts is read', async () => {
  let isCut = true;
  const cut: Fault = (response) =>
    response.writeHead(200).end(chatBody('<think>Hm', { finish_reason: 'length' }));
  const thinks: Fault = (response, good) => {
    const { choices } = JSON.parse(good) as { choices: [{ message: { content: string } }] };
    response.writeHead(200).end(chatBody(`<think>Hm {"score": 3}</think>${choices[0].message.content}`));
  };
  await putStudies(({ completion }) => (completion === 'Nothing.' && isCut ? cut : thinks));
  await write();
  const found = await read([(await answerBatch(at('q.jsonl'), server.baseUrl)).results]);
  expect(found.again).toMatchObject({ lines: 2 });
  expect(found.again!.first).toMatch(/^\S+:\d+: .*raise judge\.reply_tokens$/);
  isCut = false;
  await write();
  await read([(await answerBatch(at('q.jsonl'), server.baseUrl)).results]);
  await finish();
  await live('live');
  expect(withoutPrice('batch')).toEqual(withoutPrice('live'));
});

it('fields that the server refuses are left out of the next batch', async () => {
  const refusal: Fault = (response) =>
    response.writeHead(400).end('{"error":{"message":"Unsupported value: temperature"}}');
  await putStudies(({ body }) => ('temperature' in body ? refusal : undefined));
  await write();
  const first = await answerBatch(at('q.jsonl'), server.baseUrl);
  copyFileSync(first.errors, at('first.errors'));
  const found = await read([first.errors]);
  expect(found).toMatchObject({ kept: 0, again: { lines: 12 }, outstanding: { questions: 12 } });
  await write();
  expect(linesOf(at('q.jsonl'))[0]!.body).not.toHaveProperty('temperature');
  const second = await answerBatch(at('q.jsonl'), server.baseUrl);
  expect(await read([at('first.errors'), second.results])).toMatchObject({ before: 12, graded: 6 });
});

describe('a line that is of no question of the study as it is', () => {
  it('after another rubric, or another text, or from elsewhere, is told and not used', async () => {
    await putStudies();
    await write();
    const { results } = await answerBatch(at('q.jsonl'), server.baseUrl);
    putStudy('batch', {}, 'Is it rude?');
    const found = await read([results]);
    expect(found).toMatchObject({ lines: 12, kept: 0, graded: 0, outstanding: { questions: 12 } });
    expect(found.foreign).toMatchObject({ lines: 12 });
    expect(found.foreign!.first).toMatch(/q\.jsonl\.results:1: .*another rubric/);
    putStudy('batch');
    const rows = answers.map((answer, i) => ({
      question: `Question ${i}?`,
      answer: i === 0 ? 'New.' : answer,
    }));
    await runImport({ file: put(at('answers.jsonl'), rows), study: at('batch'), overwrite: true });
    appendFileSync(
      results,
      `${JSON.stringify({ custom_id: 'mine', response: { status_code: 200, body: {} } })}\n`,
    );
    const other = await read([results]);
    expect(other).toMatchObject({ kept: 10, graded: 5, foreign: { lines: 3 } });
    expect(other.foreign!.first).toMatch(/another text$/);
  });

  it('and a file of something else is one clear line', async () => {
    await putStudies();
    await write();
    await expect(read([at('q.jsonl')])).rejects.toThrow(
      `${at('q.jsonl')}:1: expected a result line: custom_id, and a response or an error`,
    );
    writeFileSync(at('empty.jsonl'), '');
    await expect(read([at('empty.jsonl')])).rejects.toThrow(
      /empty\.jsonl: expected lines of results, found none$/,
    );
  });
});

describe('the budget', () => {
  it('max_calls leaves out what it has no room for, counting what was read', async () => {
    await putStudies();
    putStudy('batch', { max_calls: 9 });
    const { files, left } = await write();
    expect(files[0]!.requests).toBe(8);
    expect(left).toEqual({ texts: 2, why: 'judge.max_calls 9 is used up' });
    await read([(await answerBatch(at('q.jsonl'), server.baseUrl)).results]);
    expect(await write()).toMatchObject({ files: [], texts: 0, left: { texts: 2 } });
  });

  it('max_cost takes the dearest completion so far, or else the most that one can cost', async () => {
    await putStudies();
    // 0.2 a completion
    putStudy('batch', { max_cost: 0.5, reply_tokens: 64 });
    expect(await write()).toMatchObject({ files: [], left: { texts: 6 } });
    putStudy('batch', { max_cost: 3, reply_tokens: 64 });
    const first = await write();
    expect(first.files[0]!.requests).toBeLessThan(12);
    const answered = await answerBatch(at('q.jsonl'), server.baseUrl, (n) => n < 2);
    await read([answered.results]);
    putStudy('batch', { max_cost: 0.75, reply_tokens: 64 });
    expect((await write()).files[0]!.requests).toBe(4);
  });
});

it('several files where one may not hold all', async () => {
  await putStudies();
  const sizes = async (limits: { requests: number; bytes: number }) => {
    const study = await openFor({ study: at('batch'), environment });
    try {
      return (await writeBatch(study, at('q.jsonl'), limits)).files;
    } finally {
      await study.close();
    }
  };
  expect(await sizes({ requests: 5, bytes: 1e9 })).toEqual([
    { file: at('q.jsonl'), requests: 5 },
    { file: at('q-2.jsonl'), requests: 5 },
    { file: at('q-3.jsonl'), requests: 2 },
  ]);
  const line = readFileSync(at('q-3.jsonl')).length / 2;
  const byBytes = await sizes({ requests: 50, bytes: Math.ceil(line * 4.5) });
  expect(byBytes.map(({ requests }) => requests)).toEqual([4, 4, 4]);
});

it.each([[{ kind: 'pattern', positive: 'harm' }, /judge\.kind: expected chat, .* found pattern$/]])(
  'another judge is refused in one line',
  async (judge, line) => {
    await putStudies();
    const study = {
      behaviour: { name: 'harm', rubric: 'Harm?' },
      subject: { model: join(bundle, 'model') },
      sae: { path: join(bundle, 'sae') },
      judge,
    };
    put(at('batch/study.yaml'), stringify(study));
    await expect(write()).rejects.toThrow(line);
  },
);

it('the command says what is next, and grades the study once nothing is outstanding', async () => {
  await putStudies();
  const command = (...args: string[]) => culpritHere(['grade', at('batch'), ...args, '--quiet']);
  const written = await command('--batch', 'write', at('q.jsonl'));
  expect(written).toMatchObject({ code: 0, stderr: '' });
  expect(written.stdout).toContain(`${at('q.jsonl')}: 12 questions`);
  const half = await answerBatch(at('q.jsonl'), server.baseUrl, (n) => n < 6);
  const partly = await command('--batch', 'read', half.results);
  expect(partly.code).toBe(4);
  expect(partly.stdout).toMatch(/6 questions outstanding, on 3 completions:\n {2}culprit grade/);
  const all = await answerBatch(at('q.jsonl'), server.baseUrl);
  const whole = await command('--batch', 'read', all.results);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(gradesOf('batch')).toHaveLength(6);
  expect(await command('--batch', 'write')).toMatchObject({
    code: 0,
    stdout: 'no question is outstanding: nothing was written\n',
  });
  expect(await command('somewhere')).toMatchObject({ code: 2 });
  expect(await command('--batch', 'read')).toMatchObject({ code: 2 });
  expect(await command('--batch', 'write', '-')).toMatchObject({ code: 2 });
});
