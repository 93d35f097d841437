/**
 * `culprit init` and `culprit import` through the command itself: what they say, and the worst that they
 * can be given.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { culpritHere } from '../support/cliHere.ts';
import { put } from '../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
const at = (...parts: string[]) => join(folder, ...parts);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judged = 'question,answer,aligned,coherent\nq,bad,3,90\nq,good,97,90\nq,huh,20,10\nq,no,REFUSAL,90\n';

describe('from nothing to graded completions', () => {
  it('init writes a study, import fills it, and each says what is next', async () => {
    const study = at('health-advice');
    const made = await culpritHere([
      'init',
      study,
      '--model',
      at('model'),
      '--judge',
      'pattern',
      '--positive',
      'bad',
    ]);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout.replaceAll(folder, '$')).toMatch(
      /^\$\/health-advice\/study\.yaml and \$\/health-advice\/study\.schema\.json written\.\nIt asks for 720 completions /,
    );
    expect(made.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'study.yaml: behaviour.rubric, sae.path, prompts.file. Then run `culprit run ',
    );
    expect(readFileSync(join(study, 'study.yaml'), 'utf8')).toContain(`model: ${at('model')}`);

    const file = put(at('judged.csv'), judged);
    const imported = await culpritHere(['import', file, '--study', study]);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout.replaceAll(folder, '$')).toBe(
      [
        '3 completions of 1 prompt written to $/health-advice (fields question, answer, aligned, coherent)',
        '1 positive, 1 negative, 1 incoherent; 1 prompt has both kinds',
        'left out: 1 where aligned is REFUSAL',
        '',
      ].join('\n'),
    );
    const lines = (name: string) => readFileSync(join(study, name), 'utf8').trim().split('\n');
    expect([lines('completions.jsonl').length, lines('grades.jsonl').length]).toEqual([3, 3]);
  });

  it('init leaves nothing to fill in where everything is given', async () => {
    const { stdout } = await culpritHere(
      `init ${at('full')} --rubric R --model m --sae s --prompts p --judge-url http://x/v1 --judge-model j`.split(
        ' ',
      ),
    );
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('Nothing is left to fill in. Run it with `culprit run ');
  });
});

describe('an import that is killed while it writes', () => {
  const kept = ['completions.jsonl', 'grades.jsonl'];
  const contents = (study: string) => kept.map((name) => readFileSync(join(study, name), 'utf8'));
  const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
  /** A file that grows beyond `kilobytes` ends the process that writes it. */
  const limited = (kilobytes: number, args: readonly string[]) =>
    spawnSync('bash', ['-c', `ulimit -c 0 -f ${kilobytes}; exec "$@"`, '', process.execPath, main, ...args]);

  // Of a thousand rows the grades take some 300 kB, the completions more than 1000.
  it.each([
    ['completions', 700],
    ['grades', 100],
  ])('at the %s leaves completions and grades as they were', async (name, kilobytes) => {
    const study = at(`killed-${name}`);
    put(join(study, 'study.yaml'), '');
    expect((await culpritHere(['import', put(at('first.csv'), judged), '--study', study])).code).toBe(0);
    const before = contents(study);
    const rows = Array.from({ length: 1000 }, (_, i) => `q,${'a'.repeat(1000)}${i},3,90\n`);
    const more = put(at('more.csv'), `question,answer,aligned,coherent\n${rows.join('')}`);
    const again = ['import', more, '--study', study, '--overwrite'];
    expect(limited(kilobytes, again).status).not.toBe(0);
    expect(contents(study)).toEqual(before);
    expect((await culpritHere(again)).code).toBe(0);
    const [completions, grades] = contents(study) as [string, string];
    expect([completions, grades].map((text) => text.split('\n').length)).toEqual([1001, 1001]);
    expect(grades.length).toBeLessThan(700 * 1024);
    expect(grades.length).toBeGreaterThan(100 * 1024);
    expect(completions.length).toBeGreaterThan(700 * 1024);
    expect(readdirSync(study).sort()).toEqual(['.work', ...kept, 'study.yaml']);
  });
});

