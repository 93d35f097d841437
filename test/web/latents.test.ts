/** The table of latents: rows, what is listed, in which order, and as files. */
import { describe, expect, it } from 'vitest';
import { csvOf } from '../../src/web/csv.ts';
import { meaningOf } from '../../src/web/parts/meaning.ts';
import type { Query } from '../../src/web/routes.ts';
import { columnsOf } from '../../src/web/views/latents/columns.tsx';
import { deltaScale } from '../../src/web/views/latents/deltaBar.tsx';
import { firstDesc, sortedRows } from '../../src/web/views/latents/latentOrder.ts';
import {
  hiddenOf,
  hiddenText,
  listedRows,
  parseLatentQuery,
  sortText,
} from '../../src/web/views/latents/latentQuery.ts';
import { tableRows } from '../../src/web/views/latents/latentRows.ts';
import { savedLatents } from '../../src/web/views/latents/savedLatents.ts';
import { latentPage } from '../support/latentPage.ts';
import { confirmed, latentRow, other, removed, steered, summary } from './support/studyParts.ts';

const steering = {
  rows: [
    ...removed(10, -0.25, confirmed),
    ...steered(10, -0.3, 0.2),
    ...steered(11, -0.3, 0.3, { ranks: { 'delta-activation': 1, 'delta-attribution': 4 } }),
    ...steered(12, null, null),
    ...steered(13, 0, 0, { role: 'random', ranks: {}, verdict: null }),
    ...other('probe', 'comparison', steered(0, -0.4, 0.4, confirmed)),
  ],
  summary: summary(),
};
const latents = [
  latentRow(14, 5, -0.2),
  latentRow(12, 3, 0.1),
  latentRow(10, 1, 0.5),
  latentRow(13, 4, 0),
  latentRow(11, 2, 0.2),
];
const rows = tableRows(
  latents,
  steering,
  new Map([
    [10, 'about Weather'],
    [11, '=evil, "quoted"\nline'],
  ]),
);
const columns = columnsOf(['delta-attribution', 'delta-activation'], steering.summary.zone, true);

const listed = (query: Query) => listedRows(rows, parseLatentQuery(query)).map(({ latent }) => latent);

it('every latent has a row, by rank, with how far it went', () => {
  expect(rows.map(({ latent, stage, verdict }) => [latent, stage, verdict])).toEqual([
    [10, 'sampled', 'confirmed'],
    [11, 'sampled', 'not shown'],
    [12, 'log-odds', 'not sampled'],
    [13, 'random', undefined],
    [14, undefined, undefined],
  ]);
});

it('a study that was not steered has rows too', () => {
  expect(tableRows(latents, undefined, new Map())[0]).toMatchObject({
    latent: 10,
    stage: undefined,
    ranks: {},
  });
});

describe('filter', () => {
  it('by number, by numbers, by meaning in any case', () => {
    expect(listed({ q: ' 1' })).toEqual([]);
    expect(listed({ q: '12' })).toEqual([12]);
    expect(listed({ q: '12, 10 99' })).toEqual([10, 12]);
    expect(listed({ q: 'wEATHER' })).toEqual([10]);
    expect(listed({ q: 'nothing like it' })).toEqual([]);
  });

  it('by stage, verdict, selector, and all of them together', () => {
    expect(listed({ stage: 'sampled' })).toEqual([10, 11]);
    expect(listed({ stage: 'not steered' })).toEqual([14]);
    expect(listed({ stage: 'random' })).toEqual([13]);
    expect(listed({ verdict: 'confirmed' })).toEqual([10]);
    expect(listed({ verdict: 'suggestive' })).toEqual([]);
    expect(listed({ verdict: 'not shown' })).toEqual([11]);
    expect(listed({ verdict: 'not sampled' })).toEqual([12]);
    expect(listed({ by: 'delta-activation' })).toEqual([11]);
    expect(listed({ by: 'nobody' })).toEqual([]);
    expect(listed({ stage: 'sampled', by: 'delta-attribution', verdict: 'confirmed', q: 'weather' })).toEqual(
      [10],
    );
  });

  it('none: the candidates, or all where that is asked for or there are none', () => {
    expect(listed({})).toEqual([10, 11, 12]);
    expect(listed({ of: 'x' })).toEqual([10, 11, 12]);
    expect(listed({ of: 'all' })).toEqual([10, 11, 12, 13, 14]);
    // what is sought is sought among all
    expect(listed({ q: '14' })).toEqual([14]);
    const unsteered = tableRows(latents, undefined, new Map());
    expect(listedRows(unsteered, parseLatentQuery({}))).toEqual(unsteered);
  });

  it('what the address says wrongly is not asked for', () => {
    expect(listed({ stage: 'few and many', verdict: 'x', of: 'all' })).toHaveLength(5);
  });

  it('sort and hidden columns come back from the address', () => {
    for (const sort of ['-delta', 'rank']) expect(sortText(parseLatentQuery({ sort }).sort)).toBe(sort);
    const names = columns.map(({ id }) => id);
    const hidden = hiddenOf(parseLatentQuery({}), names);
    for (const id of ['standard_error', 'rank_delta-activation']) expect(hidden).toContain(id);
    for (const id of ['rank', 'delta', 'remove', 'meaning']) expect(hidden).not.toContain(id);
    expect(hiddenOf(parseLatentQuery({ hide: ',' }), names)).toEqual([]);
    for (const hidden of [[], ['stage'], ['stage', 'away']])
      expect(parseLatentQuery({ hide: hiddenText(hidden) }).hidden).toEqual(hidden);
  });
});

