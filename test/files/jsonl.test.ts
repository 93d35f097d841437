import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { appendJsonl, maxLineBytes, readJsonl, readJsonlAll, readLines } from '../../src/files/jsonl.ts';
import { temporaryFolder } from '../support/folder.ts';
import { damage, outcome } from '../support/hostile.ts';

const path = temporaryFolder();
const record = z.object({ a: z.int(), b: z.object({ c: z.array(z.string()) }).optional() });

function file(content: string | Uint8Array): string {
  writeFileSync(path('f.jsonl'), content);
  return path('f.jsonl');
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('reading', () => {
  test('skips a byte order mark and blank lines, takes \\r\\n, counts lines from 1', async () => {
    const read = await collect(readJsonl(file('\uFEFF{"a":1}\r\n\r\n \t\n{"a":2}\n{"a":3}'), record));
    expect(read).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 4, value: { a: 2 } },
      { line: 5, value: { a: 3 } },
    ]);
  });

  test('gives the schema’s output', async () => {
    const schema = z.object({ a: z.string().transform((text) => text.length) });
    expect(await readJsonlAll(file('{"a":"xyz","more":1}\n'), schema)).toEqual([{ a: 3 }]);
  });

  test('an empty file has no records', async () => {
    expect(await readJsonlAll(file(''), record)).toEqual([]);
  });

  test('lines longer than what is read at once', async () => {
    const values = [1, 2, 3].map((n) => ({ a: n, b: { c: ['é'.repeat(300_000 + n)] } }));
    const read = await readJsonlAll(file(values.map((v) => JSON.stringify(v)).join('\n')), record);
    expect(read).toEqual(values);
  });

  test('the same from a zipped file, and half of it', async () => {
    const values = [1, 2, 3].map((n) => ({ a: n, b: { c: ['é'.repeat(300_000 + n)] } }));
    writeFileSync(path('f.jsonl.gz'), gzipSync(values.map((v) => JSON.stringify(v)).join('\n')));
    expect(await readJsonlAll(path('f.jsonl.gz'), record)).toEqual(values);
    for await (const { line } of readJsonl(path('f.jsonl.gz'), record)) if (line === 2) break;
  });

  test.each([
    ['broken JSON', '{"a":1}\n{"a":\n', /f\.jsonl:2: not JSON: \w/],
    ['a wrong type', '\n{"a":"1"}', /f\.jsonl:2: a: expected number, found "1"$/],
    ['a missing field', '{}', /f\.jsonl:1: a: expected .*, found nothing$/],
    [
      'a wrong type deep inside',
      '{"a":1,"b":{"c":["x",null]}}',
      /f\.jsonl:1: b\.c\[1\]: expected string, found null$/,
    ],
    ['no object', '[1]', /f\.jsonl:1: expected object, found an array of 1$/],
    ['a cut last line', '{"a":1}\n{"a":', /f\.jsonl:2: not JSON: .*\(the file ends within this line\)$/],
    ['bytes that are not UTF-8', Buffer.from('{"a":1}\n"\xff"\n', 'latin1'), /f\.jsonl:2: expected UTF-8/],
  ])('refuses %s', async (_, content, message) => {
    const reading = readJsonlAll(file(content), record);
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });

  test('drops a cut last line if asked, whatever it was cut in', async () => {
    const whole = Buffer.from('{"a":1}\n{"a":2,"b":{"c":["é"]}}');
    for (let end = 9; end < whole.length; end++)
      expect(await readJsonlAll(file(whole.subarray(0, end)), record, { cutLastLine: 'drop' })).toEqual([
        { a: 1 },
      ]);
    expect(await readJsonlAll(file(whole), record, { cutLastLine: 'drop' })).toHaveLength(2);
    await expect(readJsonlAll(file('{"a":\n{"a":1}'), record, { cutLastLine: 'drop' })).rejects.toThrow(
      /:1: not JSON/,
    );
  });

  test('refuses what is no file', async () => {
    await expect(readJsonlAll(path('none'), record)).rejects.toThrow(/none: no such file or folder/);
    await expect(readJsonlAll(path(), record)).rejects.toThrow(/expected a file, found a folder/);
  });

  test('refuses a line beyond all', async () => {
    const handle = openSync(path('long'), 'w');
    ftruncateSync(handle, maxLineBytes + 2);
    closeSync(handle);
    await expect(collect(readLines(path('long')))).rejects.toThrow(
      /long:1: expected a line of at most 67108864 bytes/,
    );
  });

  test('stops reading where the reader stops', async () => {
    for await (const { value } of readJsonl(file('{"a":1}\nbroken'), record)) {
      expect(value).toEqual({ a: 1 });
      break;
    }
  });

  test('a damaged file is read or refused', async () => {
    const whole = Buffer.from('{"a":1,"b":{"c":["é","\\n"]}}\r\n{"a":2}\n\n{"a":3}');
    await fc.assert(
      fc.asyncProperty(
        damage(whole.length),
        fc.constantFrom('error' as const, 'drop' as const),
        async (hurt, cutLastLine) => {
          await outcome(() => readJsonlAll(file(hurt(whole)), record, { cutLastLine }));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('appending', () => {
  test('what is appended is read again', async () => {
    const value = fc.record({
      a: fc.integer(),
      b: fc.record({ c: fc.array(fc.string({ unit: 'binary' })) }),
    });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(value)), async (batches) => {
        const target = path(`${n++}.jsonl`);
        for (const batch of batches) await appendJsonl(target, batch);
        const expected = JSON.parse(JSON.stringify(batches.flat()));
        if (batches.length > 0) expect(await readJsonlAll(target, record)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('completes a last line without its end', async () => {
    const target = file('{"a":1}');
    await appendJsonl(target, [{ a: 2 }]);
    expect(readFileSync(target, 'utf8')).toBe('{"a":1}\n{"a":2}\n');
  });

  test('refuses or drops a cut last line', async () => {
    const target = file('{"a":1}\n{"a":');
    await expect(appendJsonl(target, [{ a: 2 }])).rejects.toThrow(/f\.jsonl: the file ends within a line/);
    expect(readFileSync(target, 'utf8')).toBe('{"a":1}\n{"a":');
    await appendJsonl(target, [{ a: 2 }], { cutLastLine: 'drop' });
    expect(readFileSync(target, 'utf8')).toBe('{"a":1}\n{"a":2}\n');
  });

  test('drops a long cut line, and the only one', async () => {
    const target = file(`{"a":1}\n{"b":"${'x'.repeat(600_000)}`);
    await appendJsonl(target, [], { cutLastLine: 'drop' });
    expect(readFileSync(target, 'utf8')).toBe('{"a":1}\n');
    await appendJsonl(file('{"a"'), [{ a: 2 }], { cutLastLine: 'drop' });
    expect(readFileSync(target, 'utf8')).toBe('{"a":2}\n');
  });

  test('refuses a folder', async () => {
    await expect(appendJsonl(path(), [])).rejects.toThrow(InputError);
    await expect(appendJsonl(path('no', 'folder'), [])).rejects.toThrow(/no such file or folder/);
  });
});
