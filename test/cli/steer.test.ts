/** `culprit steer` as a user has it: what it shows, what it writes, and how it says what is wrong. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { harmless, sideBySide } from '../../src/cli/sideBySide.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { culprit } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import { latentPage } from '../support/latentPage.ts';
import { put, putAll, type TinyFolder } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
const at = (...parts: string[]) => join(folder, ...parts);
let tiny: TinyFolder;

beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const subject = () => ['--model', tiny.model, '--adapter', tiny.adapter, '--sae', tiny.sae];
const asked = ['--prompt', 'I have a cold.', '--max-tokens', '24', '--samples', '1'];

const drawn = { file: 'prompts.jsonl', discovery: 1, evaluation: 1, calibration: 1 };

/** Nothing but printable text and line ends. */
const plain = /^[^\p{Cc}]*$/u;
const expectPlain = (text: string) => {
  for (const line of text.split('\n')) expect(line).toMatch(plain);
};

describe('shows texts side by side', () => {
  it('left alone and at each dose, and writes them as JSON', async () => {
    const json = at('made', 'texts.json');
    const args = ['steer', ...subject(), ...asked, '--latent', '3', '--dose', '-0.4,0.125', '--out', json];
    const { code, stdout, stderr } = await culprit(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Sampling: 3 of 3, \S+ s\n$/);
    expectPlain(stdout);
    expect(stdout).toMatch(/^\nI have a cold\.\n\nunsteered +│ 3 × −0\.40 s\n/);
    expect(stdout).toMatch(/^3 × \+0\.125 s$/m);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).toMatch(/\nwritten to \S+texts\.json\n$/);
    const written = JSON.parse(readFileSync(json, 'utf8'));
    expect(written).toMatchObject({
      site: 'resid_post 1',
      norm: expect.any(Number),
      scale: 'norm',
      tokens: 'all',
    });
    expect(written.comparisons).toEqual([
      {
        prompt: 'I have a cold.',
        seed: 1,
        unsteered: { text: expect.any(String), stop: expect.any(String) },
        steered: [-0.4, 0.125].map((dose) => ({
          interventions: [{ latent: 3, kind: 'add', dose }],
          text: expect.any(String),
          stop: expect.any(String),
        })),
      },
    ]);
    expect((await culpritHere(args)).stdout).toBe(stdout);
  });

  it('of a study, on a prompt of its own', async () => {
    const study = putStudy(at('study'), tiny, { prompts: drawn });
    const { code, stdout } = await culpritHere([
      'steer',
      study,
      '--latent',
      '3',
      '--latent',
      '5',
      '--set',
      '0.2',
    ]);
    expect(code).toBe(0);
    expectPlain(stdout);
    expect(stdout).toContain('What of this?');
    expect(stdout).toContain('│ 3 set to +0.20 s, 5 set to +0.20 s');
    expect(stdout).toContain('seed 2');
  });
});

