/**
 * docs/architecture.md says of the rooms what the layout's test holds, and its picture is that of the
 * imports as they are.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { roomsSvg } from '../scripts/rooms.mjs';
import { rooms } from './support/layout.ts';

const docs = resolve(import.meta.dirname, '../docs');
const page = readFileSync(resolve(docs, 'architecture.md'), 'utf8');

/** Rows `room | holds | may import` of the table under a heading. */
function tableUnder(heading: string): [string, string[]][] {
  const section = page.split(/^## /m).find((one) => one.startsWith(heading))!;
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| room'));
  return rows.map((row) => {
    const [, room, , imports] = row.split('|').map((cell) => cell.trim());
    return [room!, imports === '' ? [] : imports!.split(', ')];
  });
}

it.each(['study', 'methods'])('the table of the rooms of %s', (part) => {
  expect(tableUnder(`Rooms of \`src/${part}\``)).toEqual(Object.entries(rooms[part]!));
});

it('the picture: `node scripts/rooms.mjs` draws it again', () => {
  expect(readFileSync(resolve(docs, 'rooms.svg'), 'utf8')).toBe(roomsSvg());
});
