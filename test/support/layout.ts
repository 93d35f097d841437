/** The rules of the source tree's layout, applied to files given as text. Knows nothing of the disk. */
import { posix } from 'node:path';
import ts from 'typescript';

/** Path under src/ → text. */
export type Sources = ReadonlyMap<string, string>;

const base = ['errors', 'tensor', 'results'];
const compute = [...base, 'graph', 'runtime'];
const below = [...compute, 'timeLimit', 'models', 'saes', 'methods', 'files', 'judges', 'figure', 'study'];

/** What each part may import beside itself. A part is a folder of src/, or a file that stands there. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: base,
  tensor: base,
  results: base,
  timeLimit: ['errors'],
  waiting: [],
  graph: base,
  runtime: [...base, 'graph'],
  models: [...compute, 'timeLimit'],
  saes: compute,
  methods: [...compute, 'models', 'saes'],
  files: [...base, 'timeLimit', 'waiting'],
  judges: [...base, 'timeLimit', 'waiting'],
  figure: base,
  study: below,
  cli: below,
  index: below,
  web: [...base, 'figure'],
};

/**
 * Within some parts: which room (a folder of it) may import which other. Also a table in
 * docs/architecture.md.
 */
export const rooms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  study: {
    config: [],
    store: [],
    open: ['config', 'store'],
    engines: ['open', 'config', 'store'],
    completions: ['engines', 'open', 'config', 'store'],
    judging: ['completions', 'open', 'config', 'store'],
    attribution: ['open', 'config', 'store'],
    sae: ['attribution', 'open', 'store'],
    steering: ['attribution', 'judging', 'completions', 'engines', 'open', 'config', 'store'],
    fix: ['steering', 'attribution', 'judging', 'open', 'config', 'store'],
    interpretation: ['attribution', 'judging', 'open', 'config', 'store'],
    checking: ['steering', 'attribution', 'judging', 'open', 'config', 'store'],
    run: [
      'checking',
      'completions',
      'judging',
      'attribution',
      'steering',
      'fix',
      'interpretation',
      'open',
      'config',
      'store',
    ],
    report: ['run', 'fix', 'interpretation', 'open', 'config', 'store'],
    monitor: ['report', 'run', 'judging', 'attribution', 'open', 'store'],
    checkpoints: ['monitor', 'report', 'run', 'fix', 'steering', 'judging', 'attribution', 'open', 'store'],
    tracing: ['monitor', 'report', 'run', 'judging', 'completions', 'attribution', 'open', 'store'],
    playground: ['run', 'interpretation', 'attribution', 'engines', 'open', 'config', 'store'],
    view: ['playground', 'report', 'run', 'open', 'store'],
    demo: ['run', 'open', 'config', 'store'],
  },
  methods: {
    statistics: [],
    site: [],
    training: ['statistics'],
    steering: ['site', 'statistics'],
    attribution: ['steering', 'site', 'statistics'],
    completions: ['steering', 'site', 'statistics'],
    judging: ['statistics'],
    monitoring: ['judging', 'steering', 'statistics'],
    tracing: ['judging', 'site', 'statistics'],
    interpretation: ['attribution', 'site', 'statistics'],
    sae: ['training', 'site', 'statistics'],
    check: ['completions', 'steering'],
  },
};

const touchOutside = new Set(['files', 'judges', 'study', 'cli']);
const outside = /^(node:)?(fs|http|https|http2|net|tls|dgram|child_process)(\/|$)/;
const readsClock = (path: string) => path.startsWith('cli/') || path === 'study/store/runRecord.ts';
const greatestLines = 500;

/** `graph/node.ts` → graph, `tensor.ts` → tensor. */
function partOf(path: string): string {
  return path.split('/')[0]!.replace(/\.(tsx?|mjs)$/, '');
}

/** Specifiers of every import, type imports, re-exports and dynamic ones among them. */
function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

const resolved = (from: string, specifier: string) => posix.join(posix.dirname(from), specifier);

function importViolation(sources: Sources, path: string, specifier: string): string | undefined {
  const part = partOf(path);
  if (!specifier.startsWith('.')) {
    if (/^onnxruntime-/.test(specifier) && part !== 'runtime')
      return `imports ${specifier}: only runtime/ may`;
    if (outside.test(specifier) && !touchOutside.has(part))
      return `imports ${specifier}: only ${[...touchOutside].join(', ')} touch disk, network or processes`;
    return undefined;
  }
  const target = resolved(path, specifier);
  if (!sources.has(target)) return `imports ${specifier}: no such file in src/`;
  const to = partOf(target);
  if (to === 'web' && part === 'web') return viewViolation(path, target);
  if (to === part && path.includes('/')) return roomViolation(part, path, target);
  return mayImport[part]?.includes(to) ? undefined : `imports ${target}: ${part} may not import ${to}`;
}

