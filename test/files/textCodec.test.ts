import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readTokenizerFolder, type TextCodec, tokenizerOfGguf } from '../../src/files/textCodec.ts';
import { temporaryFolder } from '../support/folder.ts';
import { byteLevelConfig, byteLevelJson, byteLevelMetadata, chatMl } from '../support/tokenizers.ts';

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
    const codec = await codecOf({
      ...both,
      'tokenizer_config.json': { ...byteLevelConfig, add_bos_token: true },
    });
    expect(codec.encodePrompt('in')).toEqual([bos, ...codec.tokenizer.encode('in')]);
    expect(codec.encodePrompt(hi).filter((id) => id === bos)).toHaveLength(2);
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
