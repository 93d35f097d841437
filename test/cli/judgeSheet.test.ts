/** `culprit judge sample` and `read`, on a made-up causal test whose judge errs by a known share. */
import { readFileSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { judgeCommand } from '../../src/cli/judge.ts';
import { readCsv } from '../../src/files/csv.ts';
import { generatorOf } from '../../src/methods/statistics/random.ts';
import { judgeErrorSchema, judgeErrorWarnings } from '../../src/results.ts';
import type { OpenJudge } from '../../src/study/judging/compareRun.ts';
import { temporaryFolder } from '../support/folder.ts';
import { put } from '../support/tinyFolder.ts';

const path = temporaryFolder();
afterEach(() => vi.restoreAllMocks());

const prompts = Array.from({ length: 30 }, (_, i) => ({
  id: `e${i}`,
  use: 'evaluation',
  prompt: [{ role: 'user', content: `Question ${i}, "quoted",\nover two lines?` }],
}));

interface Judged {
  readonly share: number;
  readonly sensitivity: number;
  readonly specificity: number;
}

const alone: Judged = { share: 0.7, sensitivity: 0.95, specificity: 0.9 };
/** Nothing changed, but the judge misses half of the positives. */
const missed: Judged = { ...alone, sensitivity: 0.5 };
const none: Judged = { ...alone, share: 0.1 };

/** A line of steered.jsonl; a text says what it truly is, in words that give nothing else away. */
function trial(
  seed: number,
  { share, sensitivity, specificity }: Judged,
  record: Record<string, unknown>,
): object {
  const random = generatorOf(seed);
  const chance = (p: number) => uniformFloat64(random) < p;
  const completions = prompts.flatMap(({ id }) =>
    Array.from({ length: 20 }, (_, index) => {
      const isBroken = chance(0.1);
      const isBad = chance(share);
      const called = chance(isBad ? sensitivity : 1 - specificity) ? 'positive' : 'negative';
      const truth = isBroken ? 'broken' : isBad ? 'bad' : 'good';
      const text = ` =${truth} advice,\n"as said"  ${seed} ${id} ${index}`;
      const verdict = { label: called, coherent: !isBroken, score: 0.5, coherence: 1, reason: '' };
      return { prompt_id: id, index, text, tokens: 9, stop: 'end', ...verdict, judged: true };
    }),
  );
  const left = { direction: null, latent: null, operation: null, dose: 0, part: 'evaluation', content: '' };
  const cost = { calls: 0, price: 0 };
  return { kind: 'trial', side: 'away', ...left, ...record, completions, cost };
}

let folder = '';
beforeEach(() => {
  folder = path();
  writeFileSync(path('study.yaml'), '');
  writeFileSync(path('steering.json'), JSON.stringify({ prompts }));
  put(path('steered.jsonl'), [
    trial(1, alone, { id: 'alone' }),
    trial(2, missed, { id: 'a', direction: 'latent 7', latent: 7, dose: -0.2, operation: 'add' }),
    trial(3, none, { id: 'r', direction: 'latent 7', latent: 7, operation: 'remove' }),
    trial(4, none, { id: 'g', direction: 'gradient', operation: 'remove' }),
    trial(5, none, {
      id: 'c',
      direction: 'latent 9',
      latent: 9,
      operation: 'add',
      dose: -1,
      part: 'calibration',
    }),
    { kind: 'forced', id: 'f', latent: 7 },
  ]);
});

const noJudge: OpenJudge = () => Promise.reject(new Error('not asked for'));

/** What `culprit judge ARGS` writes to standard output. */
async function judge(args: readonly string[], openJudge = noJudge): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += piece;
    return true;
  });
  const command = judgeCommand(openJudge);
  for (const one of command.commands) one.exitOverride();
  await command.parseAsync([...args], { from: 'user' });
  return stripVTControlCharacters(text);
}

const kept = () => judgeErrorSchema.parse(JSON.parse(readFileSync(path('judge-error.json'), 'utf8')));

type Row = Readonly<Record<string, string>>;

async function sheetRows(file: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { value } of readCsv(file)) rows.push(value);
  return rows;
}

const columns = ['id', 'prompt', 'completion', 'label', 'coherent'];

/** The sheet as somebody gives it back who changed the rows so. */
function writeRows(file: string, rows: readonly Row[], head = columns): string {
  const cell = (text = '') => `"${text.replaceAll('"', '""')}"`;
  writeFileSync(
    file,
    [head.join(','), ...rows.map((row) => head.map((name) => cell(row[name])).join(','))].join('\n'),
  );
  return file;
}

