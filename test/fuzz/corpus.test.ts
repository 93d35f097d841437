/** Inputs that once showed a fault of a reader show none, and the fuzzer sees the faults that it looks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attempt } from '../../fuzz/attempt.ts';
import { casesIn } from '../../fuzz/corpus.ts';
import { type Format, jsonPart, promised } from '../../fuzz/format.ts';
import { formatNamed, formats } from '../../fuzz/formats.ts';
import { filesOf, inputOf } from '../../fuzz/mutate.ts';
import { InputError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cases = casesIn(join(import.meta.dirname, 'corpus'));

it.each(cases.map((one) => [one.format, one.name, one] as const))(
  '%s: %s',
  async (format, name, { files }) => {
    expect(await attempt(formatNamed(format), files, join(folder, name))).toBeUndefined();
  },
);

it.each(formats.map((format) => [format.name, format] as const))(
  '%s: valid and damaged',
  async (_, format) => {
    const seeds = await format.seeds();
    for (const [i] of seeds.entries()) {
      const files = filesOf(seeds, { seed: i, changes: [] });
      expect(await attempt(format, files, join(folder, format.name))).toBeUndefined();
    }
    for (let index = 0; index < 20; index++) {
      const files = filesOf(seeds, inputOf(1, index));
      expect(await attempt(format, files, join(folder, format.name)), JSON.stringify(inputOf(1, index))).toBe(
        undefined,
      );
    }
  },
);

describe('the fuzzer', () => {
  const made = (read: Format['read']): Format => ({ name: 'made up', seeds: () => [], read });
  const files = new Map([['a', Buffer.from('{}')]]);
  const outcome = (read: Format['read']) => attempt(made(read), files, join(folder, 'made-up'));

  it('takes an InputError for an answer, any other error and a broken promise for a fault', async () => {
    const fail = (error: unknown) => outcome(() => Promise.reject(error));
    expect(await fail(new InputError('x'))).toBeUndefined();
    expect((await fail(new TypeError('x is 3')))?.signature).toMatch(/^TypeError x is N/);
    expect(await fail(new RangeError('deep'))).toBeDefined();
    expect((await outcome(async () => promised(false, 'NaN')))?.signature).toBe('Broken gives NaN');
  });

  it('makes the same input of the same seed, and others of others', async () => {
    const seeds = [{ a: jsonPart({ list: [1, 'two', { three: 3 }], flag: true }) }];
    const texts = (seed: number) =>
      Array.from({ length: 200 }, (_, i) =>
        Buffer.from(filesOf(seeds, inputOf(seed, i)).get('a')!).toString('latin1'),
      );
    expect(texts(1)).toEqual(texts(1));
    const all = new Set([...texts(1), ...texts(2)]);
    expect(all.size).toBeGreaterThan(300);
    const has = (pattern: RegExp) => [...all].some((text) => pattern.test(text));
    for (const pattern of [/NaN/, /1e999/, /\[{3000}/, /__proto__/, /"flag":[^,]*,"flag":/, /^.{0,20}$/])
      expect(has(pattern), String(pattern)).toBe(true);
  });
});
