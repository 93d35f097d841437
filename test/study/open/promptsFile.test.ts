import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLabelled } from '../../../src/study/judging/labelledFile.ts';
import { readPrompts } from '../../../src/study/open/promptsFile.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inShared, shared } from '../../support/shared.ts';

const path = temporaryFolder();

function put(content: string | readonly unknown[], name = 'prompts.jsonl'): string {
  const text =
    typeof content === 'string' ? content : content.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(path(name), text);
  return path(name);
}

const user = (content: string) => [{ role: 'user', content }];
const options = { discovery: 1, evaluation: 0, calibration: 0, seed: 1 };

/** Prompts as the file has them, whatever part they were drawn for. */
async function all(file: string, more: object = {}) {
  const { discovery, evaluation, others } = await readPrompts({ ...options, file, ...more });
  return [...discovery, ...evaluation, ...others].sort((a, b) => a.row - b.row);
}

describe('the prompts of a file', () => {
  test('are texts or messages as they stand, with their ids and rows', async () => {
    const file = put(
      `{"prompt": "a"}\n\n{"id": "x", "prompt": [{"role": "user", "content": "a", "more": 1}]}\r\n`,
    );
    expect(await all(file)).toEqual([
      { id: 'r0', file, row: 0, prompt: 'a' },
      { id: 'x', file, row: 2, prompt: [{ role: 'user', content: 'a', more: 1 }] },
    ]);
  });

  test('have whole numbers for ids as texts', async () => {
    const file = put([
      { id: 7, prompt: 'a' },
      { id: 0, prompt: 'b' },
      { id: '1', prompt: 'c' },
    ]);
    expect((await all(file)).map(({ id }) => id)).toEqual(['7', '0', '1']);
  });

  test('are one user message where a field is named', async () => {
    const file = put([{ question: 'a', prompt: 'p' }, { question: user('b') }]);
    expect((await all(file, { field: 'question' })).map(({ prompt }) => prompt)).toEqual([
      user('a'),
      user('b'),
    ]);
    const prompts = put([{ prompt: 'p' }]);
    expect((await all(prompts, { field: 'prompt' }))[0]!.prompt).toEqual(user('p'));
  });

  test('are read from CSV too', async () => {
    const file = put('id,question\nx,"a\nb"\ny,c\n', 'p.csv');
    expect(await all(file, { field: 'question', rows: { first: 1, last: 1 } })).toEqual([
      { id: 'y', file, row: 1, prompt: user('c') },
    ]);
  });

  test('are those of the rows named, both ends included', async () => {
    const file = put(Array.from({ length: 10 }, (_, i) => ({ prompt: `${i}` })));
    expect((await all(file, { rows: { first: 3, last: 5 } })).map(({ id }) => id)).toEqual([
      'r3',
      'r4',
      'r5',
    ]);
    // What stands outside may be anything that is JSON.
    const mixed = put([7, { prompt: 'a' }, {}]);
    expect(await all(mixed, { rows: { first: 1, last: 1 } })).toHaveLength(1);
  });
});

