/**
 * The validation by steering on the command line: `run`, `steer STUDY`, `status`, the estimate, and fields
 * of study.yaml that are wrong.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { culprit, type Ended } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { fakeChatServer } from '../support/fakeChatServer.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { causalTestPrompts, putStudy, type StudyOver, smallSteering } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-causal-test-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const make = (name: string, over: StudyOver = {}) =>
  putStudy(join(folder, name), tiny, { prompts: causalTestPrompts, steering: smallSteering, ...over });

const oneLine = /^culprit: ([^\n]+)\n$/;

function expectCausalTest(stdout: string): void {
  expect(stdout).toMatch(/Causal test at resid_post 1/);
  const unwrapped = stdout.replaceAll(/\s+/g, ' ');
  expect(unwrapped).toMatch(
    / Left alone, \d+ % of the subject's coherent answers and \d+ % of the reference's/,
  );
  expect(unwrapped).toMatch(/ the gray zone, from 4 random latents\./);
  for (const line of stdout.split('\n').filter((one) => !one.includes(folder)))
    expect(line.length).toBeLessThanOrEqual(100);
  expect(stdout).toMatch(/^ *latent +removed +of way +away +toward +p +verdict +ranks *$/m);
  expect(stdout).toMatch(/^ *direction +removed +of way +away +toward *$/m);
  expect(unwrapped).toMatch(
    / Confirmed: \d candidates?; \d by removal, \d by steering \(family-wise p below/,
  );
  for (const selector of ['delta-attribution', 'delta-activation'])
    expect(unwrapped).toMatch(
      new RegExp(` ${selector}: [0-3] of 3 confirmed; sampled: [0-3] removed, [0-3] away, [0-3] toward\\.`),
    );
  expect(stdout).toContain('steering.svg');
  expect(stdout).not.toMatch(/NaN|undefined|null|Infinity/);
}

describe('a study with a causal test', () => {
  let study: string;
  let dry: Ended;
  let before: Ended;
  let ran: Ended;
  beforeAll(async () => {
    study = make('whole');
    dry = await culpritHere(['run', study, '--dry-run']);
    before = await culpritHere(['status', study]);
    ran = await culprit(['run', study]);
  });

  it('is listed by the estimate, with what it comes to', () => {
    expect(dry.code).toBe(0);
    expect(dry.stderr).toBe('');
    expect(dry.stdout).toMatch(/^ *steer +.*\d.* completions/m);
    expect(dry.stdout).toMatch(/^ *About \d+ s in all\.$/m);
    expect(dry.stdout).not.toMatch(/NaN|undefined/);
  });

  it('status shows it to do, then done', async () => {
    expect(before.stdout).toMatch(/^ *steer +to do +0 of about [1-9]\d*/m);
    const { code, stdout } = await culpritHere(['status', study]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ *steer +done *$/m);
  });

  it('run tells its result, and how it went on', () => {
    expect(ran.code).toBe(0);
    expectCausalTest(ran.stdout);
    expect(ran.stdout.indexOf('Latents behind letter')).toBeLessThan(ran.stdout.indexOf('Causal test at'));
    for (const label of [
      'Log-odds, away',
      'Without steering, toward',
      'Random latents, away, doses, round 1',
    ])
      expect(ran.stderr).toContain(label);
    expect(ran.stderr).not.toContain('unexpected');
    for (const name of ['parquet', 'json', 'svg', 'png'])
      expect(existsSync(join(study, `steering.${name}`))).toBe(true);
  });

  it('run again does nothing and tells the same', async () => {
    const { code, stdout, stderr } = await culpritHere(['run', study]);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('(already done)');
    const without = (text: string) =>
      text
        .replaceAll(' (already done)', '')
        .replace(/^took .*$/m, '')
        .replaceAll(/\s+/g, ' ');
    expect(without(stdout)).toBe(without(ran.stdout));
  });

  it('steer STUDY is the stage alone', async () => {
    const { code, stdout } = await culpritHere(['steer', study]);
    expect(code).toBe(0);
    expectCausalTest(stdout);
    expect(stdout).not.toContain('Latents behind');
    const anew = await culpritHere(['steer', study, '--redo', 'steer', '--rows', '0']);
    expect(anew.code).toBe(0);
    expectCausalTest(anew.stdout);
    expect(anew.stdout).not.toContain('(already done)');
    expect(readdirSync(study)).toContain('steered.jsonl.bak');
  });

  it('--full samples every candidate, whatever study.yaml says', async () => {
    const own = make('full');
    const gateOf = () => JSON.parse(readFileSync(join(own, 'steering.json'), 'utf8')).gate;
    expect((await culpritHere(['run', own])).code).toBe(0);
    expect(gateOf()).not.toBeNull();
    expect((await culpritHere(['run', own, '--full'])).code).toBe(0);
    expect(gateOf()).toBeNull();
  });

  it('steer STUDY needs what comes before it, and says what makes it', async () => {
    const { code, stdout, stderr } = await culpritHere(['steer', make('early')]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(oneLine.exec(stderr)?.[1]).toMatch(
      /latents\.parquet: no such file: stage steer needs it: `culprit run` makes it$/,
    );
  });

  it('with the other flags of steer there is a line that tells them apart', async () => {
    const { code, stderr } = await culpritHere(['steer', study, '--dose', '0.3']);
    expect(code).toBe(2);
    expect(oneLine.exec(stderr)?.[1]).toMatch(/--dose needs --latent, --group or --vector/);
  });
});

