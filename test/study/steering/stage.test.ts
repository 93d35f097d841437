/**
 * The causal test as a study's last stage: its files, what is kept when options change, and what is
 * refused.
 */

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readJsonlAll } from '../../../src/files/jsonl.ts';
import {
  decodeLatents,
  decodeSteering,
  encodeLatents,
  type RankedSteeringRow,
  steeredRecord,
  steeringSummarySchema,
  type TrialPart,
  type TrialRecord,
} from '../../../src/results.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { runStudy, type StudyRequest } from '../../../src/study/run/studyRun.ts';
import { countedOtherwise } from '../../support/countedOtherwise.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { tiny as base, layer, putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import {
  causalTestPrompts,
  prompts,
  putStudy,
  type StudyOver,
  smallSteering,
} from '../../support/tinyStudy.ts';

vi.mock('../../../src/study/steering/figurePng.ts', async (original) =>
  (await import('../../support/drawnOnce.ts')).drawnOnce(await original()),
);

const folder = mkdtempSync(join(tmpdir(), 'culprit-stage-'));
let tiny: TinyFolder;
/** A study as `fresh` has it that is done, what its run told, and one that is done up to the causal test. */
let [finished, prepared] = ['', ''];
let first: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  tiny = await putAll(folder);
  [finished, prepared] = [fresh(), fresh()];
  first = await run(finished);
  await run(prepared, { stages: ['sample', 'grade', 'pair', 'attribute'] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = ['steering.parquet', 'steering.json', 'steered.jsonl', 'steering.svg', 'steering.png'] as const;

const over = (some: StudyOver['steering'] = {}, rest: StudyOver = {}): StudyOver => ({
  prompts: causalTestPrompts,
  ...rest,
  steering: { ...smallSteering, ...some },
});

let studies = 0;
const put = (study: string, ...args: Parameters<typeof over>) => putStudy(study, tiny, over(...args));
const fresh = (...args: Parameters<typeof over>) => put(join(folder, `study${studies++}`), ...args);

function copyOf(of: string): string {
  const study = join(folder, `study${studies++}`);
  cpSync(of, study, { recursive: true });
  return study;
}
/** A study of its own that is done already. */
const done = () => copyOf(finished);
/** One that the causal test is still to be done in; with these options of it, of which what is done knows nothing. */
const attributed = (some?: StudyOver['steering']) => put(copyOf(prepared), some);

/** Runs, and tells how many units each stage was told to have left. */
async function run(study: string, request: Partial<StudyRequest> = {}) {
  const left: Record<string, number> = {};
  const progress: Progress = {
    stage(label, total, done = 0) {
      left[label] = (left[label] ?? 0) + total - done;
      return { advance() {}, end() {} };
    },
    note() {},
  };
  return { result: await runStudy({ study, cacheDir: tiny.cache, progress, ...request }), left };
}

const read = (study: string, name: string) => readFileSync(join(study, name));
const steeredIn = (study: string) => readJsonlAll(join(study, 'steered.jsonl'), steeredRecord);
const trialsIn = async (study: string) => (await steeredIn(study)).filter((one) => one.kind === 'trial');
const rowsIn = async (study: string) =>
  decodeSteering(Uint8Array.from(read(study, 'steering.parquet')).buffer);
const summaryIn = (study: string) =>
  steeringSummarySchema.parse(JSON.parse(read(study, 'steering.json').toString()));

function expectSameFiles(a: string, b: string): void {
  for (const name of files) expect(read(a, name).equals(read(b, name)), name).toBe(true);
}

/** What was sampled: completions by the labels of their stages. */
const sampledOf = (left: Readonly<Record<string, number>>) =>
  Object.entries(left)
    .filter(([label]) =>
      /^(Without steering|Random (latents|directions)|Candidates|Other directions|First latents|The first again)\b/.test(
        label,
      ),
    )
    .reduce((sum, [, count]) => sum + count, 0);

describe('a whole run', () => {
  let study: string;
  beforeAll(() => {
    study = done();
  });

  it('writes its five files, which say the same', async () => {
    const { steer } = first.result;
    expect(steer!.upToDate).toBe(false);
    const rows = await rowsIn(study);
    const summary = summaryIn(study);
    expect(summary).toEqual(JSON.parse(JSON.stringify(steer!.summary)));
    const armOf = ({ direction, operation, side, verdict }: RankedSteeringRow) => [
      direction,
      operation,
      side,
      verdict,
    ];
    expect(rows.map(armOf)).toEqual(steer!.rows.map(armOf));
    // removed, away and toward
    expect(rows.filter(({ role }) => role === 'random')).toHaveLength(3 * 4);
    expect(rows.filter(({ role }) => role === 'gaussian')).toHaveLength(3);
    const compared = new Set(
      rows
        .filter(({ role }) => role === 'comparison' || role === 'control')
        .map(({ direction }) => direction),
    );
    expect([...compared].sort()).toEqual(summary.comparisons.map(({ direction }) => direction).sort());
    expect([...compared]).toEqual(
      expect.arrayContaining(['contrastive gradient', 'eigenvector 1', 'probe', 'shuffled dictionary']),
    );
    expect(summary.selectors.map(({ selector, candidates }) => [selector, candidates])).toEqual([
      ['delta-attribution', 3],
      ['delta-activation', 3],
    ]);
    // the first selector's are the ones that attribution ranks first
    const ranked = first.result.attribute!.latents.slice(0, 3).map(({ latent }) => latent);
    for (const [i, latent] of ranked.entries())
      expect(rows.find((row) => row.latent === latent)!.ranks['delta-attribution']).toBe(i + 1);
    const svg = read(study, 'steering.svg').toString();
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(svg).toContain('letter');
    expect(read(study, 'steering.png').subarray(1, 4).toString()).toBe('PNG');
  });

  it('steers on prompts that nothing was found on, and its counts are those of steered.jsonl', async () => {
    const { discovery, evaluation, calibration, aside } = await drawnPrompts();
    const trials = await trialsIn(study);
    const rows = await rowsIn(study);
    for (const { part, completions } of trials)
      for (const { prompt_id } of completions) {
        expect(discovery).not.toContain(prompt_id);
        expect({ calibration, evaluation, aside }[part]).toContain(prompt_id);
      }
    const counted = (some: TrialRecord[]) => {
      const all = some.flatMap(({ completions }) => completions);
      const good = all.filter(({ text }) => text.length > 1);
      return [all.length, good.length, good.filter(({ text }) => /[A-Za-z]/.test(text)).length];
    };
    let again = 0;
    let measured = 0;
    const close = (x: number) => (Number.isNaN(x) ? null : expect.closeTo(x, 6));
    for (const row of rows) {
      const own = trials.filter(
        (one) =>
          one.direction === row.direction &&
          one.operation === row.operation &&
          one.side === row.side &&
          Math.fround(one.dose) === (row.dose ?? 0),
      );
      const of = (part: TrialPart) => counted(own.filter((one) => one.part === part));
      expect([row.n, row.coherent, row.positives]).toEqual(of('evaluation'));
      expect([row.aside_n, row.aside_coherent]).toEqual(of('aside').slice(0, 2));
      again += Number(row.aside_n > 0);
      const { ofAll, sameLength } = countedOtherwise(row, own, trials);
      expect([row.effect_of_all, row.effect_same_length]).toEqual([close(ofAll), close(sameLength)]);
      measured += Number(!Number.isNaN(sameLength));
    }
    expect(again).toBeGreaterThan(1);
    expect(measured).toBeGreaterThan(5);
    const manifest = JSON.parse(read(study, 'manifest.json').toString());
    expect(manifest.stages.steer.counts).toEqual({
      latents: new Set(rows.flatMap(({ latent }) => latent ?? [])).size,
      directions: new Set(rows.map(({ direction }) => direction)).size,
      trials: trials.length,
      completions: trials.reduce((sum, { completions }) => sum + completions.length, 0),
    });
    expect(Object.keys(manifest.stages.steer.outputs).sort()).toEqual([...files].sort());
  });

  /** Which prompts are whose, from the records of the other stages and the file. */
  async function drawnPrompts() {
    const discovery = new Set(first.result.sample!.records.map(({ prompt_id }) => prompt_id));
    const trials = await trialsIn(study);
    const of = (part: TrialPart) =>
      new Set(
        trials
          .filter((one) => one.direction === null && one.part === part)
          .flatMap(({ completions }) => completions.map(({ prompt_id }) => prompt_id)),
      );
    const [calibration, evaluation, aside] = [of('calibration'), of('evaluation'), of('aside')];
    // a third of three is kept aside
    expect([discovery.size, evaluation.size, calibration.size, aside.size]).toEqual([8, 2, 2, 1]);
    expect(new Set([...discovery, ...evaluation, ...calibration, ...aside]).size).toBe(13);
    return {
      discovery: [...discovery],
      evaluation: [...evaluation],
      calibration: [...calibration],
      aside: [...aside],
    };
  }

  it('is up to date the second time, and tells the same', async () => {
    const before = files.map((name) => read(study, name));
    const { result, left } = await run(study);
    expect(left).toEqual({});
    expect(result.steer!.upToDate).toBe(true);
    expect(result.steer!.summary).toEqual(summaryIn(study));
    expect(files.map((name) => read(study, name))).toEqual(before);
    expect(readdirSync(join(study, '.work')).filter((name) => name.startsWith('steer'))).toEqual([]);
  });

  it('comes to the same bytes in another folder, alone or as one of all stages', async () => {
    const other = attributed();
    for (const name of files) expect(existsSync(join(other, name))).toBe(false);
    const { result } = await run(other, { stages: ['steer'] });
    expect(Object.keys(result).sort()).toEqual(['skipped', 'steer', 'study', 'warnings']);
    expectSameFiles(other, study);
  });

  it('is made anew by redo, with the same bytes', async () => {
    const before = files.map((name) => read(study, name));
    const { left } = await run(study, { redo: ['steer'] });
    expect(sampledOf(left)).toBeGreaterThan(0);
    expect(files.map((name) => read(study, name))).toEqual(before);
    for (const name of files) expect(existsSync(join(study, `${name}.bak`))).toBe(true);
  });
});

describe('a changed option', () => {
  it('another seed samples every trial anew, and nothing before it', async () => {
    const study = done();
    const completions = read(study, 'completions.jsonl');
    const steered = read(study, 'steered.jsonl');
    put(study, { seed: 2 });
    const { left, result } = await run(study);
    expect(result.steer!.upToDate).toBe(false);
    expect(result.attribute!.upToDate).toBe(true);
    expect(left.Sampling).toBeUndefined();
    expect(left['Without steering, away']).toBe(first.left['Without steering, away']);
    expect(read(study, 'completions.jsonl')).toEqual(completions);
    expect(read(study, 'steered.jsonl')).not.toEqual(steered);
    const atOnce = attributed({ seed: 2 });
    await run(atOnce);
    expectSameFiles(study, atOnce);
  });

  it.each<[name: string, change: NonNullable<StudyOver['steering']>]>([
    ['more candidates', { candidates: 6, full: true }],
    ['fewer candidates', { candidates: 1 }],
    ['another ladder', { doses: [0.1, 0.2, 0.4] }],
    ['another share of the gate, and fewer that are measured again', { gate_share: 0.1, remeasured: 1 }],
    ['patches', { patch: true }],
  ])(
    '%s: trials that were done are kept, and the bytes are those of a run at once',
    async (_name, change) => {
      const study = done();
      const before = new Map((await trialsIn(study)).map((one) => [`${one.id} ${one.content}`, one]));
      put(study, change);
      const { left, result } = await run(study);
      expect(result.steer!.upToDate).toBe(false);
      const after = await trialsIn(study);
      const made = after.filter(({ id, content }) => !before.has(`${id} ${content}`));
      expect(sampledOf(left)).toBe(made.reduce((sum, { completions }) => sum + completions.length, 0));
      expect(after.length - made.length).toBeGreaterThan(30);
      const atOnce = attributed(change);
      await run(atOnce);
      expectSameFiles(study, atOnce);
    },
  );

  it('a stopped run under other options leaves no trace in the files', async () => {
    const study = attributed({ doses: [0.2, 0.3, 0.5], candidates: 5, full: true });
    class Stop extends Error {}
    const stopping: Progress = {
      stage(label) {
        if (label === 'The first again, toward') throw new Stop();
        return { advance() {}, end() {} };
      },
      note() {},
    };
    await expect(runStudy({ study, cacheDir: tiny.cache, progress: stopping })).rejects.toThrow(Stop);
    put(study);
    await run(study);
    expectSameFiles(study, done());
  });

  it('of the behaviour’s name is told, and nothing is sampled anew', async () => {
    const study = done();
    put(study, {}, { behaviour: { name: 'vowel', rubric: 'Is there a vowel?' } });
    const { left, result } = await run(study);
    expect(result.steer!.upToDate).toBe(false);
    expect(sampledOf(left)).toBe(0);
    expect(summaryIn(study).behaviour).toBe('vowel');
    expect(read(study, 'steering.svg').toString()).toContain('vowel');
  });

  it('of the judge grades every trial anew', async () => {
    const study = done();
    const judge = { kind: 'pattern' as const, positive: '[A-Za-z0-9]', incoherent: '^.{0,1}$' };
    put(study, {}, { judge });
    await run(study);
    for (const { completions } of await trialsIn(study))
      for (const { label, text } of completions)
        expect(label).toBe(/[A-Za-z0-9]/.test(text) ? 'positive' : 'negative');
    const atOnce = fresh({}, { judge });
    await run(atOnce);
    expectSameFiles(study, atOnce);
  });
});

describe('incoherence by cheap signs', () => {
  it('is measured under the unsteered reference', async () => {
    const study = fresh(
      { incoherence: 'cheap', max_tokens: 2, completions: 6 },
      { judge: { kind: 'pattern', positive: '[A-Za-z]' } },
    );
    await run(study);
    const { codec } = await openModel(tiny.model);
    const asked = new Map(prompts.map(({ id, prompt }) => [id, codec.encodePrompt(prompt)]));
    let compared = 0;
    for (const { completions } of await trialsIn(study))
      for (const { prompt_id, text, tokens, stop, log_probability } of completions) {
        const own = codec.tokenizer.encode(text);
        // those whose ids can be told from their text
        if (stop !== 'length' || text.includes('\ufffd') || own.length !== tokens) continue;
        const start = asked.get(prompt_id)!;
        const ids = [...start, ...own];
        const losses = slowLosses(slowHead(base, layer, slowResiduals(base, ids)[layer]!), ids, start.length);
        expect(log_probability).toBeCloseTo(-losses.reduce((sum, x) => sum + x, 0) / losses.length, 4);
        compared++;
      }
    expect(compared).toBeGreaterThan(5);
  });

  it('another measure samples anew, with the bytes of a run at once', async () => {
    const study = done();
    put(study, { incoherence: 'both' });
    await run(study);
    const atOnce = attributed({ incoherence: 'both' });
    await run(atOnce);
    expectSameFiles(study, atOnce);
    const measured = async (of: string) =>
      (await trialsIn(of)).flatMap(({ completions }) => completions.map((one) => one.log_probability));
    expect(new Set(await measured(done()))).toEqual(new Set([null]));
    expect(await measured(study)).not.toContain(null);
  });
});

describe('a study without a causal test', () => {
  it.each([
    [{ evaluation: 0 }, 'prompts.evaluation is 0'],
    [{ calibration: 0 }, 'prompts.calibration is 0'],
  ])('%j: has no such stage, and says why', async (none, reason) => {
    const study = fresh({}, { prompts: { ...causalTestPrompts, ...none } });
    const { result, left } = await run(study);
    expect(result.attribute!.latents).toHaveLength(40);
    expect(result.steer).toBeUndefined();
    expect(result.skipped.steer).toBe(reason);
    expect(sampledOf(left)).toBe(0);
    for (const name of files) expect(existsSync(join(study, name))).toBe(false);
    const again = await run(study);
    expect([again.left, again.result.skipped.steer]).toEqual([{}, reason]);
    const alone = await run(study, { stages: ['steer'] });
    expect(alone.result.skipped.steer).toBe(reason);
  });
});

describe('where there is nothing to show', () => {
  it('no candidate stands out: the files are there all the same', async () => {
    const study = attributed({ gate_share: 0.999, selectors: ['random'], candidates: 1, random: 30 });
    const { result } = await run(study);
    const rows = await rowsIn(study);
    const candidates = rows.filter(({ role }) => role === 'candidate');
    expect(candidates.map(({ stage }) => stage)).toEqual(['log-odds', 'log-odds', 'log-odds']);
    expect(candidates.map(({ verdict }) => verdict)).toEqual(Array(3).fill('not sampled'));
    expect(result.steer!.summary.first).toBeNull();
    expect(read(study, 'steering.svg').toString()).toContain('letter');
    expect(read(study, 'steering.png').subarray(1, 4).toString()).toBe('PNG');
    expect((await run(study)).result.steer!.upToDate).toBe(true);
  });

  it('more random latents than the dictionary has, which is told before anything is sampled', async () => {
    const study = fresh({ random: 38 });
    await expect(run(study)).rejects.toThrow(
      /study\.yaml: steering\.random: expected steering\.random \+ steering\.candidates to be at most 40, the number of latents of \S+sae, found 38 \+ 3: lower one of them$/,
    );
    expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
  });

  it('a single prompt to test on, which is told before anything is sampled; of two none is kept aside', async () => {
    const study = fresh({}, { prompts: { ...causalTestPrompts, evaluation: 1 } });
    await expect(run(study)).rejects.toThrow(
      /study\.yaml: prompts\.evaluation: expected at least 2 prompts for the causal test, found 1: raise it, or set it to 0 to skip the test$/,
    );
    expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
    put(study, {}, { prompts: { ...causalTestPrompts, evaluation: 2 } });
    await run(study);
    expect(
      summaryIn(study)
        .prompts.map(({ use }) => use)
        .sort(),
    ).toEqual(['calibration', 'calibration', 'evaluation', 'evaluation']);
  });

  it('more random latents than fire', async () => {
    await expect(run(attributed({ random: 37 }))).rejects.toThrow(
      /study\.yaml: steering\.random: expected 37 latents that are active on the study's texts and are not candidates, found (\d+): lower steering\.random to at most \1, or lower steering\.candidates$/,
    );
  });

  it('a prompt that leaves no room for a steered completion', async () => {
    const study = fresh({ max_tokens: 230 });
    await expect(run(study)).rejects.toThrow(
      /prompts\.jsonl: row \d+: prompt "p\d+" has \d+ tokens: with 230 tokens of a steered completion it exceeds the 256 that \S+model takes/,
    );
    expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
    put(study);
    // from here on it is the study of the other tests
    expect((await run(study, { stages: ['sample'] })).result.sample!.upToDate).toBe(false);
  });

  it('a result that was edited by hand', async () => {
    const study = done();
    writeFileSync(join(study, 'steering.json'), '{}');
    await expect(run(study)).rejects.toThrow(/steering\.json: was changed after stage steer/);
  });
});

describe('a causal test alone, of what is not there as it should be', () => {
  const alone = { stages: ['steer'] } as const;

  it('latents of another dictionary are not taken', async () => {
    const study = done();
    const sae = join(folder, 'other-sae');
    cpSync(tiny.sae, sae, { recursive: true });
    const config = JSON.parse(read(sae, 'cfg.json').toString());
    writeFileSync(join(sae, 'cfg.json'), JSON.stringify({ ...config, more: 1 }));
    put(study, {}, { sae: { path: sae } });
    await expect(run(study, alone)).rejects.toThrow(
      `latents.parquet: expected the latents of the study as it is now, found those of other inputs or options: run \`culprit attribute ${study}\` first`,
    );
    await run(study, { stages: ['attribute'] });
    expect((await run(study, alone)).result.steer!.upToDate).toBe(false);
  });

  it('latents that were edited are not taken unless they are accepted, and never too few', async () => {
    const study = done();
    const path = join(study, 'latents.parquet');
    const rows = await decodeLatents(Uint8Array.from(read(study, 'latents.parquet')).buffer);
    writeFileSync(path, new Uint8Array(encodeLatents(rows.map((row) => ({ ...row, delta: -row.delta })))));
    await expect(run(study, alone)).rejects.toThrow('latents.parquet: was changed after stage attribute');
    expect((await run(study, { ...alone, accept: ['attribute'] })).result.steer!.upToDate).toBe(false);
    writeFileSync(path, new Uint8Array(encodeLatents(rows.filter(({ latent }) => latent < 39))));
    await expect(run(study, { ...alone, accept: ['attribute'] })).rejects.toThrow(
      `latents.parquet: expected the 40 latents of ${tiny.sae}, found 39: run \`culprit attribute ${study}\` first`,
    );
  });

  it('no pairs are not taken', async () => {
    const study = done();
    writeFileSync(join(study, 'pairs.jsonl'), '');
    await expect(run(study, { ...alone, accept: ['pair', 'attribute'] })).rejects.toThrow(
      /pairs\.jsonl: expected pairs, found none: `culprit pair \S+` says why$/,
    );
  });

  it('completions of a prompt that is to test them on are not taken', async () => {
    const study = done();
    const lines = read(study, 'completions.jsonl').toString();
    const evaluated = (await trialsIn(study)).find(({ part }) => part !== 'calibration')!.completions[0]!;
    const { prompt } = prompts.find(({ id }) => id === evaluated.prompt_id)!;
    const first = JSON.parse(lines.split('\n')[0]!);
    writeFileSync(
      join(study, 'completions.jsonl'),
      lines.replaceAll(JSON.stringify(first.prompt), JSON.stringify(prompt)),
    );
    await expect(run(study, { ...alone, accept: ['sample', 'grade', 'pair', 'attribute'] })).rejects.toThrow(
      `prompt "${evaluated.prompt_id}": expected a test prompt that latents were not found on, found it in ${join(study, 'completions.jsonl')}`,
    );
  });
});