describe('discovery and evaluation', () => {
  const counts = fc
    .record({
      n: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat({ max: 2 ** 31 - 1 }),
      percents: fc.tuple(...Array.from({ length: 5 }, () => fc.nat({ max: 100 }))),
    })
    .map(({ n, seed, percents }) => {
      const [d, e, c, fewerD, fewer] = percents.map((percent) => percent / 100);
      const discovery = 1 + Math.floor(d! * (n - 1));
      const evaluation = Math.floor(e! * (n - discovery));
      const calibration = Math.floor(c! * (n - discovery - evaluation));
      const drawn = { discovery, evaluation, calibration };
      return { n, seed, drawn, fewerDiscovery: 1 + Math.floor(fewerD! * (discovery - 1)), fewer: fewer! };
    });
  const rows = (n: number) => put(Array.from({ length: n }, (_, i) => ({ prompt: `${i}` })));

  test('part the rows without overlap, calibration too, as many as asked for', async () => {
    await fc.assert(
      fc.asyncProperty(counts, async ({ n, seed, drawn }) => {
        const parts = await readPrompts({ file: rows(n), seed, ...drawn });
        const ids = Object.values(parts).flatMap((part) => part.map(({ id }: { id: string }) => id));
        expect(ids.length).toBe(n);
        expect(new Set(ids).size).toBe(n);
        for (const part of ['discovery', 'evaluation', 'calibration'] as const)
          expect(parts[part]).toHaveLength(drawn[part]);
      }),
      { numRuns: 100 },
    );
  });

  test('a greater count of one adds to its end: evaluation and calibration move neither each other nor discovery', async () => {
    await fc.assert(
      fc.asyncProperty(counts, async ({ n, seed, drawn, fewer }) => {
        const draw = (more: object) => readPrompts({ file: rows(n), seed, ...drawn, ...more });
        const all = await draw({});
        for (const part of ['evaluation', 'calibration'] as const) {
          const count = Math.floor(fewer * drawn[part]);
          const { others, ...less } = await draw({ [part]: count });
          expect(less).toEqual({
            discovery: all.discovery,
            evaluation: all.evaluation,
            calibration: all.calibration,
            [part]: all[part].slice(0, count),
          });
        }
      }),
      { numRuns: 100 },
    );
  });

  test('a greater discovery adds to its end, and moves neither of the others while twice the greater of them is left', async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(counts, async ({ n, seed, drawn, fewerDiscovery }) => {
        const draw = (discovery: number) => readPrompts({ file: rows(n), seed, ...drawn, discovery });
        const [all, fewer] = [await draw(drawn.discovery), await draw(fewerDiscovery)];
        expect(fewer.discovery).toEqual(all.discovery.slice(0, fewerDiscovery));
        if (n - drawn.discovery < 2 * Math.max(drawn.evaluation, drawn.calibration)) return;
        held++;
        expect([fewer.evaluation, fewer.calibration]).toEqual([all.evaluation, all.calibration]);
      }),
      { numRuns: 100 },
    );
    expect(held).toBeGreaterThan(20);
  });

  test('are drawn from all rows, evenly, and as the seed says', async () => {
    const file = put(Array.from({ length: 5 }, (_, i) => ({ prompt: `${i}` })));
    const firsts = [0, 0, 0, 0, 0];
    const lasts = [0, 0, 0, 0, 0];
    const seeds = 500;
    for (let seed = 0; seed < seeds; seed++) {
      const drawn = await readPrompts({ file, discovery: 1, evaluation: 1, calibration: 0, seed });
      firsts[drawn.discovery[0]!.row]!++;
      lasts[drawn.evaluation[0]!.row]!++;
    }
    // Five standard deviations of a binomial count about its mean.
    const spread = 5 * Math.sqrt(seeds * 0.2 * 0.8);
    for (const count of [...firsts, ...lasts]) expect(Math.abs(count - seeds / 5)).toBeLessThan(spread);
  });
});

