import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { encodePair, type Pair, readCorpus, readPairs } from '../../src/files/pairs.ts';
import { readSafetensorsHeader, readTensor } from '../../src/files/safetensors.ts';
import { readTokenizerFolder, tokenizerOfGguf } from '../../src/files/textCodec.ts';
import { temporaryFolder } from '../support/folder.ts';
import { damage, outcome } from '../support/hostile.ts';
import { inShared, realModel, shared } from '../support/shared.ts';
import { byteLevelMetadata } from '../support/tokenizers.ts';

const path = temporaryFolder();

function file(content: string | Uint8Array, name = 'pairs.jsonl'): string {
  writeFileSync(path(name), content);
  return path(name);
}

const lines = (...values: object[]) => values.map((value) => JSON.stringify(value)).join('\n');
const base = { prompt: 'in the', positive: 'a', negative: 'b' };
const chat = [{ role: 'user', content: 'hi' }];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('pairs', () => {
  test('are read with their defaults, other fields left out', async () => {
    const read = await readPairs(
      file(lines(base, { id: 'x', ...base, prompt: chat, negative_ended: false, score: 3 })),
    );
    expect(read).toEqual([
      { id: '1', ...base, positiveEnded: true, negativeEnded: true },
      { id: 'x', ...base, prompt: chat, positiveEnded: true, negativeEnded: false },
    ]);
  });

  test.each<[string, object[], RegExp]>([
    ['no pairs', [], /pairs\.jsonl: expected pairs, found none$/],
    [
      'an empty completion',
      [{ ...base, positive: '' }],
      /:1: positive: expected a completion, found none but white space$/,
    ],
    ['a blank completion', [base, { ...base, negative: ' \n' }], /:2: negative: expected a completion/],
    [
      'a missing completion',
      [{ prompt: 'x', positive: 'y' }],
      /:1: negative: expected string, found nothing$/,
    ],
    [
      'equal completions',
      [{ ...base, negative: 'a' }],
      /:1: expected two different completions, found positive equal/,
    ],
    [
      'an id twice',
      [{ ...base, id: 'x' }, base, { ...base, id: 'x' }],
      /:3: id: "x" is already the id of line 1$/,
    ],
    [
      'an id that is another line’s number',
      [{ ...base, id: '2' }, base],
      /:2: id: "2" is already the id of line 1$/,
    ],
    ['an id that is no text', [{ ...base, id: 5 }], /:1: id: expected string, found 5$/],
    [
      'a blank prompt',
      [{ ...base, prompt: ' ' }],
      /:1: prompt: expected a prompt, found none but white space$/,
    ],
    ['no messages', [{ ...base, prompt: [] }], /:1: prompt: expected a prompt/],
    [
      'blank messages',
      [{ ...base, prompt: [{ role: 'user', content: '' }] }],
      /:1: prompt: expected a prompt/,
    ],
    ['a prompt of another type', [{ ...base, prompt: 5 }], /:1: prompt: expected string or array, found 5$/],
    [
      'a message without role',
      [{ ...base, prompt: [{ content: 'x' }] }],
      /:1: prompt\[0\]\.role: expected string, found nothing$/,
    ],
    [
      'a flag that is none',
      [{ ...base, positive_ended: 'yes' }],
      /:1: positive_ended: expected boolean, found "yes"$/,
    ],
  ])('refuses %s', async (_, values, message) => {
    const reading = readPairs(file(lines(...values)));
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });

  test('a damaged file is read or refused', async () => {
    const whole = Buffer.from(lines({ ...base, id: 'é' }, { ...base, prompt: chat, positive_ended: false }));
    await fc.assert(
      fc.asyncProperty(damage(whole.length), async (hurt) => {
        await outcome(() => readPairs(file(hurt(whole))));
      }),
      { numRuns: 200 },
    );
  });
});

describe('ids of a pair', () => {
  const pair: Pair = { id: 'p', ...base, positiveEnded: true, negativeEnded: false };
  const codec = (change: (metadata: Map<string, unknown>) => void = () => {}) => {
    const metadata = byteLevelMetadata('gpt-2');
    change(metadata);
    return tokenizerOfGguf(metadata, 'g');
  };

  test('a text prompt: as it is, after bos where the tokenizer puts one', () => {
    const plain = codec();
    expect(encodePair(plain, pair)).toEqual({
      promptIds: plain.tokenizer.encode('in the'),
      positiveIds: [plain.tokenizer.idOf('a'), plain.eosId],
      negativeIds: [plain.tokenizer.idOf('b')],
    });
    const withBos = codec((m) => m.set('tokenizer.ggml.add_bos_token', true));
    expect(encodePair(withBos, pair).promptIds).toEqual([
      withBos.tokenizer.bosId,
      ...plain.tokenizer.encode('in the'),
    ]);
  });

  test('a chat prompt: rendered for generation; the template’s end of turn ends a completion', () => {
    const other = codec((m) => m.set('tokenizer.ggml.eos_token_id', 269));
    const { promptIds, positiveIds } = encodePair(other, { ...pair, prompt: chat });
    expect(other.tokenizer.decode(promptIds)).toBe('<s>user\nhi<|im_end|>\n<s>assistant\n');
    expect(positiveIds.at(-1)).toBe(other.tokenizer.idOf('<|im_end|>'));
    expect(encodePair(other, pair).positiveIds.at(-1)).toBe(269);
  });

  test('refuses a completion that ended where no token ends one', () => {
    const endless = codec((m) => {
      m.delete('tokenizer.ggml.eos_token_id');
      m.delete('tokenizer.chat_template');
    });
    expect(() => encodePair(endless, pair)).toThrow(
      /^pair "p": the completion ended, but the model has no end token$/,
    );
    expect(encodePair(endless, { ...pair, positiveEnded: false }).positiveIds).toHaveLength(1);
  });

  test('refuses a part without a token', () => {
    const poor = codec((m) => {
      const tokens = m.get('tokenizer.ggml.tokens') as string[];
      tokens[tokens.indexOf('b')] = '[b]';
    });
    expect(() => encodePair(poor, pair)).toThrow(
      /^pair "p": negativeIds: the vocabulary has no token of it$/,
    );
  });
});

