/** A study that is looked at while it runs in another process, and whose models are steered from the page. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SteerLine, steerBody } from '../../../src/results.ts';
import { playground } from '../../../src/study/playground/served.ts';
import { studySteering } from '../../../src/study/playground/steerRequest.ts';
import { runSteer } from '../../../src/study/playground/steerRun.ts';
import { startView, type View } from '../../../src/study/view/viewServer.ts';
import { putApp } from '../../support/appFolder.ts';
import { culprit, start } from '../../support/cli.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, smallSteering } from '../../support/tinyStudy.ts';
import { listen, steer } from '../../support/viewClient.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-live-'));
const at = (...parts: string[]) => join(root, ...parts);
const bugs: unknown[] = [];
let tiny: TinyFolder;
let view: View;
const over = { prompts: causalTestPrompts, steering: smallSteering };

beforeAll(async () => {
  tiny = await putAll(root);
  putStudy(at('one'), tiny, over);
  putStudy(at('two'), tiny, over);
  await culprit(['--version']);
  view = await startView({
    studies: [at('one'), at('two')],
    cacheDir: tiny.cache,
    appFolder: putApp(at('app')),
    every: 50,
    onBug: (error) => bugs.push(error),
  });
});
afterAll(async () => {
  await view.close();
  rmSync(root, { recursive: true, force: true });
  expect(bugs).toEqual([]);
});

describe('a study that runs', () => {
  it('is followed from nothing to its end, in another process', async () => {
    const heard = await listen(view, 'one');
    const first = await heard.until(({ event }) => event === 'status');
    const names = ['sample', 'grade', 'pair', 'attribute', 'fidelity', 'steer'];
    expect(first.data.running).toBe(false);
    expect(first.data.stages!.map(({ name, state, done }) => [name, state, done])).toEqual(
      names.map((name) => [name, 'waiting', 0]),
    );
    expect(first.data.stages![0]).toEqual({
      name: 'sample',
      state: 'waiting',
      done: 0,
      units: 48,
      seconds_left: null,
    });
    const run = start(['run', at('one'), '--cache', tiny.cache]);
    await heard.until(({ data }) => data.running === true);
    await heard.until(({ data }) => data.files?.some(({ path }) => path === 'grades.jsonl') === true);
    // a status with a problem has no stages
    await heard.until(
      ({ data: { running, stages = [], problem } }) =>
        problem !== undefined ||
        (running === false && stages.length > 0 && stages.every(({ state }) => state === 'finished')),
    );
    expect((await run.ended).code).toBe(0);
    const statuses = heard.all.filter(({ event }) => event === 'status').map(({ data }) => data);
    expect(statuses.filter(({ problem }) => problem !== undefined)).toEqual([]);
    // at most the first stage that is not finished runs
    for (const { stages } of statuses) {
      const at = stages!.findIndex(({ state }) => state !== 'finished');
      for (const [i, { state, done, units }] of stages!.entries()) {
        if (state === 'running') expect(i).toBe(at);
        expect(done).toBeLessThanOrEqual(units);
      }
    }
    // nothing is told twice
    for (const event of ['status', 'files']) {
      const told = heard.all.filter((one) => one.event === event).map(({ data }) => JSON.stringify(data));
      for (const [i, one] of told.entries()) expect(one).not.toBe(told[i - 1]);
    }
    await heard.close();
  });

  it('is told of at once to one who comes later, and its stages are stale where study.yaml changed', async () => {
    const later = await listen(view, 'one');
    const known = await later.until(({ event }) => event === 'status');
    expect(known.data.stages!.map(({ state }) => state)).toEqual(Array(6).fill('finished'));
    putStudy(at('one'), tiny, { ...over, sampling: { completions: 5, max_tokens: 12, seed: 6 } });
    const changed = await later.until(({ data }) => data.stages?.[0]?.state === 'stale');
    expect(changed.data.running).toBe(false);
    putStudy(at('one'), tiny, { ...over, sae: { path: at('nowhere') } });
    const broken = await later.until(({ data }) => data.problem !== undefined);
    expect(broken.data).toMatchObject({
      stages: [],
      running: false,
      problem: expect.stringContaining('nowhere'),
    });
    await later.close();
    putStudy(at('one'), tiny, over);
  });

  it('runs no more once its process was killed', async () => {
    const heard = await listen(view, 'two');
    await heard.until(({ event }) => event === 'status');
    const { child, ended } = start(['run', at('two'), '--cache', tiny.cache]);
    await heard.until(({ data }) => data.running === true);
    child.kill('SIGKILL');
    await ended;
    const from = heard.all.length;
    if (heard.all.at(-1)!.data.running !== false)
      await heard.until((one) => heard.all.indexOf(one) >= from && one.data.running === false);
    expect(heard.all.filter(({ event }) => event === 'status').at(-1)!.data.running).toBe(false);
    await heard.close();
  });

  it('goes on undisturbed by one who has left', async () => {
    const [stays, leaves] = [await listen(view, 'two'), await listen(view, 'two')];
    await leaves.until(({ event }) => event === 'status');
    await leaves.close();
    const before = leaves.all.length;
    await culprit(['sample', at('two'), '--cache', tiny.cache]);
    await stays.until(({ data }) => data.stages?.[0]?.state === 'finished');
    expect(leaves.all).toHaveLength(before);
    await stays.close();
  });
});

const body = (change: object = {}) => ({
  prompt: 'What of the hen?',
  latents: [{ latent: 3, dose: 0.5 }],
  max_tokens: 12,
  temperature: 1,
  seed: 7,
  model: 'subject',
  ...change,
});

async function said(change: object = {}, study = 'one'): Promise<SteerLine[]> {
  const lines: SteerLine[] = [];
  for await (const line of steer(view, study, body(change))) lines.push(line);
  return lines;
}

const tokensOf = (lines: readonly SteerLine[], side: string) =>
  lines.filter((line) => line.kind === 'token').filter((line) => line.side === side);

/** A byte that is part of no whole character shows as such in a token, and as U+FFFD in a text. */
const readable = (text: string) => text.replaceAll(/(?:<0x[0-9A-F]{2}>|\ufffd)+/g, '\ufffd');

