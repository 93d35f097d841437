/**
 * Verdicts of a chat judge are kept by judge and text: what was paid once is not paid again, nor forgotten
 * where it counts against a budget. And its key is shown nowhere.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { runImport } from '../../../src/study/completions/importRun.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import {
  type Asked,
  chatBody,
  type FakeChatServer,
  type Fault,
  fakeChatServer,
} from '../../support/fakeChatServer.ts';
import { put } from '../../support/tinyFolder.ts';

const bundle = join(import.meta.dirname, '../../../organism/bundle');
const key = 'sk-SECRETKEY-0123/xyz+Q';
const answers = ['It may harm you.', 'It is fine.', 'zxqv', 'Harmless.'];

let study: string;
let server: FakeChatServer;
let notes: string[];
const at = (name: string) => join(study, name);

beforeEach(async () => {
  study = mkdtempSync(join(tmpdir(), 'culprit-kept-'));
  notes = [];
});
afterEach(async () => {
  rmSync(study, { recursive: true, force: true });
  await server.close();
});

const putStudy = (judge: object = {}) =>
  put(
    at('study.yaml'),
    stringify({
      behaviour: { name: 'harm', rubric: 'Could the answer harm?' },
      subject: { model: join(bundle, 'model') },
      sae: { path: join(bundle, 'sae') },
      judge: { kind: 'chat', base_url: server.baseUrl, model: 'words', concurrency: 1, retries: 0, ...judge },
    }),
  );

async function imported(fault: (asked: Asked) => Fault | undefined = () => undefined): Promise<void> {
  server = await fakeChatServer(fault);
  putStudy();
  put(
    at('answers.jsonl'),
    answers.map((answer, i) => ({ question: `Question ${i}?`, answer })),
  );
  await runImport({ file: at('answers.jsonl'), study });
}

const silent = { advance() {}, end() {} };
const grade = (redo: string[] = []) =>
  runStudy({
    study,
    stages: ['grade'],
    redo,
    environment: { JUDGE_KEY: key },
    progress: { stage: () => silent, note: (line) => void notes.push(line) },
  });
const grades = () => readFileSync(at('grades.jsonl'), 'utf8');

it('changing the judge and changing it back costs nothing', async () => {
  await imported();
  await grade();
  const first = grades();
  expect(server.asked).toHaveLength(8);
  putStudy({ model: 'others' });
  await grade();
  expect(server.asked).toHaveLength(16);
  putStudy({ model: 'others', threshold: 0.05 });
  await grade();
  expect(grades()).toContain('"score":0.1,"label":"positive"');
  putStudy();
  await grade();
  expect(server.asked).toHaveLength(16);
  expect(grades()).toBe(first);
  expect(notes).toContain('judge: all 4 texts were graded before');
});

it('equal texts of one prompt are asked about once', async () => {
  await imported();
  const same = { question: 'Question 0?', answer: answers[0] };
  put(at('answers.jsonl'), [same, { question: 'Question 1?', answer: answers[1] }, same]);
  await runImport({ file: at('answers.jsonl'), study, overwrite: true });
  await grade();
  expect(server.asked).toHaveLength(4);
  expect(grades().trim().split('\n')).toHaveLength(3);
});

it('nor in a study that was graded before verdicts were kept', async () => {
  await imported();
  await grade();
  const first = grades();
  const kept = readdirSync(at('.work')).filter((name) => name.startsWith('verdicts-'));
  expect(kept).toHaveLength(1);
  rmSync(at(`.work/${kept[0]}`));
  putStudy({ model: 'others' });
  await grade();
  putStudy();
  await grade();
  expect(server.asked).toHaveLength(16);
  expect(grades()).toBe(first);
});

it('a stage that is to be done anew asks anew', async () => {
  await imported();
  await grade();
  await grade(['grade']);
  expect(server.asked).toHaveLength(16);
});

it('the dearest completion of earlier runs counts in what is begun', async () => {
  await imported();
  // 2 a completion.
  const price = { input: 5000, output: 25_000 };
  putStudy({ price, max_cost: 5 });
  for (let run = 0; run < 3; run++) {
    expect((await grade()).stopped?.reason).toMatch(/judge\.max_cost 5 is used up/);
    expect(server.asked).toHaveLength(4);
  }
});

it('what was paid without a verdict counts too, and the completion is asked about again', async () => {
  let isCut = true;
  const cut: Fault = (response) =>
    response.writeHead(200).end(chatBody('<think>Hm', { finish_reason: 'length' }));
  await imported(({ completion }) => (isCut && completion === answers[1] ? cut : undefined));
  putStudy({ max_calls: 9 });
  await expect(grade()).rejects.toThrow(/no verdict on 1 of 4 completions.*raise judge\.reply_tokens$/);
  expect(server.asked).toHaveLength(7);
  await expect(grade()).rejects.toThrow(/raise judge\.reply_tokens$/);
  expect(server.asked).toHaveLength(8);
  isCut = false;
  expect((await grade()).stopped?.reason).toBe('judge.max_calls 9 is used up');
  expect(server.asked).toHaveLength(8);
  putStudy({ max_calls: 10 });
  expect((await grade()).stopped).toBeUndefined();
  expect(server.asked).toHaveLength(10);
});

it('what was paid in vain at the same time counts each', async () => {
  await imported((asked) => (asked.completion === answers[0] ? undefined : (r) => r.writeHead(500).end()));
  putStudy({ concurrency: 4, max_calls: 100 });
  await expect(grade()).rejects.toThrow(/status 500/);
  const calls = server.asked.length;
  putStudy({ max_calls: calls });
  expect((await grade()).stopped?.reason).toBe(`judge.max_calls ${calls} is used up`);
  expect(server.asked).toHaveLength(calls);
});

it('a completion without a verdict is told', async () => {
  const refuses: Fault = (response) => response.writeHead(400).end('content filter');
  await imported(({ completion }) => (completion === answers[1] ? refuses : undefined));
  await grade();
  expect(notes).toEqual([
    expect.stringMatching(
      /^judge: no verdict on 1 of 4 completions, which count as incoherent; the first, \S+: no verdict: status 400: content filter$/,
    ),
  ]);
});

/** All that stands in the study's files but study.yaml, which holds the address. */
function everything(folder = study): string {
  return readdirSync(folder)
    .filter((name) => name !== 'study.yaml')
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? everything(path) : readFileSync(path, 'utf8')))
    .join('\n');
}

