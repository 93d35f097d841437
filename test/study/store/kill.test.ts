/**
 * A study that is killed with -9 goes on where it was: the same bytes at the end, and no unit lost but
 * those in flight.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../support/bundle.ts';
import { twoAtATime } from '../../support/cli.ts';
import { draw } from '../../support/opCases.ts';
import { runSmallStudy, small } from '../../support/smallStudy.ts';
import type { Printed } from '../../support/smallStudyChild.ts';

let root = '';
let program = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'culprit-'));
  const [url] = await bundle(['../test/support/smallStudyChild.ts'], join(root, 'modules'));
  program = fileURLToPath(url!);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function newFolder(name: string): string {
  mkdirSync(join(root, name));
  return join(root, name);
}

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly printed: readonly Printed[];
}

/** Runs the program; kills it `after` ms past its `count`-th line. */
async function run(
  args: readonly (string | number)[],
  count = Number.POSITIVE_INFINITY,
  after = 0,
): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let armed = false;
  child.stdout.setEncoding('utf8').on('data', async (more: string) => {
    text += more;
    if (armed || text.split('\n').length <= count) return;
    armed = true;
    await sleep(after);
    child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { signal, printed: printedIn(text) };
}

const printedIn = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Printed);

/** What was printed of one kind. */
const said = (runs: readonly Run[], kind: 'made' | 'kept') =>
  runs.flatMap(({ printed }) => printed.flatMap((line) => (line[0] === kind ? [line[1]] : [])));

function expectSameAs(folder: string, undisturbed: string): void {
  const [name] = small.outputs;
  expect(readFileSync(join(folder, name!)).equals(readFileSync(join(undisturbed, name!)))).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['.work', name, 'manifest.json']);
  expect(readdirSync(join(folder, '.work'))).toEqual([]);
  const [a, b] = [folder, undisturbed].map((path) =>
    JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')),
  );
  const timeless = ({ stages: { sample }, ...rest }: typeof a) => ({
    ...{ ...rest, created: '' },
    sample: { ...sample, finished: '', seconds: {} },
  });
  expect(timeless(a)).toEqual(timeless(b));
}

it('at ten random moments', async () => {
  const units = 300;
  const lanes = 3;
  const undisturbed = newFolder('undisturbed');
  const whole = await run([undisturbed, units, lanes, 1]);
  expect(said([whole], 'kept')).toHaveLength(units);
  const random = draw(20260501);
  const folder = newFolder('killed');
  const runs: Run[] = [];
  for (let kill = 0; kill < 10; kill++)
    runs.push(await run([folder, units, lanes, 100 + kill], 1 + random.below(40), random.below(4)));
  expect(runs.map(({ signal }) => signal)).toEqual(Array(10).fill('SIGKILL'));
  expect(readdirSync(folder)).toEqual(['.work']);
  runs.push(await run([folder, units, lanes, 99]));
  expectSameAs(folder, undisturbed);
  const made = said(runs, 'made');
  expect(new Set(made).size).toBe(units);
  // No more than what was in flight was made again, and nothing that was kept.
  expect(made.length).toBeLessThanOrEqual(units + 10 * lanes);
  const kept = said(runs, 'kept');
  expect(new Set(kept).size).toBe(kept.length);
  runs.forEach((_, i) => {
    const before = new Set(said(runs.slice(0, i), 'kept'));
    expect(said(runs.slice(i), 'made').filter((id) => before.has(id))).toEqual([]);
  });
});

describe('before, and amid, every single call that changes the disk', () => {
  const units = 4;
  let undisturbed = '';
  let calls: readonly string[] = [];
  beforeAll(async () => {
    undisturbed = newFolder('undisturbed too');
    calls = (await run([undisturbed, units, 1, 1])).printed.at(-1)!.slice(1);
  });

  it.each(['before', 'half'])('%s', async (how) => {
    expect(calls.filter((call) => call === 'appendFile')).toHaveLength(units);
    expect(calls.length).toBeGreaterThan(40);
    const where = [...calls.keys()].filter((n) => how === 'before' || /^(write|append)File$/.test(calls[n]!));
    const notes: string[] = [];
    await twoAtATime(
      where.map((n) => async () => {
        const folder = newFolder(`${how} ${n}`);
        const killed = await run([folder, units, 1, 7, n, how]);
        expect(killed.signal).toBe('SIGKILL');
        const kept = said([killed], 'kept');
        const made: string[] = [];
        const tell = (event: string, id: string) => event === 'made' && made.push(id);
        await runSmallStudy(folder, {
          units,
          lanes: 1,
          below: () => 0,
          tell,
          note: (line) => notes.push(line),
        });
        expectSameAs(folder, undisturbed);
        expect(made.filter((id) => kept.includes(id))).toEqual([]);
        expect(made.length + kept.length).toBeLessThanOrEqual(units);
      }),
    );
    // One for every line that was torn.
    expect(notes).toHaveLength(how === 'half' ? units : 0);
    for (const line of notes)
      expect(line).toMatch(
        /\.jsonl:\d+: removed \d+ bytes of a line that a stopped run left unfinished; that unit will be done again$/,
      );
  });
});

it('stopped by a file that may not grow further, it loses nothing that was kept', async () => {
  const units = 240;
  const folder = newFolder('limited');
  // 50 or 100 KB, by the shell; all units take 400.
  const limited = `ulimit -f 100; exec "$0" "$@"`;
  // One append at a time: at the first failure the program ends, and would tear a line that another is
  // writing.
  const args = [program, folder, units, 1, 5].map(String);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', limited, process.execPath, ...args], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const journal = join(folder, '.work', 'sample-0123456789ab.jsonl');
  expect(stderr).toContain(`InputError: ${journal}: the file is larger than the file system allows`);
  expect(readdirSync(join(folder, '.work'))).toEqual([basename(journal)]);
  const first = { signal: null, printed: printedIn(stdout) };
  const second = await run([folder, units, 3, 6]);
  const kept = said([first], 'kept');
  expect(kept.length).toBeGreaterThan(20);
  expect(said([first, second], 'kept').sort()).toEqual(
    Array.from({ length: units }, (_, n) => `unit/${n}`).sort(),
  );
  expect(second.printed.some(([event]) => event === 'note')).toBe(false);
  const whole = newFolder('unlimited');
  await run([whole, units, 3, 7]);
  expectSameAs(folder, whole);
});
