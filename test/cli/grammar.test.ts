/** One grammar for all commands: what a flag means, what is missing, help that fits, exit codes, completion. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { pathOf } from '../../src/cli/grammar.ts';
import { culpritProgram } from '../../src/cli/program.ts';
import { fitted } from '../../src/cli/wrap.ts';
import { culpritHere } from '../support/cliHere.ts';
import { put, putAll } from '../support/tinyFolder.ts';
import { putStudy } from '../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-grammar-'));
afterAll(() => rmSync(folder, { recursive: true }));

const program = culpritProgram();
const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)];
const commands = below(program);

describe('a flag', () => {
  const byFlag = new Map<string, { at: string; takes: string; value: unknown; choices: string }[]>();
  for (const command of commands)
    for (const option of command.options) {
      const { flags, defaultValue, description, argChoices = [] } = option;
      const told = /\(default: (\d+)\)/.exec(description)?.[1];
      const takes = flags.replace(/^.*?--[a-z-]+ ?/, '');
      const all = byFlag.get(option.long!) ?? [];
      byFlag.set(option.long!, [
        ...all,
        {
          at: pathOf(command),
          takes,
          value: defaultValue ?? (told && Number(told)),
          choices: argChoices.join(),
        },
      ]);
    }
  const shared = [...byFlag].filter(([, uses]) => uses.length > 1);

  /** Where results go: a file or a folder, as the command has them. */
  const places = new Set(['--out']);

  it('is found in several commands', () => expect(shared.length).toBeGreaterThan(20));

  it.each(shared)('%s takes the same and has one default everywhere', (flag, uses) => {
    if (places.has(flag))
      return expect(new Set(uses.map(({ takes }) => takes))).toEqual(new Set(['<folder>', '<file>']));
    const kinds = new Set(uses.map(({ takes, choices }) => `${takes.replace('...', '')} ${choices}`));
    const defaults = new Set(
      uses.flatMap(({ value }) => (value === undefined ? [] : [JSON.stringify(value)])),
    );
    expect(kinds.size, JSON.stringify(uses)).toBe(1);
    expect(defaults.size, JSON.stringify(uses)).toBeLessThanOrEqual(1);
  });
});

