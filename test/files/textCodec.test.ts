import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { tokenizerFilesOfGguf } from '../../src/files/ggufTokenizer.ts';
import { readTokenizerFolder, type TextCodec, tokenizerOfGguf } from '../../src/files/textCodec.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  byteLevelConfig,
  byteLevelJson,
  byteLevelMetadata,
  chatMl,
  oracle,
  sentencePieceMetadata,
} from '../support/tokenizers.ts';

const path = temporaryFolder();
const bos = 269;
const end = 270;

/** The codec of a folder that holds `files`, text as it is and anything else as JSON. */
async function codecOf(files: Record<string, unknown>, now?: Date): Promise<TextCodec> {
  for (const [name, content] of Object.entries(files))
    writeFileSync(path(name), typeof content === 'string' ? content : JSON.stringify(content));
  return readTokenizerFolder(path(), now === undefined ? {} : { now });
}

const both = { 'tokenizer.json': byteLevelJson(), 'tokenizer_config.json': byteLevelConfig };
const hi = [{ role: 'user', content: 'hi' }];
const bosFirst = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [bos], tokens: ['<s>'] } },
};

describe('a folder', () => {
  test('gives tokenizer, template and ends', async () => {
    const codec = await codecOf({ ...both, 'generation_config.json': { eos_token_id: [bos, end] } });
    expect(codec.chatText(hi, { addGenerationPrompt: true })).toBe('<s>user\nhi<|im_end|>\n<s>assistant\n');
    expect(codec.encodePrompt(hi)).toEqual(codec.tokenizer.encode('<s>user\nhi<|im_end|>\n<s>assistant\n'));
    expect([codec.eosId, codec.endOfTurnId, codec.endOfTurnIds]).toEqual([end, end, [end, bos]]);
  });

  test('without a config: text prompts, no template, the end that generation_config names', async () => {
    const codec = await codecOf({
      'tokenizer.json': byteLevelJson(),
      'generation_config.json': { eos_token_id: end },
    });
    expect(codec.template).toBeUndefined();
    expect(codec.encodePrompt('in the')).toEqual(codec.tokenizer.encode('in the'));
    expect([codec.eosId, codec.endOfTurnIds]).toEqual([end, [end]]);
    expect(() => codec.encodePrompt(hi)).toThrow(InputError);
    expect(() => codec.encodePrompt(hi)).toThrow(/has no chat template: give prompts as text/);
  });

  test('puts bos before a text, not before a chat', async () => {
    const codec = await codecOf({ ...both, 'tokenizer.json': byteLevelJson({ post_processor: bosFirst }) });
    expect(codec.encodePrompt('in')).toEqual([bos, ...codec.tokenizer.encode('in')]);
    expect(codec.encodePrompt(hi).filter((id) => id === bos)).toHaveLength(2);
    expect(codec.notes).toEqual([]);
  });

  test.each([
    [true, null, /add_bos_token is true, but the post_processor of tokenizer.json puts no bos before a text/],
    [false, 'bosFirst', /add_bos_token is false, but the post_processor of tokenizer.json puts bos before/],
  ])('says it where add_bos_token is %s and tokenizer.json does otherwise', async (says, processor, note) => {
    const codec = await codecOf({
      'tokenizer.json': byteLevelJson({ post_processor: processor === null ? null : bosFirst }),
      'tokenizer_config.json': { ...byteLevelConfig, add_bos_token: says },
    });
    expect(codec.encodePrompt('in')[0] === bos).toBe(!says);
    expect(codec.notes).toEqual([expect.stringMatching(note)]);
  });

  test('takes the end of turn from the template where it is another than eos', async () => {
    const codec = await codecOf({
      ...both,
      'tokenizer_config.json': { ...byteLevelConfig, eos_token: '<s>' },
    });
    expect([codec.eosId, codec.endOfTurnId, codec.endOfTurnIds]).toEqual([bos, end, [bos, end]]);
  });

  test('takes eos for the end of turn where the template refuses to tell', async () => {
    const template =
      "{% if messages|length > 1 %}{{ raise_exception('one') }}{% endif %}{{ messages[0].content }}";
    const codec = await codecOf({ ...both, 'chat_template.jinja': template });
    expect(codec.endOfTurnId).toBe(end);
    expect(codec.chatText(hi, { addGenerationPrompt: true })).toBe('hi');
  });

  test('gives the date to the template', async () => {
    const files = { ...both, 'chat_template.jinja': "{{ strftime_now('%Y') }}" };
    const codec = await codecOf(files, new Date(2020, 5, 1));
    expect(codec.chatText(hi, { addGenerationPrompt: true })).toBe('2020');
    const without = await codecOf(files);
    expect(() => without.chatText(hi, { addGenerationPrompt: true })).toThrow(/asks for the date/);
  });

  test.each([
    [
      'a file before the config',
      { 'chat_template.jinja': 'J', 'chat_template.json': { chat_template: 'N' } },
      'J',
    ],
    ['the config before the JSON file', { 'chat_template.json': { chat_template: 'N' } }, '<s>user'],
    [
      'the JSON file where there is no other',
      { 'tokenizer_config.json': {}, 'chat_template.json': { chat_template: 'N' } },
      'N',
    ],
    [
      'the one named default',
      {
        'tokenizer_config.json': {
          chat_template: [
            { name: 'tool_use', template: 'T' },
            { name: 'default', template: 'D' },
          ],
        },
      },
      'D',
    ],
  ])('takes the template from %s', async (_, files, expected) => {
    const codec = await codecOf({ ...both, ...files });
    expect(codec.chatText(hi, { addGenerationPrompt: false }).slice(0, expected.length)).toBe(expected);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['without tokenizer.json', { 'tokenizer.json': undefined }, /tokenizer.json: no such file or folder/],
    ['with broken JSON', { 'tokenizer.json': '{"a"' }, /tokenizer.json: expected JSON: /],
    ['with a wrong config', { 'tokenizer_config.json': { eos_token: 3 } }, /eos_token: expected .*found 3/],
    [
      'with a wrong end',
      { 'generation_config.json': { eos_token_id: 'x' } },
      /generation_config.json: eos_token_id: expected/,
    ],
    [
      'with an end that is no token',
      { 'generation_config.json': { eos_token_id: 999 } },
      /expected an id below 272, found 999/,
    ],
    [
      'with a broken template',
      { 'chat_template.jinja': '{% for' },
      /chat_template.jinja: the chat template does not parse/,
    ],
    [
      'with named templates, none default',
      { 'tokenizer_config.json': { chat_template: [{ name: 'x', template: '' }] } },
      /expected one named default, found "x"/,
    ],
  ])('%s is refused', async (_, files, message) => {
    const present = Object.entries({ ...both, ...files }).filter(([, content]) => content !== undefined);
    const reading = codecOf(Object.fromEntries(present));
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });
});

