/**
 * Draws docs/rooms.svg from the imports in src/: the floors of the whole, and the rooms of study and
 * methods. An arrow goes from what imports to what is imported; one that follows from others is left
 * out. Usage: node scripts/rooms.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {Map<string, Set<string>>} Graph */

/** Files of src/ with what they import, both as paths in src/. */
function importsOf() {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  const names = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((one) => /\.tsx?$/.test(one))) {
    const { importedFiles } = ts.preProcessFile(readFileSync(`${root}src/${name}`, 'utf8'), true, true);
    const own = importedFiles.map(({ fileName }) => fileName).filter((one) => one.startsWith('.'));
    found.set(
      name,
      own.map((one) => posix.join(posix.dirname(name), one)),
    );
  }
  return found;
}

/**
 * The graph of what `placeOf` names; files that it names nothing for are left out.
 * @param {Map<string, string[]>} imports
 * @param {(path: string) => string | undefined} placeOf
 * @returns {Graph}
 */
function graphOf(imports, placeOf) {
  const graph = new Map();
  for (const [path, targets] of imports) {
    const from = placeOf(path);
    if (from === undefined) continue;
    if (!graph.has(from)) graph.set(from, new Set());
    for (const target of targets) {
      const to = placeOf(target);
      if (to !== undefined && to !== from) graph.get(from).add(to);
    }
  }
  return graph;
}

/**
 * @param {Graph} graph
 * @returns {Map<string, number>} 0 for what imports nothing, else one more than the highest that it imports
 */
function levelsOf(graph) {
  const levels = new Map();
  /** @type {(name: string) => number} */
  const level = (name) => {
    const known = levels.get(name);
    if (known !== undefined) return known;
    const below = [...(graph.get(name) ?? [])].map(level);
    levels.set(name, below.length === 0 ? 0 : 1 + Math.max(...below));
    return levels.get(name);
  };
  for (const name of graph.keys()) level(name);
  return levels;
}

/**
 * Without arrows that follow from others.
 * @param {Graph} graph
 * @returns {[string, string][]}
 */
function arrowsOf(graph) {
  /** @type {(from: string, to: string) => boolean} */
  const reaches = (from, to) => from === to || [...(graph.get(from) ?? [])].some((one) => reaches(one, to));
  return [...graph].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to) => /** @type {[string, string]} */ ([from, to])),
  );
}

const box = { width: 112, height: 30, across: 22, down: 44 };

/**
 * One graph as a group of SVG elements, the lowest floor at the bottom.
 * @param {string} title
 * @param {Graph} graph
 * @param {number} left
 */
function drawn(title, graph, left) {
  const levels = levelsOf(graph);
  const top = Math.max(...levels.values());
  /** @type {string[][]} */
  const rows = Array.from({ length: top + 1 }, (_, level) =>
    [...levels].flatMap(([name, at]) => (at === level ? [name] : [])).sort(),
  );
  const most = Math.max(...rows.map(({ length }) => length));
  const step = box.width + box.across;
  const width = most * step - box.across;
  const places = new Map(
    rows.flatMap((row, level) =>
      row.map((name, i) => {
        const x = left + (width - (row.length * step - box.across)) / 2 + i * step;
        const y = 50 + (top - level) * (box.height + box.down);
        return /** @type {[string, { x: number, y: number }]} */ ([name, { x, y }]);
      }),
    ),
  );
  const at = (/** @type {string} */ name) => /** @type {{ x: number, y: number }} */ (places.get(name));
  const middle = box.width / 2;
  const lines = arrowsOf(graph).map(([from, to]) => {
    const [a, b] = [at(from), at(to)];
    const [x1, y1, x2, y2] = [a.x + middle, a.y + box.height, b.x + middle, b.y];
    const bend = (y2 - y1) / 2;
    return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 5}"/>`;
  });
  const boxes = [...places].map(
    ([name, { x, y }]) =>
      `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="5"/>` +
      `<text x="${x + middle}" y="${y + 20}">${name}</text>`,
  );
  const svg = [
    `<text class="title" x="${left + width / 2}" y="26">${title}</text>`,
    `<g class="arrows">${lines.join('\n')}</g>`,
    boxes.join('\n'),
  ].join('\n');
  return { svg, width, height: 50 + (top + 1) * (box.height + box.down) - box.down + 20 };
}

const style = `text{font:13px sans-serif;text-anchor:middle;fill:#222}.title{font-weight:bold;font-size:15px}
rect{fill:#f3f6fa;stroke:#8aa0b8}.arrows path{fill:none;stroke:#9aa7b5;marker-end:url(#tip)}`;

/** The picture, as the imports are now. */
export function roomsSvg() {
  const imports = importsOf();
  const isSource = (/** @type {string} */ path) => path.includes('/');
  const floors = graphOf(imports, (path) =>
    isSource(path) ? path.split('/')[0] : path === 'results.ts' ? 'results' : path.replace('.ts', ''),
  );
  for (const [name, targets] of floors) {
    targets.delete('errors');
    if (name === 'errors' || name === 'index') floors.delete(name);
  }
  const roomsOf = (/** @type {string} */ part) =>
    graphOf(imports, (path) => (path.startsWith(`${part}/`) ? path.split('/')[1] : undefined));
  const gap = 60;
  let left = 20;
  const graphs = /** @type {[string, Graph][]} */ ([
    ['src: the floors', floors],
    ['src/study: its rooms', roomsOf('study')],
    ['src/methods: its rooms', roomsOf('methods')],
  ]);
  const groups = graphs.map(([title, graph]) => {
    const group = drawn(title, graph, left);
    left += group.width + gap;
    return group;
  });
  const width = left - gap + 20;
  const height = Math.max(...groups.map((one) => one.height));
  const tip =
    '<marker id="tip" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#9aa7b5"/></marker>';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>The floors of src and the rooms of study and methods, with what imports what</title>`,
    `<style>${style}</style><defs>${tip}</defs><rect width="100%" height="100%" style="fill:white;stroke:none"/>`,
    ...groups.map(({ svg }) => svg),
    '</svg>\n',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${root}docs/rooms.svg`, roomsSvg());