describe('prompts to test on in a file of their own', () => {
  const prompts = (letter: string, n: number) =>
    put(
      Array.from({ length: n }, (_, i) => ({ prompt: `${letter}${i}` })),
      `${letter}.jsonl`,
    );
  const counts = { discovery: 4, evaluation: 3, calibration: 2, seed: 3 };

  test('are drawn from it alone, and leave discovery as it is without it', async () => {
    const [file, evaluation_file] = [prompts('found', 8), prompts('tested', 7)];
    const { discovery, ...drawn } = await readPrompts({ ...counts, file, evaluation_file });
    expect(discovery).toEqual(
      (await readPrompts({ ...counts, file, evaluation: 0, calibration: 0 })).discovery,
    );
    expect([drawn.evaluation.length, drawn.calibration.length, drawn.others.length]).toEqual([3, 2, 6]);
    const tested = [...drawn.evaluation, ...drawn.calibration];
    for (const prompt of tested)
      expect(prompt).toEqual({
        id: `e${prompt.row}`,
        file: evaluation_file,
        row: prompt.row,
        prompt: `tested${prompt.row}`,
      });
    expect(new Set(tested.map(({ id }) => id)).size).toBe(5);
    const alone = await readPrompts({ ...counts, file, evaluation_file, discovery: 1, calibration: 0 });
    expect(alone.evaluation).toEqual(drawn.evaluation);
  });

  test('are of the rows and the field that file has them in: rows of file alone, field of both', async () => {
    const file = put([{ q: 'a' }, { q: 'b' }], 'found.jsonl');
    const evaluation_file = put([{ q: 'c' }], 'tested.jsonl');
    const rows = { first: 1, last: 1 };
    const one = { discovery: 1, evaluation: 1, calibration: 0, seed: 1 };
    const drawn = await readPrompts({ ...one, file, evaluation_file, rows, field: 'q' });
    expect([...drawn.discovery, ...drawn.evaluation].map(({ prompt }) => prompt)).toEqual([
      user('b'),
      user('c'),
    ]);
  });

  test.each<[string, readonly object[], string]>([
    [
      'a prompt that the other file has',
      [{ prompt: 'y' }, { prompt: 'b' }],
      ':2: expected different prompts, found the prompt of $/found.jsonl:2 again',
    ],
    [
      'an id that the other file has',
      [{ id: 'r1', prompt: 'c' }],
      ':1: id: "r1" is already the id of $/found.jsonl:2',
    ],
    [
      'too few',
      [{ prompt: 'x' }],
      ': expected 2 prompts, as prompts.evaluation 1 and calibration 1 ask for, found 1: lower these in study.yaml to at most 1 in total, or give more prompts',
    ],
  ])('are refused with %s', async (_, lines, line) => {
    const file = put([{ prompt: 'a' }, { prompt: 'b' }], 'found.jsonl');
    const evaluation_file = put(lines, 'tested.jsonl');
    const asked = { discovery: 2, evaluation: 1, calibration: 1, seed: 1 };
    await expect(readPrompts({ ...asked, file, evaluation_file })).rejects.toThrow(
      `${evaluation_file}${line.replace('$/', `${path()}/`)}`,
    );
  });

  test('leave discovery to be enough by itself', async () => {
    const [file, evaluation_file] = [prompts('found', 3), prompts('tested', 9)];
    await expect(readPrompts({ ...counts, file, evaluation_file })).rejects.toThrow(
      `${file}: expected 4 prompts, as prompts.discovery 4 asks for, found 3: lower`,
    );
  });
});

describe('a prompts file is refused', () => {
  test.each<[string, readonly unknown[] | string, object, string]>([
    [
      'without the field',
      [{ prompt: 'a' }, { question: 'b', 'odd name': 1 }],
      {},
      ':2: expected the field prompt, found question, "odd name": name the one to use in study.yaml as prompts.field',
    ],
    ['without the named field', [{ prompt: 'a' }], { field: 'q' }, ':1: expected the field q, found prompt'],
    ['for an empty object', [{}], { field: 'q' }, ':1: expected the field q, found none'],
    ['for a line that is no object', [{ prompt: 'a' }, 'b'], {}, ':2: expected an object, found "b"'],
    ['for a prompt that is a number', [{ prompt: 5 }], {}, ':1: prompt: expected string or array, found 5'],
    [
      'for a blank prompt',
      [{ prompt: ' \n' }],
      {},
      ':1: prompt: expected a prompt, found none but white space',
    ],
    ['for no messages', [{ prompt: [] }], {}, ':1: prompt: '],
    [
      'for an id twice',
      [{ id: 'x', prompt: 'a' }, { prompt: 'b' }, { id: 'x', prompt: 'c' }],
      {},
      ':3: id: "x" is already the id of line 1',
    ],
    [
      'for an id that is another row',
      [{ id: 'r1', prompt: 'a' }, { prompt: 'b' }],
      {},
      ':2: id: "r1" is already the id of line 1',
    ],
    [
      'for an id that is another as a text',
      [
        { id: '7', prompt: 'a' },
        { id: 7, prompt: 'b' },
      ],
      {},
      ':2: id: "7" is already the id of line 1',
    ],
    ...[
      ['""', ''] as const,
      ['1.5', 1.5] as const,
      ['null', null] as const,
      ['9007199254740992', 2 ** 53] as const,
    ].map(([shown, id]): [string, object[], object, string] => [
      `for the id ${shown}`,
      [{ id, prompt: 'a' }],
      {},
      `:1: id: expected a text of a character or more, or a whole number, found ${shown}`,
    ]),
    [
      'for a prompt twice',
      [{ prompt: user('a') }, { prompt: 'a' }, { prompt: [{ content: 'a', role: 'user' }] }],
      {},
      ':3: expected different prompts, found the prompt of line 1 again',
    ],
    ['for broken JSON', '{"prompt": "a"}\n{"prompt": \n', {}, ':2: not JSON: '],
    [
      'with too few prompts',
      [{ prompt: 'a' }, { prompt: 'b' }],
      { discovery: 2, evaluation: 3 },
      ': expected 5 prompts, as prompts.discovery 2, evaluation 3 and calibration 0 ask for, found 2: lower these in study.yaml to at most 2 in total, or give more prompts',
    ],
    [
      'with too few prompts in its rows',
      [{ prompt: 'a' }, { prompt: 'b' }],
      { discovery: 2, rows: { first: 1, last: 1 } },
      ': expected 2 prompts, as prompts.discovery 2, evaluation 0 and calibration 0 ask for, found 1 in prompts.rows 1..1: lower',
    ],
    [
      'with fewer rows',
      [{ prompt: 'a' }, { prompt: 'b' }],
      { rows: { first: 1, last: 2 } },
      ': expected rows 1..2, found 2 rows',
    ],
    [
      'when empty',
      '',
      {},
      ': expected 1 prompt, as prompts.discovery 1, evaluation 0 and calibration 0 ask for, found none',
    ],
  ])('%s', async (_, content, more, line) => {
    const file = put(content);
    await expect(readPrompts({ ...options, file, ...more })).rejects.toThrow(`${file}${line}`);
  });

  test('when it is not there', async () => {
    await expect(readPrompts({ ...options, file: path('no') })).rejects.toThrow(
      `${path('no')}: no such file`,
    );
  });
});