describe('a GGUF', () => {
  test('gives the same codec as a folder', async () => {
    const codec = tokenizerOfGguf(byteLevelMetadata('gpt-2'), 'g');
    const folder = await codecOf(both);
    expect(codec.encodePrompt(hi)).toEqual(folder.encodePrompt(hi));
    expect([codec.eosId, codec.endOfTurnId, codec.endOfTurnIds]).toEqual([end, end, [end]]);
  });

  test('ends turns by eot too, and needs no template', () => {
    const metadata = byteLevelMetadata('gpt-2').set('tokenizer.ggml.eot_token_id', bos);
    metadata.delete('tokenizer.chat_template');
    const codec = tokenizerOfGguf(metadata, 'g');
    expect(codec.endOfTurnIds).toEqual([end, bos]);
    expect(codec.template).toBeUndefined();
  });

  test('is refused with a template that is no text, or does not parse', () => {
    const metadata = byteLevelMetadata('gpt-2');
    expect(() => tokenizerOfGguf(metadata.set('tokenizer.chat_template', 5), 'g')).toThrow(
      /^g: tokenizer.chat_template: expected string, found 5$/,
    );
    expect(() => tokenizerOfGguf(metadata.set('tokenizer.chat_template', `${chatMl}{%`), 'g')).toThrow(
      /^g: the chat template does not parse/,
    );
  });
});