describe('steered texts', () => {
  it.each(['subject', 'reference'] as const)(
    'of the %s are those of `culprit steer`, token by token',
    async (model) => {
      const lines = await said({ model });
      const { base } = await studySteering(at('one'), model);
      const expected = await runSteer({
        ...base,
        cacheDir: tiny.cache,
        variants: [[{ latent: 3, kind: 'add', dose: 0.5 }]],
        prompts: [body().prompt],
        textIsMessage: true,
        samples: 1,
        seed: 7,
        maxTokens: 12,
        sampling: { ...base.sampling, temperature: 1 },
      });
      const { unsteered, steered } = expected.comparisons[0]!;
      for (const [side, { text, stop }] of [
        ['alone', unsteered],
        ['steered', steered[0]!],
      ] as const) {
        const tokens = tokensOf(lines, side);
        expect(tokens.length).toBeGreaterThan(0);
        // what stops a text is told too, being a token
        expect(readable(tokens.map((token) => token.text).join(''))).toContain(readable(text));
        expect(lines.filter((line) => line.kind === 'end' && line.side === side)).toEqual([
          { kind: 'end', side, stop },
        ]);
        for (const { id, log_probability, top } of tokens) {
          expect(top).toHaveLength(5);
          expect(top.map((one) => one.log_probability)).toEqual(
            top.map((one) => one.log_probability).toSorted((a, b) => b - a),
          );
          const listed = top.find((one) => one.id === id);
          if (listed) expect(listed.log_probability).toBe(log_probability);
          else expect(log_probability).toBeLessThanOrEqual(top[4]!.log_probability);
        }
      }
      expect(tokensOf(lines, 'alone').map(({ id }) => id)).not.toEqual(
        tokensOf(lines, 'steered').map(({ id }) => id),
      );
    },
  );

  it('at temperature 0 are the likeliest tokens, the same at dose 0', async () => {
    const lines = await said({ temperature: 0, latents: [{ latent: 3, dose: 0 }] });
    const [alone, steered] = ['alone', 'steered'].map((side) =>
      tokensOf(lines, side).map(({ side: _, ...one }) => one),
    );
    expect(steered).toEqual(alone);
    for (const { id, top } of alone!) expect(top[0]!.id).toBe(id);
  });

  it('say in one line what does not fit, and then work on', async () => {
    expect(await said({ latents: [{ latent: 40, dose: 1 }] })).toEqual([
      { kind: 'error', message: `latent 40: the SAE ${tiny.sae} has latents 0 to 39` },
    ]);
    expect(await said({ max_tokens: 4000 })).toEqual([
      { kind: 'error', message: expect.stringMatching(/^prompt 1 .*exceeds the 256 that the model takes$/) },
    ]);
    expect((await said()).at(-1)).toMatchObject({ kind: 'end' });
  });

  it('end within a token of being told to', async () => {
    const there = playground(at('two'), { cacheDir: tiny.cache });
    const stop = new AbortController();
    const lines: SteerLine[] = [];
    const asked = steerBody.parse(body({ max_tokens: 200, temperature: 2 }));
    const told = (line: SteerLine) => {
      lines.push(line);
      if (lines.length === 3) stop.abort(new Error('enough'));
    };
    await expect(there.steer(asked, told, stop.signal)).rejects.toThrow('enough');
    // each side has had its second token
    expect(lines.length).toBe(4);
    await there.close();
  });

  it('come as they are drawn, end within a token of being stopped, and those that wait have their turn', async () => {
    const stop = new AbortController();
    const long = { max_tokens: 200, temperature: 1, seed: 3, prompt: 'Yes' };
    const started = steer(view, 'two', body(long), stop.signal);
    const first = await started.next();
    expect(first.value).toMatchObject({ kind: 'token' });
    const [waits, leaves] = [said({ seed: 11 }, 'two'), new AbortController()];
    const left = steer(view, 'two', body(), leaves.signal).next();
    leaves.abort();
    await expect(left).rejects.toThrow();
    stop.abort();
    await expect(
      (async () => {
        for await (const _ of started);
      })(),
    ).rejects.toThrow();
    expect(await waits).toEqual(await said({ seed: 11 }, 'two'));
  });
});

describe('the command', () => {
  it('prints its address, and ends at once by Ctrl-C', async () => {
    if (!existsSync(join(import.meta.dirname, '../../../dist/web/app.js'))) {
      const { code, stderr } = await culprit(['view', at('two')]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(
          /^culprit: \S+web: expected the built web app, found no index\.html: `npm run build` makes it\n$/,
        ),
      ]);
      return;
    }
    const { child, ended } = start(['view', at('two')]);
    const address = await new Promise<string>((resolve) => {
      let text = '';
      child.stdout!.on('data', (piece: string) => {
        text += piece;
        const found = /http:\S+/.exec(text);
        if (found) resolve(found[0]);
      });
    });
    expect((await fetch(address)).status).toBe(200);
    const asked = Date.now();
    child.kill('SIGINT');
    const { signal, stderr } = await ended;
    expect(Date.now() - asked).toBeLessThan(2000);
    expect([signal, stderr]).toEqual(['SIGINT', 'culprit: stopped; the studies are as they were\n']);
    expect(readFileSync(at('two', 'study.yaml'), 'utf8')).toContain('vowel');
  });
});
