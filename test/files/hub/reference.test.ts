import { describe, expect, test } from 'vitest';
import { hubReference, isHubForm, pagePath } from '../../../src/files/hub/reference.ts';

describe('a reference to the hub', () => {
  test.each([
    ['hf:org/some.name', 'model', 'org/some.name', 'main', ''],
    ['hf:org/name/', 'model', 'org/name', 'main', ''],
    ['hf:org/name@v1.0', 'model', 'org/name', 'v1.0', ''],
    ['hf:org/name/a/b c', 'model', 'org/name', 'main', 'a/b c'],
    ['hf:org/name@v1/a/b.gguf', 'model', 'org/name', 'v1', 'a/b.gguf'],
    ['hf:org/name@refs/pr/1/a', 'model', 'org/name', 'refs/pr/1', 'a'],
    ['hf:org/name@refs%2Fpr%2F1', 'model', 'org/name', 'refs/pr/1', ''],
    ['hf:datasets/org/name/p.jsonl', 'dataset', 'org/name', 'main', 'p.jsonl'],
    ['hf:datasets/name', 'model', 'datasets/name', 'main', ''],
  ])('%s', (given, type, name, revision, path) => {
    expect(hubReference(given)).toEqual({ given, type, name, revision, path });
  });

  test.each([
    'hf:name',
    'hf:../x',
    'hf:org/name/../other',
    'hf:org/name/a//b',
    'hf:org/name@',
    'hf:org/name@../../x',
    'hf:org/name@..%2Fx',
    'hf:org/na me',
    'hf:org/name/a\\..\\b',
    'hf:',
  ])('%s is none', (given) => {
    expect(() => hubReference(given)).toThrow('expected hf:[datasets/]ORG/NAME[@REVISION][/PATH]');
    expect(isHubForm(given)).toBe(false);
  });

  test('a path is none', () => {
    expect(hubReference('./hf:org/name')).toBeUndefined();
  });

  test('its page', () => {
    expect(pagePath(hubReference('hf:org/name@v1/x')!)).toBe('org/name');
    expect(pagePath(hubReference('hf:datasets/org/name/x')!)).toBe('datasets/org/name');
  });
});