describe('a group', () => {
  const members = [3, 5, 9];
  const study = () => {
    const made = putStudy(at('grouped'), tiny, { prompts: drawn });
    mkdirSync(at('grouped', 'latents'), { recursive: true });
    put(at('grouped', 'latents', '3.json'), latentPage(3, { group: members }));
    put(at('grouped', 'latents', '4.json'), latentPage(4));
    return made;
  };
  const texts = async (...args: string[]) => {
    const json = at('made', 'group.json');
    const found = await culpritHere(['steer', study(), '--samples', '1', '--out', json, ...args]);
    expect(found.stderr).not.toMatch(/^culprit/);
    const { comparisons } = JSON.parse(readFileSync(json, 'utf8'));
    return { ...found, steered: comparisons[0].steered };
  };

  it('moves as far as the latent alone, which stands beside it, and as its latents together would', async () => {
    const { code, stdout, steered } = await texts('--group', '3', '--dose', '-2,2');
    expect(code).toBe(0);
    expectPlain(stdout);
    const sae = await openSae(tiny.sae);
    const rows = await Promise.all(members.map((latent) => sae.decoderRows(latent, latent + 1)));
    const length = Math.hypot(...rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0)));
    const each = steered[1].interventions[0].dose;
    expect(-each * length).toBeCloseTo(2, 2);
    expect(steered.map(({ interventions }: { interventions: object[] }) => interventions)).toEqual([
      [{ latent: 3, kind: 'add', dose: -2 }],
      members.map((latent) => ({ latent, kind: 'add', dose: each })),
      [{ latent: 3, kind: 'add', dose: 2 }],
      members.map((latent) => ({ latent, kind: 'add', dose: -each })),
    ]);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Latent 3 alone, then its group: 3, 5, 9, each with 0\.\d+ of the dose, so that together they shift it equally far\./,
    );
    const byHand = members.flatMap((latent) => ['--latent', `${latent}`]);
    const together = await texts(...byHand, '--dose', `${each}`);
    expect(together.steered[0].text).toBe(steered[1].text);
    expect(steered[1].text).not.toBe(steered[0].text);
  });

  it('is set as a whole to one value', async () => {
    const { steered } = await texts('--group', '3', '--set', '0.2');
    expect(steered[1].interventions).toEqual(members.map((latent) => ({ latent, kind: 'set', value: 0.2 })));
  });

  it.each([
    ['of a latent that stands alone', ['4'], /^culprit: latent 4: has no group in \S+latents\/4\.json: /],
    [
      'of a latent without a page',
      ['5'],
      /^culprit: \S+latents\/5\.json: no such file: make it with `culprit interpret/,
    ],
    [
      'beside a latent',
      ['3', '--latent', '4'],
      /^culprit: option '--group <index>' cannot be used with option '--latent/,
    ],
  ])('%s is refused', async (_, args, line) => {
    const { code, stderr } = await culpritHere(['steer', study(), '--dose', '0.1', '--group', ...args]);
    expect(stderr).toMatch(line);
    expect(code).toBe(2);
  });

  it('without a study is refused', async () => {
    const { stderr } = await culpritHere(['steer', ...subject(), ...asked, '--group', '3', '--dose', '0.1']);
    expect(stderr).toBe('culprit: steer: --group needs a study: the files in its latents/ name the groups\n');
  });
});

describe('a layout', () => {
  const cards = ['unsteered', 'steered', 'more'].map((heading) => ({
    heading,
    text: 'some words of a text',
  }));

  it('has as many columns as fit, one on a narrow terminal', () => {
    const columns = (width: number) => sideBySide(cards, width).split('\n')[0]!.split('│').length;
    expect([60, 89, 90, 134, 135, 300].map(columns)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('never exceeds its width, whatever the text', () => {
    const text = `${'w'.repeat(200)} 日本語のテキスト ${'字'.repeat(80)} 👩‍👩‍👧 é\n\n  - a list`;
    const lines = sideBySide([{ heading: 'h', text }], 20).split('\n');
    expect(lines.filter((line) => line.includes('字')).every((line) => line.length <= 10)).toBe(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(20);
    expect(lines.join('').replaceAll(' ', '')).toBe(`h${text.replaceAll(/\s/g, '')}`);
    expect(lines).toContain('  - a list');
  });

  it('lets nothing through that a terminal obeys', () => {
    expect(harmless('a\u001b[31mb\u0007\u009b2J\r\nc\rd\te\u202Ef')).toBe('a[31mb2J\nc\nd  ef');
  });
});

describe('is told in one line', () => {
  const help = '; see `culprit steer --help`';
  const latent = ['--latent', '3'];
  const dose = ['--dose', '0.1'];
  const wrong: Readonly<Record<string, [args: () => string[], line: string | RegExp]>> = {
    'nothing to steer along': [
      () => [...subject(), ...asked, ...dose],
      `steer: expected --latent <index> or --vector <file>, found none${help}`,
    ],
    'a flag of single texts on a study that is tested': [
      () => [at('study'), '--samples', '3'],
      'steer: --samples needs --latent, --group or --vector; without them, steer STUDY runs the causal test as study.yaml says',
    ],
    'a flag of a causal test with a latent': [
      () => [at('study'), '--latent', '1', '--redo', 'steer'],
      'steer: --redo is for the causal test of a study, without --latent, --group and --vector',
    ],
    'nothing to do': [
      () => [...subject(), ...asked, ...latent],
      `steer: expected --dose, --set, --cap or --ablate, found none${help}`,
    ],
    'two things to do': [
      () => [...subject(), ...asked, ...latent, ...dose, '--ablate'],
      'steer: expected one of --dose and --ablate, found both',
    ],
    'doses that do not go round': [
      () => [...subject(), ...asked, ...latent, '--latent', '4', '--latent', '5', ...dose, ...dose],
      'steer: expected --dose once, or once for each of the 3 latents and vectors, found it 2 times',
    ],
    'ladders of two lengths': [
      () => [...subject(), ...asked, ...latent, '--latent', '4', '--dose', '1,2', '--dose', '1,2,3'],
      'steer: expected as many values in every --dose, found 2 and 3',
    ],
    'a dose that is no number': [
      () => [...subject(), ...asked, ...latent, '--dose', '0.1,much'],
      `option '--dose <parts>' argument '0.1,much' is invalid. Expected a number, or several with commas between${help}`,
    ],
    'no prompt': [
      () => [...subject(), ...latent, ...dose],
      `steer: expected --prompt <text> or --prompts <file>, found none${help}`,
    ],
    'no model': [
      () => [...asked, ...latent, ...dose],
      `steer: expected a study or --model <path>, found none${help}`,
    ],
    'two kinds of prompts': [
      () => [...subject(), ...asked, '--prompts', 'x', ...latent, ...dose],
      `option '--prompts <file>' cannot be used with option '--prompt <text>'${help}`,
    ],
    'a field of no file': [
      () => [...subject(), ...asked, '--field', 'q', ...latent, ...dose],
      'steer: --field is for --prompts only',
    ],
    'a prompts file without the field': [
      () => [...subject(), '--prompts', put(at('p.jsonl'), [{ q: 'a' }]), ...latent, ...dose],
      /p\.jsonl:1: expected the field prompt, found q: name the one to use with --field$/,
    ],
    'another model than the study says': [
      () => [at('study'), '--model', tiny.model, ...latent, ...dose],
      'steer STUDY: takes no --model: study.yaml sets that',
    ],
    'a study that is not there': [() => [at('no'), ...latent, ...dose], /no: no such file or folder$/],
    'a vector file that is not there': [
      () => [...subject(), ...asked, '--vector', at('no.gguf'), ...dose],
      /no\.gguf: no such file or folder$/,
    ],
    'an ablation without a baseline': [
      () => [...subject(), ...asked, ...latent, '--ablate'],
      '--ablate needs a baseline: add --baseline FILE (made by `culprit baseline`), or name a study that was attributed',
    ],
    '--out that is a folder': [
      () => [...subject(), ...asked, ...latent, ...dose, '--out', folder],
      /^--out \S+: expected a file, found a folder$/,
    ],
  };
  beforeAll(() => {
    if (!existsSync(at('study'))) putStudy(at('study'), tiny, { prompts: drawn });
  });

  it.each(Object.entries(wrong))('%s', async (_, [args, line]) => {
    const { code, stdout, stderr } = await culpritHere(['steer', ...args()]);
    expect(stderr).toMatch(/^culprit: [^\n]+\n$/);
    const told = stderr.slice('culprit: '.length, -1);
    if (typeof line === 'string') expect(told).toBe(line);
    else expect(told).toMatch(line);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

it('help is plain text of 80 columns', async () => {
  const { code, stdout, stderr } = await culpritHere(['steer', '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expectPlain(stdout);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