describe('labelled examples', () => {
  test.each<[object, object, readonly [unknown, string]]>([
    [{ prompt: 'p', question: 'q', completion: 'c', answer: 'a' }, {}, ['p', 'c']],
    [{ question: 'q', answer: 'a', response: 'r' }, {}, [user('q'), 'a']],
    [{ question: 'q', response: 'r' }, {}, [user('q'), 'r']],
    [{ prompt: user('m'), incorrect: 'i', correct: 'c' }, { completion: 'correct' }, [user('m'), 'c']],
    [{ prompt: 'p', answer: 'a' }, { prompt: 'prompt' }, [user('p'), 'a']],
  ])('%j, asked for %j', async (line, asked, expected) => {
    const file = put([line]);
    expect(await readLabelled({ file, ...asked })).toEqual([
      { id: 'r0', row: 0, prompt: expected[0], completion: expected[1] },
    ]);
  });

  test.each<[readonly unknown[], object, string]>([
    [
      [{ question: 'q', bad: 'x' }],
      {},
      ':1: expected the field completion or answer or response, found question, bad',
    ],
    [[{ q: 'q', answer: 'x' }], {}, ':1: expected the field prompt or question, found q, answer'],
    [[{ question: 'q', answer: ' ' }], {}, ':1: answer: expected a completion, found none but white space'],
    [[{ question: 'q', answer: 3 }], {}, ':1: answer: expected string, found 3'],
    [[{ question: 'q', answer: 'a' }], { rows: { first: 0, last: 1 } }, ': expected rows 0..1, found 1 rows'],
    [[], {}, ': expected examples, found none'],
  ])('are refused: %j', async (lines, asked, line) => {
    const file = put(lines);
    await expect(readLabelled({ file, ...asked })).rejects.toThrow(`${file}${line}`);
  });

  test('a completion that is null is none of this label', async () => {
    const file = put([
      { prompt: 'p', yes: 'y', no: null },
      { prompt: 'q', yes: 'z', no: 'n' },
    ]);
    const ids = async (completion: string) => (await readLabelled({ file, completion })).map(({ id }) => id);
    expect([await ids('yes'), await ids('no')]).toEqual([['r0', 'r1'], ['r1']]);
  });

  test.skipIf(!shared)('of the health questions: the same rows, two labels', async () => {
    const file = inShared('data', 'health', 'health_pairs_matched.jsonl');
    const rows = { first: 1000, last: 1499 };
    const bad = await readLabelled({ file, completion: 'incorrect', rows });
    const good = await readLabelled({ file, completion: 'correct', rows });
    expect(bad).toHaveLength(500);
    expect(bad[0]!.id).toBe('r1000');
    expect(good.map(({ prompt }) => prompt)).toEqual(bad.map(({ prompt }) => prompt));
    const drawn = await readPrompts({
      file,
      field: 'question',
      rows: { first: 1700, last: 1999 },
      discovery: 60,
      evaluation: 40,
      calibration: 0,
      seed: 1,
    });
    expect([drawn.discovery.length, drawn.evaluation.length, drawn.others.length]).toEqual([60, 40, 200]);
  });
});
