/** JSON is read to a depth that its readers can follow. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../src/files/jsonFile.ts';
import { readJsonlAll } from '../../src/files/jsonl.ts';
import { parseJson } from '../../src/results.ts';
import { readStudyManifest } from '../../src/study/store/manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;

it('up to 200 deep it is read, beyond it is none', () => {
  expect(JSON.stringify(parseJson(nested(200)))).toBe(nested(200));
  for (const depth of [202, 3000, 100_000]) expect(() => parseJson(nested(depth))).toThrow(SyntaxError);
  expect(() => parseJson('{')).toThrow(SyntaxError);
});

it.each([3000, 100_000])('files that nest %d deep are refused in one line', async (depth) => {
  const path = join(folder, 'manifest.json');
  writeFileSync(path, nested(depth));
  const message = /^[^\n]*manifest\.json:[^\n]*JSON: [^\n]*nests more than 200 deep[^\n]*$/;
  await expect(readJson(path)).rejects.toThrow(message);
  await expect(readStudyManifest(folder)).rejects.toThrow(message);
  await expect(readJsonlAll(path, z.unknown())).rejects.toThrow(message);
});