describe('sort', () => {
  const sorted = (sort: string) =>
    sortedRows(rows, columns, parseLatentQuery({ sort }).sort).map(({ latent }) => latent);

  it('numbers both ways; those without a value last in both', () => {
    expect(sorted('delta')).toEqual([14, 13, 12, 11, 10]);
    expect(sorted('-delta')).toEqual([10, 11, 12, 13, 14]);
    expect(sorted('toward').slice(0, 3)).toEqual([13, 10, 11]);
    expect(sorted('-toward').slice(0, 3)).toEqual([11, 10, 13]);
    expect(sorted('remove')[0]).toBe(10);
    expect(sorted('rank_delta-activation')[0]).toBe(11);
    expect(sorted('-rank_delta-activation')[0]).toBe(11);
  });

  it('first by what matters: most taken away, least by chance, most brought about', () => {
    const byId = new Map(columns.map((one) => [one.id, firstDesc(one)]));
    expect(['remove', 'away', 'toward', 'delta', 'p', 'q', 'rank'].map((id) => byId.get(id))).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('stages by how far they are', () => {
    expect(sorted('-stage')).toEqual([13, 10, 11, 12, 14]);
    expect(sorted('stage').slice(0, 1)).toEqual([12]);
  });

  it('by nothing that is there: as they are', () => {
    expect(sorted('nothing')).toEqual(rows.map(({ latent }) => latent));
  });
});

it('the scale of Δ holds every bar with its error, and zero', () => {
  const { low, high } = deltaScale(rows);
  expect([low, high]).toEqual([expect.closeTo(-0.21), expect.closeTo(0.51)]);
  expect(deltaScale([{ ...rows[0]!, delta: 0, standard_error: Number.NaN }])).toEqual({ low: -1, high: 1 });
});

it('a meaning is the explanation, else a label, else tokens', () => {
  const token = (token: string) => ({ id: 1, token, cosine: 1, dot: 1 });
  const ends = { top: [token(' a'), token('\n'), token('b')], bottom: [] };
  const page = latentPage(1, { lens: { cosine: ends, dot: ends } });
  expect(meaningOf(page)).toBe('likelier: a, b');
  expect(
    meaningOf({ ...page, labels: [{ text: 'rain', source: 'a', by: null, method: null, score: null }] }),
  ).toBe('rain');
  expect(
    meaningOf({
      ...page,
      labels: [{ text: 'rain', source: 'a', by: null, method: null, score: null }],
      explanation: { text: 'snow', by: 'a', detection: null, fuzzing: null },
    }),
  ).toBe('snow');
});

describe('files', () => {
  it('CSV quotes what must be, and obeys no formula', () => {
    expect(csvOf(['a', 'b,c'], [{ a: 'x"y', 'b,c': 1 }, { a: 'two\nlines' }])).toBe(
      'a,"b,c"\r\n"x""y",1\r\n"two\nlines",\r\n',
    );
    expect(csvOf(['a'], [{ a: '=1+1' }, { a: '@x' }, { a: -1 }, { a: false }, { a: null }])).toBe(
      "a\r\n'=1+1\r\n'@x\r\n-1\r\nfalse\r\n\r\n",
    );
  });

  it('hold the columns that are shown, of the rows that are shown', async () => {
    const shown = columns.filter(({ id }) => ['rank', 'away', 'meaning'].includes(id));
    const csv = await savedLatents(rows.slice(1, 3), shown, 'csv').text();
    expect(csv).toBe(
      [
        'latent,rank,away_effect,away_low,away_high,meaning\r\n11,2,-0.3,-0.35,-0.25,"\'=evil,',
        '""quoted""\nline"\r\n12,3,,,,\r\n',
      ].join(' '),
    );
    const json = JSON.parse(await savedLatents(rows.slice(2, 3), shown, 'json').text());
    expect(json).toEqual([
      { latent: 12, rank: 3, away_effect: null, away_low: null, away_high: null, meaning: null },
    ]);
  });
});