describe('a corpus', () => {
  test('of JSON lines holds texts and chats; blank texts are left out', async () => {
    const corpus = file(lines({ source: 's', text: 'x' }, { text: ' ' }, { messages: chat }), 'c.jsonl');
    expect(await collect(readCorpus(corpus))).toEqual([
      { line: 1, value: { text: 'x' } },
      { line: 3, value: { messages: chat } },
    ]);
  });

  test('of plain text holds its paragraphs', async () => {
    const corpus = file('\uFEFF\r\n one\r\ntwo\r\n\r\n \r\nthree', 'c.txt');
    expect(await collect(readCorpus(corpus))).toEqual([
      { line: 2, value: { text: ' one\ntwo' } },
      { line: 6, value: { text: 'three' } },
    ]);
  });

  test.each([
    ['neither', { x: 1 }, /c\.jsonl:1: expected text or messages, one of the two$/],
    ['both', { text: 'x', messages: chat }, /c\.jsonl:1: expected text or messages/],
    ['no messages', { messages: [] }, /c\.jsonl:1: messages: expected array to have >=1 items/],
    [
      'a message without content',
      { messages: [{ role: 'u' }] },
      /messages\[0\]\.content: expected a text or a list of parts, found nothing/,
    ],
  ])('refuses %s', async (_, value, message) => {
    await expect(collect(readCorpus(file(lines(value), 'c.jsonl')))).rejects.toThrow(message);
  });

  test('keeps every field of a message', async () => {
    const call = { id: '1', type: 'function', function: { name: 'f', arguments: { b: 1, a: null } } };
    const messages = [
      { role: 'user', name: 'Ann', content: 'x' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'assistant', tool_calls: [call], reasoning_content: 'r' },
      { role: 'tool', tool_call_id: '1', content: [{ type: 'text', text: 'y' }] },
    ];
    expect(await collect(readCorpus(file(lines({ messages }), 'c.jsonl')))).toEqual([
      { line: 1, value: { messages } },
    ]);
    const pair = { prompt: messages, positive: 'a', negative: 'b' };
    const [read] = await readPairs(file(lines(pair), 'p.jsonl'));
    expect(read!.prompt).toEqual(messages);
  });

  test('refuses a missing file', async () => {
    await expect(collect(readCorpus(path('no.txt')))).rejects.toThrow(/no\.txt: no such file/);
  });
});

describe.skipIf(!shared)('needs ../shared: the golden pairs', () => {
  test('have the golden ids, with the tokenizer of the folder and of the GGUF alone', async () => {
    const pairs = await readPairs(inShared('golden', 'pairs.jsonl'));
    const { tokens } = JSON.parse(readFileSync(inShared('golden', 'attribution.json'), 'utf8')) as {
      tokens: number[][];
    };
    const golden = await readSafetensorsHeader(inShared('golden', 'attribution.safetensors'));
    const ids = async (name: string) =>
      Array.from((await readTensor(golden.tensors.get(name)!)).data, Number);
    const gguf = await readGguf(join(realModel(), 'SmolLM2-135M-Instruct.Q4_1.gguf'));
    for (const codec of [await readTokenizerFolder(realModel()), tokenizerOfGguf(gguf.metadata, 'gguf')]) {
      const encoded = pairs.map((pair) => encodePair(codec, pair));
      expect(encoded.map((e) => [e.promptIds.length, e.positiveIds.length, e.negativeIds.length])).toEqual(
        tokens,
      );
      const [first, second] = encoded;
      expect([...first!.promptIds, ...first!.positiveIds]).toEqual(await ids('pair0.ids'));
      expect(first!.promptIds).toEqual(await ids('base0.ids'));
      expect(second!.promptIds).toEqual(await ids('base1.ids'));
    }
    expect(pairs).toHaveLength(42);
  });

  test('and the corpora are read whole', async () => {
    for (const [name, field] of [
      ['prose', 'text'],
      ['chat', 'messages'],
    ] as const) {
      const passages = await collect(readCorpus(inShared('data', 'corpus', `${name}.jsonl`)));
      expect(passages.length).toBeGreaterThan(1000);
      expect(passages.every(({ value }) => field in value)).toBe(true);
    }
  });
});