it.each([
  [
    ['baseline', '--site', '1'],
    'baseline: expected --model <path>, --corpus <files...>, --out <file>, found none',
  ],
  [
    ['sae', 'train', '--k', '3'],
    '--model <path>, --site <layer>, --corpus <files...>, --latents <count>, --tokens',
  ],
  [['judge', 'compare'], 'judge compare: expected <file>, --b <judge>, found none'],
  [['judge', 'read'], 'judge read: expected <study>, <sheet>, found none'],
  [['export'], 'export: expected <study>, --to <form>, --out <folder>, found none'],
  [['attribute', '--model', 'm'], 'attribute: expected a study, or --sae, --pairs, --out'],
  [
    ['steer'],
    'a study or --model <path>, --latent <index> or --vector <file>, --dose, --set, --cap or --ablate, --prompt',
  ],
])('%j tells all that is missing in one line', async (args, line) => {
  const { code, stdout, stderr } = await culpritHere(args);
  expect(stderr).toContain(line);
  expect(stderr).toMatch(/^culprit: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

describe('help', () => {
  const names = commands.filter((command) => command.commands.length === 0).map(pathOf);

  it.each(names)('of %s fits 50, 66 and 80 columns, and loses no word', async (name) => {
    const said: string[] = [];
    for (const columns of [50, 66, 80, 500]) {
      process.env.COLUMNS = `${columns}`;
      const { stdout } = await culpritHere([...name.split(' ').slice(1), '--help']).finally(() => {
        delete process.env.COLUMNS;
      });
      const long = stdout.split('\n').filter((line) => line.length > columns);
      // a word alone that is longer than the line
      expect(long.filter((line) => line.trim().includes(' '))).toEqual([]);
      said.push(stdout.replaceAll('\\\n', ' ').replaceAll(/\s+/g, ' '));
    }
    expect(new Set(said).size).toBe(1);
  });

  it('breaks paragraphs, entries and commands each in their way', () => {
    const text = [
      'One two three four five six seven eight.',
      '',
      '  name   what it is in so many words',
      '  culprit run --prompt "a b" --latent 3 --out my-folder',
      '',
    ].join('\n');
    expect(fitted(text, 30)).toBe(
      [
        'One two three four five six',
        'seven eight.',
        '',
        '  name   what it is in so many',
        '         words',
        '  culprit run --prompt "a \\',
        '    b" --latent 3 \\',
        '    --out my-folder',
        '',
      ].join('\n'),
    );
  });
});

describe('exit codes', () => {
  it('2 for what is wrong, 3 where there is nothing to work on', async () => {
    const empty = put(join(folder, 'empty.jsonl'), '\n');
    const compare = ['judge', 'compare', empty, '--a', 'label', '--b', 'label'];
    expect((await culpritHere(compare)).code).toBe(3);
    expect((await culpritHere(compare.with(2, join(folder, 'no.jsonl')))).code).toBe(2);
    expect((await culpritHere(['unknown'])).code).toBe(2);
  });

  it('3 where a study has no pairs', async () => {
    const tiny = await putAll(join(folder, 'tiny'));
    const study = putStudy(join(folder, 'study'), tiny, {
      judge: { kind: 'pattern', positive: 'never said' },
    });
    const { code, stdout } = await culpritHere(['run', study, '--until', 'pair']);
    expect({ code, told: stdout.includes('all negative') }).toEqual({ code: 3, told: true });
    const { code: next, stderr } = await culpritHere(['attribute', study, '--quiet']);
    expect(stderr).toMatch(/^culprit: [^\n]*pairs\.jsonl: no pairs to attribute: [^\n]+\n$/);
    expect(next).toBe(3);
  });
});

describe('completion', () => {
  const scriptOf = async (shell: string) => {
    const { stdout, code } = await culpritHere(['completion', shell]);
    expect(code).toBe(0);
    const path = join(folder, `completion.${shell}`);
    writeFileSync(path, stdout);
    return path;
  };
  const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

  it.skipIf(!has('bash'))('of bash: commands, flags, their values, and else files', async () => {
    const path = await scriptOf('bash');
    const offered = (...words: string[]) =>
      execFileSync('bash', [
        '-c',
        `source '${path}'; COMP_WORDS=(culprit "$@"); COMP_CWORD=$#; _culprit; echo "\${COMPREPLY[*]}"`,
        '_',
        ...words,
      ])
        .toString()
        .trim();
    expect(offered('sae', 'tr')).toBe('train');
    expect(offered('st')).toBe('status steer');
    expect(offered('attribute', '--rank', '')).toBe('first-order exact integrated');
    expect(offered('run', 'my-study', '--dr')).toBe('--dry-run');
    expect(offered('run', 'my-study', '--qu')).toBe('--quiet');
    expect(offered('run', 'my')).toBe('');
  });

  it.skipIf(!has('fish'))('of fish (needs fish)', async () => {
    const path = await scriptOf('fish');
    const offered = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', `source ${path}; complete -C '${line}'`])
        .toString()
        .split('\n')
        .map((one) => one.split('\t')[0]);
    expect(offered('culprit sae tr')).toContain('train');
    expect(offered('culprit attribute --rank ')).toContain('integrated');
    expect(offered('culprit run x --dr')).toContain('--dry-run');
  });

  it.skipIf(!has('zsh'))('of zsh (needs zsh)', async () => {
    const path = await scriptOf('zsh');
    const head = `autoload -Uz compinit; compinit -u -D; source ${path}; compadd() { print -r -- "\${@[2,-1]}" }; _files() { print FILES };`;
    const offered = (...words: string[]) =>
      execFileSync('zsh', [
        '-f',
        '-c',
        `${head} words=(culprit ${words.map((w) => `'${w}'`).join(' ')}); CURRENT=${words.length + 1}; _culprit`,
      ])
        .toString()
        .trim();
    expect(offered('sae', 'tr')).toMatch(/^train eval /);
    expect(offered('attribute', '--rank', '')).toBe('first-order exact integrated');
    expect(offered('run', 'my')).toBe('FILES');
  });
});
