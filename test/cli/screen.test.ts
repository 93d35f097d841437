/**
 * What the command shows: help that fits the terminal, plain text in a pipe, a bar and colours on a
 * terminal.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { culprit, startNode } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import {
  latents,
  manyPairs,
  pairs,
  put,
  putAll,
  putModel,
  type TinyFolder,
  withSink,
} from '../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const attribute = (out: string, file = tiny.pairs) => [
  'attribute',
  ...['--model', tiny.gguf, '--cache', tiny.cache, '--sae', tiny.sae],
  ...['--pairs', file, '--baseline-corpus', tiny.corpus, '--out', join(folder, out)],
];

/** Holds that nothing in a text would change a terminal's state. */
function expectPlain(text: string): void {
  for (const control of ['\u001b', '\r', '\u0007']) expect(text).not.toContain(control);
}

describe('help', () => {
  it('is what `culprit` alone shows, with success', async () => {
    const [alone, asked] = [await culprit([]), await culpritHere(['--help'])];
    expect(alone).toEqual(asked);
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['attribute', 'baseline'])
      expect(alone.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each(['attribute', 'baseline'])(
    'of %s is plain text of 80 columns that names every option it takes',
    async (command) => {
      const { code, stdout, stderr } = await culpritHere([command, '--help']);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expectPlain(stdout);
      const lines = stdout.split('\n');
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      const example = stdout.split(`\n  culprit ${command} `)[1]!.split('\n  culprit ')[0]!;
      const used = example.match(/--[a-z-]+/g)!;
      for (const option of used) expect(stdout).toMatch(new RegExp(`^  ${option} <`, 'm'));
    },
  );

  it('--version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await culprit(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('in a pipe', () => {
  it('results on stdout, progress on stderr, no escape codes in either', async () => {
    const { code, stdout, stderr } = await culprit([...attribute('piped'), '--rows', '3'], {
      CI: 'true',
      TERM: 'xterm',
    });
    expect(code).toBe(0);
    expectPlain(stdout);
    expectPlain(stderr);
    expect(stderr.split('\n').map((line) => line.replace(/, \S+ s$/, ''))).toEqual([
      'Dequantising tiny.gguf, MB: 1 of 1',
      'Baseline, tokens: 69 of 69',
      `Pairs: ${pairs.length} of ${pairs.length}`,
      '',
    ]);
    expect(stdout.match(/^ +\d+ .*%/gm)).toHaveLength(3);
    expect(stdout).toContain(`3 of ${latents} latents shown; all latents and the per-pair values are in`);
    const again = await culpritHere([...attribute('piped'), '--rows', '3']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('already held this run: nothing was computed');
    expect(again.stdout.match(/^ +\d+ .*%/gm)).toEqual(stdout.match(/^ +\d+ .*%/gm));
  });

  it('a reader that goes away is no error', async () => {
    const script = resolve(import.meta.dirname, '../../scripts/culprit.mjs');
    const line = `"${process.execPath}" "${script}" attribute --help | true; exit "\${PIPESTATUS[0]}"`;
    const found = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
    expect(found.stderr).toBe('');
    expect(found.status).toBe(0);
  });
});

/** util-linux's `script` runs a command on a terminal of its own. */
const script = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');

describe.skipIf(!script)('on a terminal (needs util-linux script)', () => {
  const quoted = (text: string) => `'${text}'`;
  const command = (args: readonly string[]) => {
    const path = resolve(import.meta.dirname, '../../scripts/culprit.mjs');
    return [process.execPath, path, ...args].map(quoted).join(' ');
  };

  /** What a terminal of this many columns is sent, and the exit code. */
  function onTerminal(line: string, columns = 80) {
    const found = spawnSync('script', ['-qec', `stty cols ${columns}; ${line}`, '/dev/null'], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color' },
    });
    return { code: found.status, sent: found.stdout };
  }

  it('a bar with an estimate, and colours', () => {
    const many = put(join(folder, 'many.jsonl'), manyPairs(60));
    const { code, sent } = onTerminal(command(attribute('shown', many)));
    expect(code).toBe(0);
    expect(sent).toMatch(/Pairs █*░+ \d+\/60/);
    expect(sent).toMatch(/\d s left/);
    expect(sent).toContain('\u001b[36m');
    expectRestored(sent);
  });

  it('no colours where NO_COLOR says so', () => {
    const { code, sent } = onTerminal(`NO_COLOR=1 ${command(attribute('shown'))} --overwrite`);
    expect(code).toBe(0);
    expect(sent).not.toContain('\u001b[36m');
    expect(sent).not.toContain('\u001b[1m');
  });

  it('an error amid the work ends it, with the terminal as it was', async () => {
    const model = await putModel(join(folder, 'sinks'), withSink());
    const bad = [...manyPairs(3), { prompt: 'Q', positive: ' a', negative: ' b' }];
    const args = attribute('failed', put(join(folder, 'sinks.jsonl'), bad)).with(2, model);
    const { code, sent } = onTerminal(command(args));
    expect(code).toBe(2);
    expectRestored(sent);
    expect(sent).toMatch(/culprit: pair 4: no token of the set 'prompt' is left [^\n]+\n$/);
  });

  it('Ctrl-C gives the terminal back, and then tells', async () => {
    const many = put(join(folder, 'many.jsonl'), manyPairs(400));
    const rows = join(folder, 'stopped', 'attribution.unfinished', '000001.safetensors');
    const child = spawn('script', ['-qec', `exec ${command(attribute('stopped', many))}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let sent = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      sent += text;
    });
    const closed = once(child, 'close');
    while (!existsSync(rows) && child.exitCode === null) await sleep(5);
    child.stdin.write('\u0003');
    const [code] = await closed;
    expect(code).toBe(130);
    expectRestored(sent);
    expect(sent.trimEnd().split('\n').at(-1)).toBe(
      'culprit: stopped; what is finished is kept, and the same command continues from there',
    );
  });

  it('help takes the width that there is', () => {
    const longest = (columns: number) =>
      Math.max(
        ...onTerminal(command(['attribute', '--help']), columns)
          .sent.split('\r\n')
          .map((line) => line.length),
      );
    expect(longest(80)).toBeLessThanOrEqual(80);
    expect(longest(120)).toBeGreaterThan(100);
    expect(longest(120)).toBeLessThanOrEqual(120);
  });

  /** The cursor and line wrapping are on in the end. */
  function expectRestored(sent: string): void {
    for (const [off, on] of [
      ['\u001b[?25l', '\u001b[?25h'],
      ['\u001b[?7l', '\u001b[?7h'],
    ] as const) {
      expect(sent).toContain(off);
      expect(sent.lastIndexOf(on)).toBeGreaterThan(sent.lastIndexOf(off));
    }
  }
});

it('an unhandled error of ours keeps its stack and ends with 1', async () => {
  const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
  const broken = "process.stdout.write = () => { throw new TypeError('broken'); };";
  const loader = `data:text/javascript,${encodeURIComponent(broken)}`;
  const { code, stderr } = await startNode(['--import', loader, main, '--help']).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/culprit: unexpected error, please report it\nTypeError: broken\n {4}at /);
});