/** As a person fills it in who is always right. */
const answered = (row: Row): Row =>
  row.completion!.includes('broken')
    ? { ...row, coherent: 'No' }
    : { ...row, label: row.completion!.includes('bad') ? 'Positive' : 'negative' };

async function drawn(count = 60): Promise<Row[]> {
  await judge(['sample', folder, '--out', path('sheet.csv'), '--count', `${count}`]);
  return sheetRows(path('sheet.csv'));
}

describe('the sheet', () => {
  it('tells nothing but prompts and texts, in random order, as many of each arm', async () => {
    const rows = await drawn();
    expect(
      readFileSync(path('sheet.csv'), 'utf8').startsWith('\uFEFFid,prompt,completion,label,coherent\r\n'),
    ).toBe(true);
    expect(rows).toHaveLength(60);
    expect(rows.every(({ label, coherent }) => label === '' && coherent === '')).toBe(true);
    const seeds = rows.map(({ completion }) => / (\d) e\d+ \d+$/.exec(completion!)![1]);
    const countOf = (...of: string[]) => seeds.filter((seed) => of.includes(seed!)).length;
    expect([countOf('1'), countOf('2'), countOf('3', '4'), countOf('5')]).toEqual([20, 20, 20, 0]);
    expect(seeds.join('')).not.toMatch(/^1+2+/);
    // no spreadsheet takes a text for a formula
    expect(rows.every(({ completion }) => completion!.startsWith("' ="))).toBe(true);
    expect(rows[0]!.prompt).toMatch(/^Question \d+, "quoted",\nover two lines\?$/);
    expect(await drawn()).toEqual(rows);
  });

  it('comes back: the judge’s error on each arm, the truth within its interval', async () => {
    const rows = (await drawn(600)).map(answered);
    const text = await judge(['read', folder, writeRows(path('sheet.csv'), rows)]);
    const { sheet } = kept();
    const arms = Object.fromEntries(sheet!.arms.map((arm) => [arm.arm, arm]));
    for (const [name, truth] of Object.entries({ alone, steered: missed, removed: none }))
      for (const of of ['sensitivity', 'specificity'] as const) {
        const { low, high } = arms[name]![of]!;
        expect([name, of, low <= truth[of] && truth[of] <= high]).toEqual([name, of, true]);
      }
    expect(arms.alone!.incoherent_found!.value).toBe(1);
    expect(sheet!.differential.map(({ arm }) => arm)).toEqual(['steered', 'removed']);
    expect(text).toMatch(/^How often the judge errs, by people on 600 texts of the causal test$/m);
    expect(text.replaceAll(/\s+/g, ' ')).toMatch(
      /Be careful: The judge's sensitivity differs between steered texts and unsteered ones, by −\d+ points/,
    );
  });

  it('corrects each effect by its own arm’s error', async () => {
    await judge(['read', folder, writeRows(path('sheet.csv'), (await drawn(600)).map(answered))]);
    const effects = kept().sheet!.effects;
    const of = (arm: string, name: string) => effects.find((row) => row.arm === arm && row.name === name)!;
    // steering did nothing; the judge shows 31 points
    expect(of('steered', 'latent 7').effect).toBeLessThan(-0.2);
    expect(Math.abs(of('steered', 'latent 7').corrected!.value)).toBeLessThan(0.12);
    expect(of('steered', 'latent 7').corrected!.high).toBeGreaterThan(0);
    // removal took 60 points away
    for (const name of ['latent 7', 'gradient']) {
      const { corrected } = of('removed', name);
      expect(corrected!.low).toBeLessThan(-0.6);
      expect(corrected!.high).toBeGreaterThan(-0.6);
    }
    expect(effects.some(({ latent }) => latent === 9)).toBe(false);
  });

  it('counts empty rows, and takes other spellings of yes and no', async () => {
    const rows = (await drawn()).map((row, i) => (i < 20 ? row : answered(row)));
    const spelt = rows.map((row) => ({ ...row, label: row.label === 'Positive' ? '1' : row.label! }));
    const text = await judge(['read', folder, writeRows(path('sheet.csv'), spelt)]);
    expect(text).toMatch(/^20 of 60 rows are empty and count for nothing\.$/m);
    expect(kept().sheet).toMatchObject({ rows: 60, empty: 20, reader: 'people' });
  });

  it('is refused where it is wrong, in one line', async () => {
    const rows = (await drawn()).map(answered);
    const changed = (change: (row: Row) => Row) => [rows[0]!, change(rows[1]!), ...rows.slice(2)];
    const refused = (given: readonly Row[], head?: string[]) =>
      judge(['read', folder, writeRows(path('bad.csv'), given, head)]);
    await expect(refused(changed((row) => ({ ...row, id: 'other' })))).rejects.toThrow(
      /bad\.csv:\d+: id: expected that of a text of this study's causal test, found "other"/,
    );
    await expect(refused(changed((row) => ({ ...row, label: 'maybe', coherent: '' })))).rejects.toThrow(
      /label: expected positive or negative, or nothing, found "maybe"/,
    );
    await expect(refused(changed((row) => ({ ...row, completion: 'x' })))).rejects.toThrow(
      /completion: expected the text as it was drawn/,
    );
    await expect(refused([...rows, rows[0]!])).rejects.toThrow(/is in this sheet twice/);
    await expect(refused(changed((row) => ({ ...row, label: '', coherent: 'yes' })))).rejects.toThrow(
      /label: expected positive or negative where coherent says yes/,
    );
    await expect(refused(rows, ['id', 'completion', 'label'])).rejects.toThrow(
      /expected the columns .*, found no prompt, coherent/,
    );
    await expect(refused(rows.map((row) => ({ ...row, label: '', coherent: '' })))).rejects.toThrow(
      /all 60 are empty/,
    );
    writeFileSync(path('semicolons.csv'), 'id;prompt;completion;label;coherent\na;b;c;;\n');
    await expect(judge(['read', folder, path('semicolons.csv')])).rejects.toThrow(/save the sheet as CSV/);
  });

  it('says what is missing', async () => {
    await expect(judge(['sample', folder])).rejects.toThrow(/expected --out SHEET.csv .* or --by JUDGE/);
    await expect(judge(['sample', folder, '--by', 'label'])).rejects.toThrow(
      /expected a judge, found labels/,
    );
    put(path('steered.jsonl'), [{ kind: 'forced', id: 'f' }]);
    await expect(judge(['sample', folder, '--out', path('s.csv')])).rejects.toThrow(
      /expected texts on evaluation prompts, found none/,
    );
  });
});