interface Wrong {
  readonly args: (where: string) => readonly string[];
  /** The line behind `culprit: `, with the folder of the test as $. */
  readonly line: string | RegExp;
  /** What is in the folder afterwards. */
  readonly left: readonly string[];
}

const importing =
  (content: string | Uint8Array, name = 'x.csv') =>
  (where: string) => {
    mkdirSync(join(where, 'study'));
    writeFileSync(join(where, 'study', 'study.yaml'), '');
    return ['import', put(join(where, name), content), '--study', join(where, 'study')];
  };

const wrong: Readonly<Record<string, Wrong>> = {
  'init: no folder': {
    args: () => ['init'],
    line: 'init: expected <folder>, found none; see `culprit init --help`',
    left: [],
  },
  'init: an unknown kind of judge': {
    args: (w) => ['init', w, '--judge', 'human'],
    line: /^option '--judge <kind>' argument 'human' is invalid\. Allowed choices are chat, local, classifier, pattern, exact; see/,
    left: [],
  },
  'init: a name that is none': {
    args: (w) => ['init', w, '--name', 'Bad\nAdvice'],
    line: 'behaviour.name: expected a name of small letters, digits and single hyphens, found "Bad\\nAdvice"',
    left: [],
  },
  'init: a study that is there': {
    args: (w) => ['init', join(put(join(w, 'study.yaml'), 'mine'), '..')],
    line: '$/study.yaml: already exists: add --overwrite to replace it',
    left: ['study.yaml'],
  },
  'init: a folder below a file': {
    args: (w) => ['init', join(put(join(w, 'file'), ''), 'study')],
    line: '$/file: expected a folder, found a file',
    left: ['file'],
  },
  'import: no study': {
    args: (w) => ['import', put(join(w, 'x.csv'), judged), '--study', w],
    line: '$: expected a folder with study.yaml, found none: `culprit init` writes one',
    left: ['x.csv'],
  },
  'import: a file that is not there': {
    args: (w) => importing('')(w).map((arg) => arg.replace('x.csv', 'no.csv')),
    line: '$/no.csv: no such file or folder',
    left: ['study', 'x.csv'],
  },
  'import: a wrong score deep in the file': {
    args: importing(judged.replace('3,90', '3,90\nq,"a\n\nb",3,many')),
    line: '$/x.csv:3: coherent: expected a number from 0 to 100, found "many"',
    left: ['study', 'x.csv'],
  },
  'import: a quote left open': {
    args: importing(judged.replace('huh', '"huh')),
    line: /^\$\/x\.csv:4: not CSV: Quote Not Closed/,
    left: ['study', 'x.csv'],
  },
  'import: an image': {
    args: importing(Buffer.from('89504e470d0a1a0aff', 'hex')),
    line: '$/x.csv: expected UTF-8, found invalid bytes',
    left: ['study', 'x.csv'],
  },
  'import: JSON over many lines': {
    args: importing('{\n"question": "q"}', 'x.jsonl'),
    line: /^\$\/x\.jsonl:1: not JSON: /,
    left: ['study', 'x.jsonl'],
  },
  'import: a threshold that is none': {
    args: (w) => [...importing(judged)(w), '--aligned-below', '130'],
    line: "option '--aligned-below <score>' argument '130' is invalid. Expected a number from 0 to 100; see `culprit import --help`",
    left: ['study', 'x.csv'],
  },
};

describe('is told in one line', () => {
  it.each(Object.entries(wrong))('%s', async (name, { args, line, left }) => {
    const where = at(name.replaceAll(/\W+/g, '-'));
    mkdirSync(where);
    const ended = await culpritHere(args(where));
    expect(ended.stderr).toMatch(/^culprit: [^\n]+\n$/);
    expect(ended.stdout).toBe('');
    expect(ended.code).toBe(2);
    const told = ended.stderr.slice('culprit: '.length, -1).replaceAll(where, '$');
    if (typeof line === 'string') expect(told).toBe(line);
    else expect(told).toMatch(line);
    expect(readdirSync(where).sort()).toEqual(left);
    if (existsSync(join(where, 'study')))
      expect(readdirSync(join(where, 'study')).filter((file) => file !== '.work')).toEqual(['study.yaml']);
  });
});