/** `study/open/records.ts` → open; undefined for a file that stands in no room. */
const roomOf = (path: string): string | undefined => path.split('/').slice(1, -1)[0];

function roomViolation(part: string, path: string, target: string): string | undefined {
  const table = rooms[part];
  const [from, to] = [roomOf(path), roomOf(target)];
  if (table === undefined || from === to) return undefined;
  if (from !== undefined && to !== undefined && table[from]?.includes(to)) return undefined;
  return `imports ${target}: room ${from} may not import ${to}`;
}

/** `web/views/pairs/list.tsx` → pairs; undefined for a file of web that stands in no view's folder. */
const viewOf = (path: string): string | undefined => /^web\/views\/([^/]+)\//.exec(path)?.[1];

/** Within web: a view imports nothing of another view, and what several views are made of imports none. */
function viewViolation(path: string, target: string): string | undefined {
  const [from, to] = [viewOf(path), viewOf(target)];
  if (to === undefined || from === to) return undefined;
  if (from !== undefined) return `imports ${target}: view ${from} may not import view ${to}`;
  return path.startsWith('web/parts/') ? `imports ${target}: web/parts may import no view` : undefined;
}

/** A file of a part with rooms that stands in none, or in one that the table does not have. */
function homeless(path: string): string | undefined {
  if (path.startsWith('web/views/') && viewOf(path) === undefined) return 'stands in no folder of a view';
  const table = rooms[partOf(path)];
  if (table === undefined || !path.includes('/')) return undefined;
  const room = roomOf(path);
  return room !== undefined && room in table
    ? undefined
    : `${room ?? 'no room'} is no room of ${partOf(path)}`;
}

/** Uses of the clock or of chance, which are to be passed in. */
function ambient(path: string, text: string): string[] {
  const found: string[] = [];
  if (!/Math|Date|performance/.test(text)) return found;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const use = node.getText().replace(/^globalThis\./, '');
      if (['Math.random', 'Date.now', 'performance.now'].includes(use)) found.push(use);
    }
    const now = ts.isCallExpression(node) || (ts.isNewExpression(node) && !node.arguments?.length);
    if (now && node.expression.getText() === 'Date') found.push('Date()');
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return found;
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** The first cycle of imports found from each file that closes one, as `a → b → a`. */
function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const specifier of importsOf(sources.get(path)!)) {
      const target = resolved(path, specifier);
      if (specifier.startsWith('.') && sources.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** Names that a file exports by a declaration of its own. */
function exportsOf(path: string, text: string): string[] {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  return statements.flatMap((one) => {
    const isExported = ts.canHaveModifiers(one)
      ? ts.getModifiers(one)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : false;
    if (!isExported) return [];
    if (ts.isVariableStatement(one))
      return one.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? name.text : []));
    const { name } = one as ts.Statement & { readonly name?: ts.Identifier };
    return name === undefined ? [] : [name.text];
  });
}

/** Names that two files export, each with the files. A name of a type and of its value in one file is one. */
export function sharedNames(sources: Sources): string[] {
  const files = new Map<string, Set<string>>();
  for (const [path, text] of sources)
    for (const name of exportsOf(path, text)) files.set(name, (files.get(name) ?? new Set()).add(path));
  return [...files]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].join(', ')}`);
}

/** What breaks the layout, a line each; none for a tree in order. */
export function violations(sources: Sources): string[] {
  const found = cycles(sources).map((cycle) => `import cycle: ${cycle}`);
  for (const [path, text] of sources) {
    const say = (what: string) => found.push(`${path}: ${what}`);
    if (!(partOf(path) in mayImport)) say(`${partOf(path)} has no place in the layout`);
    const lost = homeless(path);
    if (lost) say(lost);
    if (path.split('/').includes('utils')) say('stands in a folder named utils');
    if (lineCount(text) > greatestLines) say(`has ${lineCount(text)} lines, more than ${greatestLines}`);
    for (const specifier of importsOf(text)) {
      const wrong = importViolation(sources, path, specifier);
      if (wrong) say(wrong);
    }
    if (!readsClock(path)) for (const use of ambient(path, text)) say(`uses ${use}: pass it in`);
  }
  return found;
}
