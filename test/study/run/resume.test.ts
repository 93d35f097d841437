/** A run that was stopped, by a signal or by an error, goes on where it was and ends with the same bytes. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../src/files/safetensors.ts';
import { type AttributeRequest, runAttribute } from '../../../src/study/attribution/attributeRun.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { f32 } from '../../../src/tensor.ts';
import { type Started, start } from '../../support/cli.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { manyPairs, put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unfinished = (out: string) => join(out, 'attribution.unfinished');
const rowFiles = (out: string) =>
  existsSync(unfinished(out))
    ? readdirSync(unfinished(out)).filter((name) => /^\d{6}\.safetensors$/.test(name))
    : [];
const results = ['attribution.safetensors', 'latents.parquet'];

function expectSameResults(out: string, undisturbed: string): void {
  expect(readdirSync(out).sort()).toEqual([...results, 'manifest.json']);
  for (const name of results)
    expect(readFileSync(join(out, name))).toEqual(readFileSync(join(undisturbed, name)));
  const [a, b] = [out, undisturbed].map((path) =>
    JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')),
  );
  expect({ ...a, created: '', seconds: {} }).toEqual({ ...b, created: '', seconds: {} });
}

describe('stopped by a signal', () => {
  const count = 80;
  let many: string;
  let undisturbed: string;
  const args = (out: string) => [
    'attribute',
    ...['--model', tiny.model, '--adapter', tiny.adapter, '--sae', tiny.sae],
    ...['--pairs', many, '--baseline-corpus', tiny.corpus, '--out', out],
  ];

  beforeAll(async () => {
    many = put(join(folder, 'many.jsonl'), manyPairs(count));
    undisturbed = join(folder, 'undisturbed');
    expect((await culpritHere(args(undisturbed))).code).toBe(0);
  });

  /** Waits until some pairs are done, and sends the signal. */
  async function stop({ child, ended }: Started, out: string, signal: NodeJS.Signals) {
    while (rowFiles(out).length < 2 && child.exitCode === null) await sleep(2);
    child.kill(signal);
    return ended;
  }

  async function expectGoesOn(out: string): Promise<void> {
    const done = rowFiles(out).length;
    expect(done).toBeGreaterThanOrEqual(2);
    expect(done).toBeLessThan(count);
    expect(existsSync(join(out, 'manifest.json'))).toBe(false);
    const { code, stderr } = await culpritHere(args(out));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`Continuing a run that was stopped: ${done} of ${count} pairs are done\n`);
    expect(stderr).not.toContain('Baseline');
    expectSameResults(out, undisturbed);
  }

  it('SIGKILL', async () => {
    const out = join(folder, 'killed');
    expect(await stop(start(args(out)), out, 'SIGKILL')).toMatchObject({ code: null, signal: 'SIGKILL' });
    await expectGoesOn(out);
  });

  it('SIGINT, which a shell shows as 130: a line says what is kept', async () => {
    const out = join(folder, 'interrupted');
    const { signal, stdout, stderr } = await stop(start(args(out)), out, 'SIGINT');
    expect(signal).toBe('SIGINT');
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^culprit: stopped; what is finished is kept, and the same command continues from there\n$/m,
    );
    await expectGoesOn(out);
  });
});

describe('what a stopped run left', () => {
  const request = (out: string): AttributeRequest => ({
    model: tiny.model,
    sae: tiny.sae,
    pairs: tiny.pairs,
    baseline: tiny.baseline,
    out: join(folder, out),
  });

  class Stop extends Error {}

  /** A progress that counts pairs, and stops the run after `most` of them. */
  function counting(most = Number.POSITIVE_INFINITY) {
    const told = { done: 0, pairs: 0 };
    const progress: Progress = {
      stage(_label, _total, done = 0) {
        told.done = done;
        return {
          advance() {
            told.pairs++;
            if (told.pairs === most) throw new Stop();
          },
          end() {},
        };
      },
      note() {},
    };
    return { told, progress };
  }

  /** A run stopped after 3 of its 4 pairs. */
  async function stopped(name: string): Promise<AttributeRequest> {
    const asked = request(name);
    await expect(runAttribute({ ...asked, progress: counting(3).progress })).rejects.toThrow(Stop);
    expect(rowFiles(asked.out)).toEqual(['000000.safetensors', '000001.safetensors', '000002.safetensors']);
    return asked;
  }

  beforeAll(async () => {
    await runAttribute(request('whole'));
  });

  it('is used', async () => {
    const asked = await stopped('used');
    const { told, progress } = counting();
    await runAttribute({ ...asked, progress });
    expect(told).toEqual({ done: 3, pairs: 1 });
    expectSameResults(asked.out, request('whole').out);
  });

  it.each([
    ['cut short', async (path: string) => truncateSync(path, 500)],
    ['empty', async (path: string) => truncateSync(path, 0)],
    ['of no format', async (path: string) => writeFileSync(path, 'x'.repeat(600))],
    [
      'without its description',
      (path: string) => writeSafetensors(path, { gradient: f32([1], [0]), centred: f32([1], [0]) }),
    ],
    [
      'with a broken description',
      (path: string) => writeSafetensors(path, { gradient: f32([1], [0]) }, { about: '{' }),
    ],
  ])('is made again where a file is %s', async (name, damage) => {
    const asked = await stopped(name);
    await damage(join(unfinished(asked.out), '000001.safetensors'));
    const { told, progress } = counting();
    await runAttribute({ ...asked, progress });
    expect(told).toEqual({ done: 2, pairs: 2 });
    expectSameResults(asked.out, request('whole').out);
  });

  it('is not thrown away for other options, until told to overwrite', async () => {
    const asked = await stopped('other options');
    await expect(runAttribute({ ...asked, loss: 'sum' })).rejects.toThrow(
      `--out ${asked.out}: holds an unfinished run, with other inputs, options or versions: name another folder, or add --overwrite`,
    );
    expect(rowFiles(asked.out)).toHaveLength(3);
    const { told, progress } = counting();
    await runAttribute({ ...asked, loss: 'sum', overwrite: true, progress });
    expect(told).toEqual({ done: 0, pairs: 4 });
  });
});
