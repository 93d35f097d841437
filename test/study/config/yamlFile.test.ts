import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { InputError } from '../../../src/errors.ts';
import { parseYaml } from '../../../src/study/config/yamlFile.ts';
import { refusal } from '../../support/refusal.ts';

type Tree = string | Tree[] | { [key: string]: Tree };

/** Each text of a tree with its path. */
function leaves(tree: Tree, path: readonly (string | number)[] = []): [string, (string | number)[]][] {
  if (typeof tree === 'string') return [[tree, [...path]]];
  if (Array.isArray(tree)) return tree.flatMap((inner, i) => leaves(inner, [...path, i]));
  return Object.entries(tree).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** Trees whose texts and keys all differ, so that they can be searched for. */
const trees = fc
  .letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
    leaf: fc.constant(''),
    tree: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      fc
        .array(tie('tree'), { minLength: 1, maxLength: 4 })
        .map((items) => Object.fromEntries(items.entries())),
    ),
  }))
  .tree.map((tree) => {
    let n = 0;
    const named = (inner: Tree): Tree => {
      if (typeof inner === 'string') return `v${n++}v`;
      if (Array.isArray(inner)) return inner.map(named);
      return Object.fromEntries(Object.values(inner).map((value) => [`k${n++}k`, named(value)]));
    };
    return { top: named(tree) };
  });

const placeOf = (text: string, part: string) => {
  const lines = text.slice(0, text.indexOf(part)).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
};

describe('places', () => {
  test('of every text and key are where a search finds them', () => {
    fc.assert(
      fc.property(trees, fc.boolean(), (tree, flow) => {
        const text = `# comment\n${stringify(tree, flow ? { collectionStyle: 'flow' } : {})}`;
        const { value, place, keyPlace } = parseYaml(text, 'f');
        expect(value).toEqual(tree);
        for (const [leaf, path] of leaves(tree)) {
          expect(place(path)).toEqual(placeOf(text, leaf));
          const last = path.at(-1);
          if (typeof last === 'string')
            expect(keyPlace(path.slice(0, -1), last)).toEqual(placeOf(text, last));
        }
      }),
    );
  });

  test('of what is not there, or holds more, is that of its key', () => {
    const { place } = parseYaml('a: 1\nb:\n  c:\n  d: x\n', 'f');
    expect(place(['b', 'missing', 'deeper'])).toEqual({ line: 2, column: 1 });
    expect(place(['b'])).toEqual({ line: 2, column: 1 });
    expect(place(['b', 'c'])).toEqual({ line: 3, column: 3 });
    expect(place(['b', 'd'])).toEqual({ line: 4, column: 6 });
    expect(place(['nothing'])).toEqual({ line: 1, column: 1 });
  });

  test('behind an alias are those of its anchor', () => {
    const { value, place } = parseYaml('a: &x\n  b: one\nc: *x\n', 'f');
    expect(value).toEqual({ a: { b: 'one' }, c: { b: 'one' } });
    expect(place(['c'])).toEqual({ line: 3, column: 1 });
    expect(place(['c', 'b'])).toEqual({ line: 2, column: 6 });
  });

  test('do not count a byte order mark', () => {
    expect(parseYaml('\uFEFFa: b', 'f').place(['a'])).toEqual({ line: 1, column: 4 });
  });
});

describe('is refused', () => {
  test.each<[string, string, string | RegExp]>([
    ['a key twice', 'a:\n  b: 1\n  c: 2\n  b: 3', 'f:4:3: expected each field once, found "b" twice'],
    ['broken nesting', 'a: [1, 2\nb: 3', /^f:2:1: not YAML: /],
    ['a tab for indentation', 'a:\n\tb: 1', /^f:2:1: not YAML: Tabs/],
    ['a bad escape', 'a: "\\q"', /^f:1:\d: not YAML: /],
    ['an open quote', 'a: "x\n', /^f:2:1: not YAML: /],
    ['a second document', 'a: 1\n---\nb: 2\n', 'f:2:1: expected one document, found a second'],
    ['an unknown tag', 'a: !js x', 'f:1:4: not YAML: Unresolved tag: !js'],
    ['an anchor that is not there', 'a: 1\nb: *x\n', 'f:2:4: expected an anchor &x before it, found none'],
    ['deep flow nesting', '['.repeat(20_000), 'f:1:65: expected nesting of at most 64 levels'],
    ['deep block nesting', '- '.repeat(20_000), /^f:1:\d+: expected nesting of at most 64 levels$/],
    ['deep maps', '{a: '.repeat(20_000), /^f:1:\d+: expected nesting of at most 64 levels$/],
    ['a long text', `a: ${'x'.repeat(2 ** 20)}`, 'f: expected at most 1048576 characters, found 1048579'],
  ])('%s', (_, text, line) => {
    const found = refusal(() => parseYaml(text, 'f'));
    if (typeof line === 'string') expect(found).toBe(line);
    else expect(found).toMatch(line);
  });

  test('a billion laughs, soon', () => {
    const letters = 'abcdefghij';
    const text = [...letters]
      .map(
        (c, i) =>
          `${c}: &${c} [${Array(9)
            .fill(i === 0 ? 'lol' : `*${letters[i - 1]}`)
            .join(', ')}]`,
      )
      .join('\n');
    const start = performance.now();
    expect(refusal(() => parseYaml(text, 'f'))).toMatch(/^f: expected fewer uses of anchors: /);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('any text, or it is read', () => {
    const pieces = fc.constantFrom(
      ...[
        'a',
        'b:',
        ': ',
        '- ',
        '\n',
        '  ',
        '[',
        ']',
        '{',
        '}',
        ', ',
        '"',
        "'",
        '&x ',
        '*x',
        '|',
        '>',
        '#',
        '?',
        '!t',
        '---',
        '%',
        '<<: ',
        '\t',
        '@',
        '\u0000',
        '1',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          parseYaml(parts.join(''), 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).not.toMatch(/[\n\r]/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
