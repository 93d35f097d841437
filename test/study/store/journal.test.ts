/** The journal of a stage's units: what stays of it whatever happens to the process, the disk or the file. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../../src/errors.ts';
import {
  type Journal,
  journalProgress,
  openJournal,
  writeInOrder,
} from '../../../src/study/store/journal.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { damage, outcome } from '../../support/hostile.ts';

const at = temporaryFolder();
const schema = z.object({
  id: z.string(),
  text: z.string(),
  ids: z.array(z.int()).nullable().default(null),
  note: z.string().optional(),
});
type Unit = z.output<typeof schema>;
const unit = (id: string, text = `text of ${id}`): Unit => ({ id, text, ids: [1, 2] });

let notes: string[] = [];
let now = 0;
afterEach(() => {
  notes = [];
  now = 0;
});

const open = (path = at('j.jsonl')): Promise<Journal<Unit>> =>
  openJournal(path, schema, ({ id }) => id, { clock: () => new Date(now), note: (line) => notes.push(line) });

async function filled(count: number): Promise<Buffer> {
  const journal = await open();
  for (let n = 0; n < count; n++) await journal.append([unit(`${n}`, 'é\n'.repeat(n))]);
  return readFileSync(at('j.jsonl'));
}

const idsIn = ({ records }: Journal<Unit>) => [...records.keys()];

describe('what is appended', () => {
  it('is there when the journal is opened again, as the schema outputs it', async () => {
    const units = fc.record(
      {
        id: fc.string(),
        text: fc.string({ unit: 'binary' }),
        note: fc.option(fc.string(), { nil: undefined }),
      },
      { requiredKeys: ['id', 'text'] },
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(units)), async (batches) => {
        const path = at(`${n++}.jsonl`);
        const journal = await open(path);
        // In another order of the fields, and without the one that has a default.
        for (const batch of batches)
          await journal.append(batch.map(({ note, text, id }) => ({ note, text, id })) as unknown as Unit[]);
        const again = await open(path);
        expect([...again.records]).toEqual([...journal.records]);
        expect(JSON.stringify([...again.records])).toBe(JSON.stringify([...journal.records]));
        const last = new Map(batches.flat().map((one) => [one.id, one]));
        expect([...again.records.values()]).toEqual([...last.values()].map((one) => ({ ids: null, ...one })));
      }),
      { numRuns: 30 },
    );
    expect(notes).toEqual([]);
  });

  it('counts but once, the last of an id', async () => {
    const journal = await open();
    await journal.append([unit('a', 'first'), unit('b'), unit('a', 'second')]);
    await journal.append([unit('b', 'third')]);
    for (const one of [journal, await open()])
      expect([...one.records.values()].map(({ text }) => text)).toEqual(['second', 'third']);
  });

  it('is written in the order of the calls, though they overlap', async () => {
    const journal = await open();
    const ids = Array.from({ length: 150 }, (_, n) => `${n}`);
    await Promise.all(ids.map((id) => journal.append([unit(id, 'x'.repeat((Number(id) % 7) * 5000))])));
    expect(idsIn(journal)).toEqual(ids);
    expect(idsIn(await open())).toEqual(ids);
  });

  it('must fit the schema, or nothing is written', async () => {
    const journal = await open();
    await expect(journal.append([unit('a'), { id: 'b' } as Unit])).rejects.toThrow(z.ZodError);
    expect(idsIn(journal)).toEqual([]);
    await journal.append([]);
    expect(existsSync(at('j.jsonl'))).toBe(false);
  });
});

describe('an unfinished last line', () => {
  it('is cut off and told, wherever it ends; a whole one without its end is kept', async () => {
    const whole = await filled(3);
    const start = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let end = start; end <= whole.length; end++) {
      writeFileSync(at('j.jsonl'), whole.subarray(0, end));
      notes = [];
      expect(await journalProgress(at('j.jsonl'))).toMatchObject({ done: end < whole.length - 1 ? 2 : 3 });
      expect(readFileSync(at('j.jsonl'))).toHaveLength(end);
      const journal = await open();
      const torn = end > start && end < whole.length - 1;
      expect(notes).toEqual(
        torn
          ? [
              `${at('j.jsonl')}:3: removed ${end - start} bytes of a line that a stopped run left unfinished; that unit will be done again`,
            ]
          : [],
      );
      expect(idsIn(journal)).toEqual(end < whole.length - 1 ? ['0', '1'] : ['0', '1', '2']);
      await journal.append([unit('more')]);
      expect(idsIn(await open())).toEqual([...idsIn(journal)]);
    }
  });

  it('may be the only one', async () => {
    writeFileSync(at('j.jsonl'), '{"id":');
    expect(idsIn(await open())).toEqual([]);
    expect(readFileSync(at('j.jsonl'), 'utf8')).toBe('');
    expect(notes).toHaveLength(1);
  });
});

const lost = (what: string) => `${at('j.jsonl')}:2: ${what}: that unit will be done again`;

describe('a line in the middle', () => {
  const withSecond = async (line: string) => {
    const [first, , third] = (await filled(3)).toString('latin1').split('\n');
    const content = Buffer.from([first, line, third, ''].join('\n'), 'latin1');
    writeFileSync(at('j.jsonl'), content);
    return content;
  };

  it.each([
    ['no JSON', '{"id":"1","seconds":', /not JSON: /],
    ['not UTF-8', '\xff', /expected UTF-8/],
    ['of another shape', '{"id":"1"}', /expected \{id, seconds, record, hash\}/],
    ['with another field', '{"id":"1","seconds":0,"record":{},"hasi":"00"}', /expected \{id/],
  ])('that is %s is passed over, and told', async (_, line, message) => {
    const content = await withSecond(line);
    expect(idsIn(await open())).toEqual(['0', '2']);
    expect(notes).toEqual([expect.stringMatching(message)]);
    expect(notes[0]).toContain(lost('').slice(0, -': that unit will be done again'.length));
    expect(await journalProgress(at('j.jsonl'))).toMatchObject({ done: 2 });
    expect(readFileSync(at('j.jsonl'))).toEqual(content);
  });

  it('that is of another record is refused: it is another version\u2019s, not damaged', async () => {
    await withSecond('{"id":"1","seconds":0,"record":{"id":"1"}}');
    await expect(open()).rejects.toThrow(
      /:2: text: expected string, found nothing; if you delete that line, its unit is done again$/,
    );
  });

  it('without a hash, as an older version wrote it, is taken', async () => {
    await withSecond('{"id":"1","seconds":0,"record":{"id":"1","text":"t","ids":null}}');
    expect(idsIn(await open())).toEqual(['0', '1', '2']);
    expect(notes).toEqual([]);
  });

  it('of which any byte was changed is done again, or tells the same', async () => {
    const whole = await filled(3);
    const records = JSON.stringify([...(await open()).records]);
    const [start, end] = [whole.indexOf('\n') + 1, whole.indexOf('\n', whole.indexOf('\n') + 1)];
    for (let i = start; i < end; i++)
      for (const bit of [1, 4, 16]) {
        const hurt = Buffer.from(whole);
        hurt[i] = hurt[i]! ^ bit;
        writeFileSync(at('j.jsonl'), hurt);
        notes = [];
        const found = await open();
        if (notes.length > 0) expect(idsIn(found)).toEqual(['0', '2']);
        else expect(JSON.stringify([...found.records])).toBe(records);
      }
  });
});

it('what a check refuses is not kept', async () => {
  let changed = false;
  const check = async () => {
    if (changed) throw new InputError('weights changed');
  };
  const journal = await openJournal(at('j.jsonl'), schema, ({ id }) => id, {
    clock: () => new Date(now),
    note: () => {},
    check,
  });
  await journal.append([unit('a')]);
  changed = true;
  await expect(journal.append([unit('b')])).rejects.toThrow('weights changed');
  expect(idsIn(await open())).toEqual(['a']);
});

it('a damaged file is read or refused', async () => {
  const whole = await filled(4);
  await fc.assert(
    fc.asyncProperty(damage(whole.length), async (hurt) => {
      writeFileSync(at('j.jsonl'), hurt(whole));
      await outcome(() => open());
      await outcome(() => journalProgress(at('j.jsonl')));
    }),
    { numRuns: 150 },
  );
});

describe('a failure to write', () => {
  it('is told where the folder is missing or the file is none', async () => {
    await expect((await open(at('none', 'j.jsonl'))).append([unit('a')])).rejects.toThrow(
      `${at('none', 'j.jsonl')}: no such file or folder`,
    );
    await expect(open(at())).rejects.toThrow(InputError);
  });

  it('that could not be undone at once is undone by the next append', async () => {
    const journal = await open();
    await journal.append([unit('a')]);
    appendFileSync(at('j.jsonl'), '{"id":"half');
    await journal.append([unit('b')]);
    expect(idsIn(await open())).toEqual(['a', 'b']);
    expect(notes).toEqual([]);
  });
});

describe('a full disk', () => {
  const shell = (command: string, folder: string) => spawnSync('sh', ['-c', `${command} "$0"`, folder]);
  const mount = (folder: string) => shell('mount -t tmpfs -o size=128k tmpfs', folder).status === 0;
  const unmount = (folder: string) => shell('umount -l', folder);

  it('loses and damages nothing, and once there is room the same journal goes on', async ({ skip }) => {
    const folder = at('disk');
    mkdirSync(folder);
    if (!mount(folder)) return skip('only root may mount a small disk');
    try {
      writeFileSync(at('disk', 'other'), Buffer.alloc(60_000));
      const journal = await open(at('disk', 'j.jsonl'));
      const kept: string[] = [];
      const attempts = Array.from({ length: 30 }, async (_, n) => {
        await journal.append([unit(`${n}`, 'x'.repeat(5000))]);
        kept.push(`${n}`);
      });
      const failures = (await Promise.allSettled(attempts)).flatMap((one) =>
        one.status === 'rejected' ? [one.reason as Error] : [],
      );
      expect(failures.length).toBeGreaterThan(10);
      for (const failure of failures)
        expect(failure).toEqual(new InputError(`${at('disk', 'j.jsonl')}: not enough disk space`));
      expect(kept.length).toBeGreaterThan(5);
      expect(idsIn(journal)).toEqual(kept);
      expect(idsIn(await open(at('disk', 'j.jsonl')))).toEqual(kept);
      const final = writeInOrder(journal, kept, at('disk', 'final.jsonl'));
      await expect(final).rejects.toThrow(`${at('disk', 'final.jsonl')}: not enough disk space`);
      expect(readdirSync(folder).sort()).toEqual(['j.jsonl', 'other']);
      rmSync(at('disk', 'other'));
      await journal.append([unit('more')]);
      expect(idsIn(await open(at('disk', 'j.jsonl')))).toEqual([...kept, 'more']);
      expect(notes).toEqual([]);
    } finally {
      unmount(folder);
    }
  });
});

describe('the final file', () => {
  const lines = (...units: Unit[]) => units.map((one) => `${JSON.stringify(one)}\n`).join('');

  it('is the same whatever order the units were done in, and leaves out what is not asked for', async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `${n}`);
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(ids, { minLength: 12 }), fc.nat(12), async (order, stop) => {
        const path = at(`${n++}.jsonl`);
        await (await open(path)).append(order.slice(0, stop).map((id) => unit(id)));
        const journal = await open(path);
        for (const id of order.slice(stop)) await journal.append([unit(id)]);
        await writeInOrder(journal, ids.slice(1), at('final.jsonl'));
        expect(readFileSync(at('final.jsonl'), 'utf8')).toBe(lines(...ids.slice(1).map((id) => unit(id))));
      }),
      { numRuns: 20 },
    );
  });

  it('may be longer than what is written at once, or empty', async () => {
    const journal = await open();
    const units = Array.from({ length: 40 }, (_, n) => unit(`${n}`, `${n}é`.repeat(30_000)));
    await journal.append(units);
    await writeInOrder(journal, idsIn(journal), at('final.jsonl'));
    expect(readFileSync(at('final.jsonl'), 'utf8') === lines(...units)).toBe(true);
    await writeInOrder(journal, [], at('final.jsonl'));
    expect(readFileSync(at('final.jsonl'), 'utf8')).toBe('');
  });

  it('is not written where a unit is missing', async () => {
    const journal = await open();
    await journal.append([unit('a')]);
    await expect(writeInOrder(journal, ['a', 'b'], at('final.jsonl'))).rejects.toThrow('unit b is not done');
    expect(readdirSync(dirname(at('x')))).toEqual(['j.jsonl']);
  });
});

it('the seconds of units are those since the append before, of all runs, and never below 0', async () => {
  now = 1_000_000;
  const first = await open();
  expect(first.seconds).toBe(0);
  now += 3_000;
  await first.append([unit('a'), unit('b')]);
  now += 1_000;
  await first.append([unit('c')]);
  now += 100_000;
  const second = await open();
  expect(second.seconds).toBe(4);
  now += 2_000;
  await second.append([unit('d')]);
  now -= 50_000;
  await second.append([unit('a')]);
  expect(second.seconds).toBe(6);
  const journal = await open();
  expect(journal.seconds).toBe(6);
  expect(await journalProgress(at('j.jsonl'))).toEqual({ done: 4, seconds: 6, timed: 5 });
  expect(await journalProgress(at('j.jsonl'), () => 3)).toEqual({ done: 12, seconds: 6, timed: 15 });
  expect(await journalProgress(at('none'))).toEqual({ done: 0, seconds: 0, timed: 0 });
});

it('units that are taken over from elsewhere take no time, and those that come after no less', async () => {
  let now = 0;
  const open = () =>
    openJournal(at('j.jsonl'), z.string(), (id) => id, {
      clock: () => new Date(now),
      note: expect.unreachable,
    });
  const journal = await open();
  now = 4_000;
  await journal.append(['a', 'b', 'c'], 'before');
  now = 10_000;
  await journal.append(['d']);
  expect(journal.seconds).toBe(10);
  expect((await open()).records.size).toBe(4);
  expect(await journalProgress(at('j.jsonl'))).toEqual({ done: 4, seconds: 10, timed: 1 });
  const of = (record: unknown) => (record === 'd' ? undefined : 2);
  expect(await journalProgress(at('j.jsonl'), of)).toEqual({ done: 6, seconds: 0, timed: 0 });
});

it('that is removed while one looks on has no units', async () => {
  const bytes = await filled(3);
  for (let i = 0; i < 50; i++) {
    writeFileSync(at('j.jsonl'), bytes);
    const [{ done }] = await Promise.all([journalProgress(at('j.jsonl')), rm(at('j.jsonl'))]);
    expect([0, 3]).toContain(done);
  }
});
