/** The source tree keeps to its layout, and each rule of it can be broken. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rooms, sharedNames, violations } from './support/layout.ts';

const src = resolve(import.meta.dirname, '../src');

function sources(): Map<string, string> {
  const paths = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.(tsx?|mjs)$/.test(path),
  );
  return new Map(paths.map((path) => [path.split(sep).join('/'), readFileSync(join(src, path), 'utf8')]));
}

it('src/ keeps to the layout', () => {
  const files = sources();
  expect(files.size).toBeGreaterThan(30);
  expect(violations(files)).toEqual([]);
});

it('a name is exported once', () => {
  expect(sharedNames(sources())).toEqual([]);
  const two = [
    ['a.ts', 'export interface Stage {}'],
    ['b.ts', 'export const Stage = 1, x = 2;'],
    ['c.ts', "export { x } from './b.ts'; export function f() {}"],
  ] as const;
  expect(sharedNames(new Map(two))).toEqual(['Stage: a.ts, b.ts']);
});

/** Files that other made-up files may import. */
const there = ['errors.ts', 'tensor.ts', 'results.ts', 'index.ts', ...parts('x.ts')];

function parts(file: string): string[] {
  const folders = ['graph', 'runtime', 'models', 'saes', 'files', 'judges', 'figure', 'cli', 'web'];
  const inRooms = Object.entries(rooms).flatMap(([part, table]) =>
    Object.keys(table).map((room) => `${part}/${room}/${file}`),
  );
  return [...folders.map((folder) => `${folder}/${file}`), ...inRooms];
}

/** What is said of one file with this text, in a tree of empty files. */
function said(path: string, text: string): string[] {
  return violations(new Map([...there.map((name) => [name, ''] as const), [path, text]]));
}