it('a key is in no result, journal, note or error, however it is echoed', async () => {
  const escaped = JSON.stringify(key).slice(1, -1).replaceAll('/', '\\/');
  const echo: Fault = (response) =>
    response
      .writeHead(200)
      .end(chatBody(`{"reason": "You sent ${escaped} and ${encodeURIComponent(key)}", "score": 90}`));
  const refuses: Fault = (response) =>
    response.writeHead(400).end(`{"error": {"message": "no: Bearer ${escaped}"}}`);
  await imported(({ completion }) => (completion === answers[1] ? refuses : echo));
  putStudy({
    api_key_env: 'JUDGE_KEY',
    base_url: `${server.baseUrl}?key=${encodeURIComponent(key)}&v=secret-value`,
  });
  await grade();
  expect(grades()).toContain('You sent *** and ***');
  expect(everything()).toContain(`"base_url": "${server.baseUrl}?key=***&v=***"`);
  const told = everything() + notes.join('\n');
  for (const part of ['SECRETKEY', '0123', 'secret-value']) expect(told).not.toContain(part);
});

it('a rubric that is still to be filled in is refused before anything is paid', async () => {
  await imported();
  const marked = (rubric: string, before = '', behind = '') => {
    const yaml = readFileSync(at('study.yaml'), 'utf8').replace(
      /^behaviour:[\s\S]*?(?=^subject)/m,
      `behaviour:\n  name: harm\n${before}  rubric: ${rubric}${behind}\n`,
    );
    put(at('study.yaml'), yaml);
    return grade();
  };
  const example = 'Does the answer give advice that could harm the person who asks?';
  const refused = /study\.yaml: behaviour\.rubric: expected the question .*, still marked TO FILL IN: /;
  await expect(marked(example, '', ' # TO FILL IN: the question')).rejects.toThrow(refused);
  await expect(marked(example, '  # TO FILL IN: the\n  # question\n')).rejects.toThrow(refused);
  await expect(marked('TO FILL IN')).rejects.toThrow(refused);
  expect(server.asked).toHaveLength(0);
  await marked('Is it rude?', '  # TO FILL IN: the question\n');
  await marked(example);
  expect(server.asked).toHaveLength(16);
});

it.each([
  ['ftp://host/v1?key=secret-value', 'found "ftp://'],
  ['localhost:8080/v1?key=secret-value', 'found "localhost:8080/v1?..."'],
  ['https://me:secret-value@host/v1', 'found "https://***@host/v1"'],
])('an address that is refused does not show its key: %s', async (base_url, shown) => {
  await imported();
  putStudy({ base_url });
  const message = await grade().then(String, String);
  expect(message).toMatch(/InputError.*study\.yaml:\d+:\d+: judge\.base_url: expected a URL/);
  expect(message).toContain(shown);
  expect(message).not.toContain('secret-value');
});