it('a study without prompts to test on says that it has no causal test', async () => {
  const study = make('none', { prompts: { ...causalTestPrompts, evaluation: 0 } });
  const { code, stdout } = await culpritHere(['run', study]);
  expect(code).toBe(0);
  expect(stdout).toContain('No causal test: prompts.evaluation is 0.');
  expect((await culpritHere(['status', study])).stdout).not.toMatch(/^ *steer/m);
  expect((await culpritHere(['run', study, '--dry-run'])).stdout).not.toMatch(/^ *steer/m);
});

it('no coherent steered text at all: one line says why, and the rest of the study stands', async () => {
  const study = make('broken', {
    judge: { kind: 'pattern', positive: '[A-Za-z]', incoherent: '^[^]{0,1}$' },
    steering: { ...smallSteering, max_tokens: 1 },
  });
  const { code, stderr } = await culpritHere(['run', study]);
  expect(code).toBe(2);
  expect(stderr).not.toContain('unexpected');
  expect(stderr).toMatch(
    /^culprit: steering away: no gray zone: all 4 unsteered completions of the evaluation prompts are incoherent$/m,
  );
  expect(readdirSync(study)).toContain('latents.parquet');
});

describe('fields of study.yaml that are wrong', () => {
  const wrong = async (given: object) => {
    const study = make('wrong', { steering: { ...smallSteering, ...given } as StudyOver['steering'] });
    const { code, stdout, stderr } = await culpritHere(['run', study]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(readdirSync(study).sort()).toEqual(['prompts.jsonl', 'study.yaml']);
    const said = oneLine.exec(stderr)?.[1] ?? stderr;
    return said.slice(said.indexOf('study.yaml:'));
  };

  it.each([
    [{ doses: [0.4, 0.1] }, 'steering.doses: expected doses in rising order'],
    [{ doses: [0.1, 0.1] }, 'steering.doses: expected doses in rising order'],
    [{ doses: [] }, 'steering.doses: expected at least one dose'],
    [{ doses: [0, 0.1] }, 'steering.doses[0]: expected a number above 0'],
    [{ doses: 0.3 }, 'steering.doses: expected a list of doses'],
    [{ random: 1 }, 'steering.random: expected a whole number of at least 3'],
    [{ selectors: ['delta-attribtion'] }, 'steering.selectors[0]: expected delta-attribution or'],
    [{ selectors: ['random', 'random'] }, 'steering.selectors: expected selectors that differ'],
    [{ selectors: [] }, 'steering.selectors: expected at least one selector'],
    [{ gate_share: 1 }, 'steering.gate_share: expected a number'],
    [{ aside: 1 }, 'steering.aside: expected a number'],
    [{ remeasured: 0 }, 'steering.remeasured: expected a whole number of at least 1'],
    [{ held_tokens: 'answer' }, 'steering.held_tokens: expected all or prompt or completion'],
    [{ patch: 'yes' }, 'steering.patch: expected true or false'],
    [{ first_look: 0.4 }, 'found "first_look"'],
    [{ incoherent: 1.5 }, 'steering.incoherent: expected a number'],
    [{ tokens: 'answer' }, 'steering.tokens: expected all or prompt or completion'],
    [{ full: 'yes' }, 'steering.full: expected true or false'],
    [{ candidate: 5 }, 'steering: expected a known field, found "candidate" (did you mean candidates?)'],
  ])('%j', async (given, message) => {
    const said = await wrong(given);
    expect(said).toMatch(/^study\.yaml:\d+:\d+: /);
    expect(said.replace(/^study\.yaml:\d+:\d+: /, '')).toContain(message);
  });
});

it('a study whose judge’s budget is spent in the causal test stops with exit code 3, and goes on', async () => {
  const server = await fakeChatServer();
  try {
    const judge = (max_calls: number) => ({
      kind: 'chat' as const,
      base_url: server.baseUrl,
      model: 'judge',
      // the server scores most texts 0.1 and a few higher
      threshold: 0.5,
      max_calls,
      concurrency: 2,
    });
    // pairs that a user graded: the judge is asked in the causal test alone
    const study = make('budget', { judge: judge(40) });
    const rows = ['What of this?', 'And of that?', 'Why?'].flatMap((question) => [
      { question, answer: 'Yes, at once.', label: 'positive' },
      { question, answer: 'No, ask first.', label: 'negative' },
    ]);
    const file = put(join(folder, 'rows.jsonl'), rows);
    expect((await culpritHere(['import', file, '--study', study])).code).toBe(0);
    const first = await culpritHere(['run', study]);
    expect(first.stderr).not.toContain('unexpected');
    expect(first.code).toBe(4);
    expect(first.stdout).toMatch(/Stopped at steer: .*40.*What is done is kept/);
    expect(server.asked.length).toBeLessThanOrEqual(40);
    const status = await culpritHere(['status', study]);
    expect(status.stdout).toMatch(/^ *steer +started +\d+ of about \d+/m);
    make('budget', { judge: judge(100_000) });
    const last = await culpritHere(['steer', study]);
    expect(last.stderr).not.toContain('unexpected');
    expect(last.code).toBe(0);
    expectCausalTest(last.stdout);
  } finally {
    await server.close();
  }
});