describe('imports go one way', () => {
  it.each([
    ['tensor.ts', './graph/x.ts', 'tensor may not import graph'],
    ['graph/a.ts', '../runtime/x.ts', 'graph may not import runtime'],
    ['graph/a.ts', '../files/x.ts', 'graph may not import files'],
    ['runtime/a.mjs', '../models/x.ts', 'runtime may not import models'],
    ['models/a.ts', '../methods/site/x.ts', 'models may not import methods'],
    ['models/a.ts', '../saes/x.ts', 'models may not import saes'],
    ['saes/formats/a.ts', '../../models/x.ts', 'saes may not import models'],
    ['saes/a.ts', '../files/x.ts', 'saes may not import files'],
    ['methods/site/a.ts', '../../study/run/x.ts', 'methods may not import study'],
    ['files/a.ts', '../graph/x.ts', 'files may not import graph'],
    ['judges/a.ts', '../files/x.ts', 'judges may not import files'],
    ['study/run/a.ts', '../../cli/x.ts', 'study may not import cli'],
    ['index.ts', './cli/x.ts', 'index may not import cli'],
    ['cli/a.ts', '../web/x.ts', 'cli may not import web'],
    ['cli/a.ts', '../index.ts', 'cli may not import index'],
    ['web/a.tsx', '../graph/x.ts', 'web may not import graph'],
    ['web/a.tsx', '../study/run/x.ts', 'web may not import study'],
    ['figure/a.ts', '../methods/site/x.ts', 'figure may not import methods'],
  ])('%s may not import %s', (path, specifier, reason) => {
    const target = specifier.replace(/^(\.\.?\/)+/, '');
    const expected = [`${path}: imports ${target}: ${reason}`];
    expect(said(path, `import { x } from '${specifier}';`)).toEqual(expected);
    expect(said(path, `import type { x } from '${specifier}';`)).toEqual(expected);
    expect(said(path, `export * from '${specifier}';`)).toEqual(expected);
    expect(said(path, `const x = await import('${specifier}');`)).toEqual(expected);
  });

  it.each([
    ['results.ts', './tensor.ts'],
    ['graph/a.ts', './x.ts'],
    ['models/a.ts', '../runtime/x.ts'],
    ['saes/formats/a.ts', '../x.ts'],
    ['methods/site/a.ts', '../../saes/x.ts'],
    ['files/a.ts', '../results.ts'],
    ['study/run/a.ts', '../../judges/x.ts'],
    ['cli/a.ts', '../study/run/x.ts'],
    ['index.ts', './methods/site/x.ts'],
    ['web/a.tsx', '../results.ts'],
    ['web/a.tsx', './x.ts'],
    ['web/a.tsx', '../figure/x.ts'],
    ['study/run/a.ts', './x.ts'],
    ['study/run/a.ts', '../open/x.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(said(path, `import { x } from '${specifier}';`)).toEqual([]);
  });

  it('only files that are there, of parts that are known', () => {
    expect(said('graph/a.ts', "import '../../package.json';")[0]).toMatch('no such file in src/');
    expect(said('graph/a.ts', "import './y.ts';")[0]).toMatch('no such file in src/');
    expect(said('magic/a.ts', '')).toEqual(['magic/a.ts: magic has no place in the layout']);
  });
});

describe('rooms', () => {
  it.each([
    ['study/open/a.ts', '../run/x.ts', 'room open may not import run'],
    ['study/completions/a.ts', '../judging/x.ts', 'room completions may not import judging'],
    ['methods/site/a.ts', '../steering/x.ts', 'room site may not import steering'],
    ['study/run/a.ts', '../report/x.ts', 'room run may not import report'],
  ])('%s may not import %s', (path, specifier, reason) => {
    const target = `${path.split('/')[0]}/${specifier.slice(3)}`;
    expect(said(path, `import { x } from '${specifier}';`)).toEqual([
      `${path}: imports ${target}: ${reason}`,
    ]);
  });

  it('no file stands outside them, and none in a room that is not in the table', () => {
    expect(said('study/a.ts', '')).toEqual(['study/a.ts: no room is no room of study']);
    expect(said('methods/magic/a.ts', '')).toEqual(['methods/magic/a.ts: magic is no room of methods']);
  });
});

describe('views of the app', () => {
  const found = (path: string, specifier: string) =>
    violations(
      new Map([
        ...['web/x.ts', 'web/parts/x.ts', 'web/views/a/x.ts', 'web/views/b/x.ts'].map(
          (name) => [name, ''] as const,
        ),
        [path, `import { x } from '${specifier}';`],
      ]),
    );

  it.each([
    ['web/views/a/a.tsx', '../b/x.ts', 'imports web/views/b/x.ts: view a may not import view b'],
    ['web/parts/a.tsx', '../views/a/x.ts', 'imports web/views/a/x.ts: web/parts may import no view'],
    ['web/views/a.tsx', '../x.ts', 'stands in no folder of a view'],
  ])('%s: not %s', (path, specifier, reason) => {
    expect(found(path, specifier)).toEqual([`${path}: ${reason}`]);
  });

  it.each([
    ['web/views/a/a.tsx', './x.ts'],
    ['web/views/a/a.tsx', '../../parts/x.ts'],
    ['web/views/a/a.tsx', '../../x.ts'],
    ['web/views.ts', './views/a/x.ts'],
    ['web/parts/a.tsx', '../x.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(found(path, specifier)).toEqual([]);
  });
});

describe('no cycles', () => {
  it('of two files, of more, or of one; through types too', () => {
    const found = (files: Record<string, string>) => violations(new Map(Object.entries(files)));
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `import type { x } from './${name}.ts';`);
    expect(found({ 'graph/a.ts': b!, 'graph/b.ts': a! })).toEqual([
      'import cycle: graph/a.ts → graph/b.ts → graph/a.ts',
    ]);
    expect(found({ 'graph/a.ts': b!, 'graph/b.ts': c!, 'graph/c.ts': b! })).toEqual([
      'import cycle: graph/b.ts → graph/c.ts → graph/b.ts',
    ]);
    expect(found({ 'graph/a.ts': a! })).toEqual(['import cycle: graph/a.ts → graph/a.ts']);
    expect(found({ 'graph/a.ts': b! + c!, 'graph/b.ts': c!, 'graph/c.ts': '' })).toEqual([]);
  });
});

describe('what only some parts may use', () => {
  it('onnxruntime-* in runtime/', () => {
    for (const name of ['onnxruntime-node', 'onnxruntime-web', 'onnxruntime-common']) {
      expect(said('models/a.ts', `import ort from '${name}';`)).toEqual([
        `models/a.ts: imports ${name}: only runtime/ may`,
      ]);
      expect(said('runtime/a.mjs', `import ort from '${name}';`)).toEqual([]);
    }
  });

  it('disk, network and processes in files/, judges/, study/ and cli/', () => {
    const names = [
      'node:fs',
      'node:fs/promises',
      'fs',
      'node:http',
      'node:https',
      'node:net',
      'node:child_process',
    ];
    for (const name of names) {
      const text = `import { x } from '${name}';`;
      for (const path of [
        'graph/a.ts',
        'runtime/a.ts',
        'methods/site/a.ts',
        'results.ts',
        'web/a.ts',
        'index.ts',
      ])
        expect(said(path, text)[0]).toMatch(`imports ${name}: only files, judges, study, cli touch disk`);
      for (const path of ['files/a.ts', 'judges/a.ts', 'study/run/a.ts', 'cli/a.ts'])
        expect(said(path, text)).toEqual([]);
    }
    expect(said('runtime/a.ts', "import { join } from 'node:path';")).toEqual([]);
  });

  it('the clock and chance in cli/ and study/store/runRecord.ts', () => {
    for (const use of [
      'Math.random()',
      'Date.now()',
      'new Date()',
      'performance.now()',
      'globalThis.Math.random()',
      'Date()',
      'new Date',
    ]) {
      expect(said('study/run/a.ts', `const x = () => ${use};`)[0]).toMatch(
        /^study\/run\/a\.ts: uses \S+: pass it in$/,
      );
      expect(said('methods/site/a.ts', `const x = ${use};`).length).toBe(1);
      for (const path of ['cli/a.ts', 'study/store/runRecord.ts'])
        expect(said(path, `const x = ${use};`)).toEqual([]);
    }
    const harmless = "/** not Math.random() */ const x = 'Date.now()'; type T = Date; const y = new Date(0);";
    expect(said('methods/site/a.ts', harmless)).toEqual([]);
  });
});

describe('size and names', () => {
  it('at most 500 lines a file', () => {
    expect(said('graph/a.ts', '\n'.repeat(500))).toEqual([]);
    expect(said('graph/a.ts', '\n'.repeat(501))).toEqual(['graph/a.ts: has 501 lines, more than 500']);
  });

  it('no folder named utils', () => {
    expect(said('graph/utils/a.ts', '')).toEqual(['graph/utils/a.ts: stands in a folder named utils']);
    expect(said('utils/a.ts', '').length).toBe(2);
    expect(said('graph/utils.ts', '')).toEqual([]);
  });
});