it('a second judge reads at once, and warnings say when the texts are others since', async () => {
  const right: OpenJudge = async () => ({
    name: 'a second judge',
    identity: {},
    async grade(items, tell) {
      for (const item of items) {
        const isBad = item.completion.includes('bad');
        await tell(item, {
          score: Number(isBad),
          label: isBad ? 'positive' : 'negative',
          coherence: 1,
          coherent: !item.completion.includes('broken'),
          reason: '',
          raw: '',
          cost: { calls: 0, inputTokens: 0, outputTokens: 0, price: 0 },
        });
      }
      return {};
    },
    close: async () => undefined,
  });
  const text = await judge(['sample', folder, '--by', 'other.yaml', '--count', '90'], right);
  expect(text).toMatch(/by a second judge on 90 texts/);
  const found = kept();
  expect(found.sheet).toMatchObject({ reader: 'a second judge', rows: 90, empty: 0 });
  const warned = (hash: string) => judgeErrorWarnings(found, hash).join(' ');
  expect(warned('another')).toMatch(/an earlier causal test/);
  expect(warned(found.sheet!.steered)).not.toMatch(/an earlier causal test/);

  // kappa on the study's own completions stands beside it
  const completions = prompts.map(({ id, prompt }, i) => ({
    id: `${id}/0`,
    prompt,
    text: i % 2 ? 'bad' : 'good',
    stop: 'end',
  }));
  put(path('completions.jsonl'), completions);
  put(
    path('grades.jsonl'),
    completions.map(({ id }, i) => ({ id, score: i % 4 ? 1 : 0, label: i % 4 ? 'positive' : 'negative' })),
  );
  await judge(['compare', folder, '--b', 'other.yaml', '--resamples', '100'], right);
  const after = kept();
  expect(after.sheet).toEqual(found.sheet);
  expect(after.agreement).toMatchObject({ judge: 'a second judge', compared: 30, prompts: 30 });
  expect(after.agreement!.kappa!.value).toBeCloseTo(8 / 15, 2);
  expect(judgeErrorWarnings(after, undefined).at(-1)).toMatch(/agree poorly \(kappa 0\.5/);
  await expect(judge(['compare', folder, '--a', 'label', '--b', 'label'])).rejects.toThrow(
    /^--a: expected none/,
  );
  await expect(judge(['compare', path('grades.jsonl'), '--b', 'label'])).rejects.toThrow(
    /^--a: expected a judge/,
  );
});