describe('a completion is encoded as the model would write it after its prompt', () => {
  const lines =
    '{% for m in messages %}[{{ m.role }}]\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}';
  const spaced =
    "{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}!{% else %} {{ m.content }}</s>{% endif %}{% endfor %}";
  const codecWith = (template: string) =>
    tokenizerOfGguf(sentencePieceMetadata().set('tokenizer.chat_template', template), 'g');
  const { json } = tokenizerFilesOfGguf(sentencePieceMetadata(), 'g');
  const forRust = (parts: object) => {
    const { added_tokens, ...rest } = { ...(json as { added_tokens: object[] }), ...parts };
    const flags = { single_word: false, lstrip: false, rstrip: false };
    const tokens = added_tokens.map((token) => ({ ...flags, ...token }));
    return {
      version: '1.0',
      truncation: null,
      padding: null,
      post_processor: null,
      ...rest,
      added_tokens: tokens,
    };
  };
  const rust = oracle(forRust({}));

  test.each([
    ['a line feed', lines, 'the low', ''],
    ['a line feed, with a space of its own', lines, ' the low', ''],
    ['a mark, with the space that the template puts there', spaced, 'the low', ' '],
  ])('SentencePiece, after %s', async (_, template, text, lead) => {
    const codec = codecWith(template);
    const opened = codec.chatText(hi, { addGenerationPrompt: true });
    const whole = await rust(opened + lead + text);
    const prompt = codec.encodePrompt(hi);
    expect(codec.encodeCompletion(hi, text)).toEqual(whole.slice(prompt.length));
    expect([...prompt, ...codec.encodeCompletion(hi, text)]).toEqual(whole);
  });

  test('SentencePiece, after a text', async () => {
    const codec = codecWith(lines);
    for (const text of [' the', 'the', '\nthe low', 'er'])
      expect([...codec.encodePrompt('new').slice(1), ...codec.encodeCompletion('new', text)]).toEqual(
        await rust(`new${text}`),
      );
  });

  test('where prompt and text would share a token, the prompt keeps its own', () => {
    const codec = codecWith(lines);
    expect(codec.encodePrompt('lo').slice(1)).toEqual(codec.tokenizer.encode('lo'));
    expect(codec.encodeCompletion('lo', 'wer')).toEqual(codec.tokenizer.encodeContinuation('wer'));
    expect(codec.tokenizer.encode('lower')).not.toEqual([
      ...codec.tokenizer.encode('lo'),
      ...codec.tokenizer.encodeContinuation('wer'),
    ]);
  });

  test('a continuation has no space before its first word, and its text again', () => {
    const { tokenizer } = codecWith(lines);
    for (const text of ['the low', ' the', 'x', '\nlow', ''])
      expect(tokenizer.decode(tokenizer.encodeContinuation(text)).trim()).toBe(text.trim());
    expect(tokenizer.encodeContinuation('the')).toEqual([tokenizer.idOf('the')]);
    expect(tokenizer.encode('the')).toEqual([tokenizer.idOf('▁the')]);
    expect(tokenizer.encodeContinuation('the</s>the')).toEqual(
      ['the', '</s>', '▁the'].map((token) => tokenizer.idOf(token)),
    );
  });

  test('byte-level tokenizers have no such space', async () => {
    const codec = await codecOf(both);
    for (const text of ['in the', ' in', '\n\nx'])
      expect(codec.encodeCompletion(hi, text)).toEqual(codec.tokenizer.encode(text));
  });

  test.each(['always', 'first'])('Metaspace that puts it %s', async (scheme) => {
    const pre = { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: false };
    const own = forRust({
      normalizer: null,
      pre_tokenizer: pre,
      decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: false },
    });
    const codec = await codecOf({ 'tokenizer.json': own, 'tokenizer_config.json': { chat_template: lines } });
    const prompt = codec.encodePrompt(hi);
    const whole = await oracle(own)(`${codec.chatText(hi, { addGenerationPrompt: true })}the low`);
    expect([...prompt, ...codec.encodeCompletion(hi, 'the low')]).toEqual(whole);
    expect(codec.tokenizer.encodeContinuation('the')).toEqual([codec.tokenizer.idOf('the')]);
  });
});
