/**
 * Files that may be absent: absence is undefined or false, and every other reason is an InputError with the
 * path.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import {
  ifThere,
  isFileThere,
  isFolderThere,
  isThere,
  readBytesIfThere,
  readJsonIfThere,
  readTextIfThere,
  statIfThere,
} from '../../src/files/ifThere.ts';
import { temporaryFolder } from '../support/folder.ts';
import { put } from '../support/tinyFolder.ts';

const at = temporaryFolder();

const readers = { readBytesIfThere, readTextIfThere, readJsonIfThere };
const questions = { isThere, isFileThere, isFolderThere };
const all = { ...readers, statIfThere, ...questions };
const named = <F>(of: Record<string, F>) => Object.entries(of).map(([name, ask]) => ({ name, ask }));

/** Made in a fresh folder: what it leads to is nowhere. */
const absences: Record<string, () => string> = {
  'nothing of that name': () => at('none'),
  'no folder to hold it': () => at('none', 'deep', 'file'),
  'a file in the place of its folder': () => {
    put(at('file'), '1');
    return at('file', 'inside');
  },
  'a link that leads nowhere': () => {
    symlinkSync(at('nowhere'), at('link'));
    return at('link');
  },
};

const loop = () => {
  symlinkSync(at('one'), at('two'));
  symlinkSync(at('two'), at('one'));
  return at('one');
};
const tooLong = () => at('x'.repeat(300));
const noPermission = () => {
  mkdirSync(at('closed'));
  put(at('closed', 'file'), '1');
  chmodSync(at('closed'), 0);
  return at('closed', 'file');
};

/** What is no absence, and the words that it is reported in. */
const failures: Record<string, [() => string, string]> = {
  'a loop of links': [loop, 'too many symbolic links'],
  'a name that is too long': [tooLong, 'the name is too long'],
};

describe.each(Object.entries(absences))('%s', (_, place) => {
  it.each(named(readers))('$name: undefined', async ({ ask }) => {
    expect(await ask(place())).toBeUndefined();
  });

  it('statIfThere: undefined', async () => {
    expect(await statIfThere(place())).toBeUndefined();
  });

  it.each(named(questions))('$name: false', async ({ ask }) => {
    expect(await ask(place())).toBe(false);
  });
});

describe.each(Object.entries(failures))('%s', (_, [place, words]) => {
  it.each(named<(path: string) => Promise<unknown>>(all))('$name reports it', async ({ ask }) => {
    const path = place();
    await expect(ask(path)).rejects.toThrow(new InputError(`${path}: ${words}`));
  });
});

// the superuser is refused nothing
describe.skipIf(process.getuid?.() === 0)('no permission', () => {
  it.each(named<(path: string) => Promise<unknown>>(all))('$name reports it', async ({ ask }) => {
    const path = noPermission();
    await expect(ask(path)).rejects.toThrow(new InputError(`${path}: permission denied`));
    chmodSync(at('closed'), 0o700);
    rmSync(at('closed'), { recursive: true });
  });
});

describe('a folder in the place of a file', () => {
  const folder = () => {
    mkdirSync(at('folder'));
    return at('folder');
  };

  it.each(named<(path: string) => Promise<unknown>>(readers))('$name reports it', async ({ ask }) => {
    const path = folder();
    const reading = ask(path);
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(`${path}: expected a file, found a folder`);
  });

  it('is there, as a folder', async () => {
    const path = folder();
    expect([await isThere(path), await isFileThere(path), await isFolderThere(path)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

it('a file is there, and read', async () => {
  put(at('file'), '{"a": 1}');
  expect([await isThere(at('file')), await isFileThere(at('file')), await isFolderThere(at('file'))]).toEqual(
    [true, true, false],
  );
  expect((await readBytesIfThere(at('file')))?.toString()).toBe('{"a": 1}');
  expect(await readTextIfThere(at('file'))).toBe('{"a": 1}');
  expect(await readJsonIfThere(at('file'))).toEqual({ a: 1 });
});

it('contents that are wrong are reported, not absent', async () => {
  put(at('file'), '{');
  await expect(readJsonIfThere(at('file'))).rejects.toThrow(`${at('file')}: expected JSON`);
});

it('a path with a NUL character is reported', async () => {
  await expect(isThere('a\0b')).rejects.toThrow(
    new InputError('"a\\u0000b": a path cannot hold a NUL character'),
  );
});

it('an error that the user cannot mend stays as it is', async () => {
  const bug = new TypeError('a bug');
  await expect(ifThere(at('file'), () => Promise.reject(bug))).rejects.toBe(bug);
});

// a file of Linux alone, whose first page no process has
it.skipIf(process.platform !== 'linux')('a disk error is reported', async () => {
  const path = '/proc/self/mem';
  await expect(ifThere(path, (own) => readFile(own))).rejects.toThrow(
    new InputError(`${path}: the disk reports an error`),
  );
});

it('a file that is replaced while it is read is the old one or the new one', async () => {
  const contents = ['1', JSON.stringify('long'.repeat(100))];
  put(at('file'), contents[0]!);
  for (let i = 0; i < 100; i++) {
    const next = contents[(i + 1) % 2]!;
    put(at('next'), next);
    const [read] = await Promise.all([readTextIfThere(at('file')), rename(at('next'), at('file'))]);
    expect(contents).toContain(read);
  }
});
