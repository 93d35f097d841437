import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { chatTemplate, type RenderOptions } from '../../src/files/chat.ts';
import type { ChatMessage } from '../../src/results.ts';
import { inShared, realModel, shared } from '../support/shared.ts';
import { chatMl } from '../support/tokenizers.ts';

const hi: ChatMessage[] = [{ role: 'user', content: 'hi' }];

function render(template: string, messages = hi, options: Partial<RenderOptions> = {}): string {
  return chatTemplate(template, 'T').render(messages, { addGenerationPrompt: true, ...options });
}

describe('renders', () => {
  test('messages, with and without the generation prompt', () => {
    expect(render(chatMl)).toBe('<s>user\nhi<|im_end|>\n<s>assistant\n');
    expect(render(chatMl, hi, { addGenerationPrompt: false })).toBe('<s>user\nhi<|im_end|>\n');
  });

  test.each([
    ['special tokens, unset ones as nothing', '{{ bos_token }}|{{ eos_token }}', '<s>|'],
    ['no tools and no documents', '{{ tools is none }} {{ documents is none }}', 'True True'],
    ['blocks without their line', 'a\n  {% if true %}\nb\n  {% endif %}\nc', 'a\nb\nc'],
    ['without the last line end', 'a\n', 'a'],
    ['JSON that keeps other letters', '{{ messages | tojson }}', '[{"role": "user", "content": "hi"}]'],
    [
      'a namespace',
      '{% set n = namespace(x=1) %}{% for m in messages %}{% set n.x = 2 %}{% endfor %}{{ n.x }}',
      '2',
    ],
    [
      'loop controls',
      '{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}',
      '023',
    ],
    [
      'ranges',
      '{{ range(3) | list }}{{ range(1, 3) | list }}{{ range(5, 0, -2) | list }}{{ range(3, 1) | list }}',
      '[0, 1, 2][1, 2][5, 3, 1][]',
    ],
    ['generation marks', '{% generation %}x{% endgeneration %}', 'x'],
    ['Python constants', '{% if True and not False and None is none %}y{% endif %}', 'y'],
  ])('%s', (_, template, expected) => {
    expect(render(template, hi, { specialTokens: { bos_token: '<s>' } })).toBe(expected);
  });

  test('the date that is passed in, as strftime writes it', () => {
    const now = new Date(2024, 1, 3, 14, 5, 6);
    const format = '%d %b %Y|%-d %B %y|%A %a|%H:%M:%S|%I %p|%j|%%';
    expect(render(`{{ strftime_now("${format}") }}`, hi, { now })).toBe(
      '03 Feb 2024|3 February 24|Saturday Sat|14:05:06|02 PM|034|%',
    );
    expect(render('{{ strftime_now("%j") }}', hi, { now: new Date(2023, 11, 31, 23, 59) })).toBe('365');
  });

  test('the same template twice without a trace of the first', () => {
    const template = chatTemplate('{% set x = messages[0].content %}{{ x }}', 'T');
    const say = (content: string) =>
      template.render([{ role: 'user', content }], { addGenerationPrompt: false });
    expect([say('a'), say('b')]).toEqual(['a', 'b']);
  });
});

describe('refuses, with one line', () => {
  test.each([
    [
      'what raises',
      '{{ raise_exception("only\nusers") }}',
      /^T: the chat template refuses these messages: only users$/,
    ],
    ['what does not parse', '{% for', /^T: the chat template does not parse: /],
    ['what does not close', '{% if true %}', /^T: the chat template does not parse: /],
    ['an unknown function', '{{ nothing() }}', /^T: the chat template fails: 'nothing' is undefined$/],
    ['break outside a loop', '{% break %}', /^T: the chat template fails: break or continue outside a loop$/],
    ['a date that is not given', '{{ strftime_now("%d") }}', /asks for the date, and none is given/],
    ['a range that does not end', '{{ range(1, 5, 0) }}', /range\(\) arg 3 must not be zero/],
    [
      'a range beyond all',
      '{{ range(10 ** 9) }}',
      /expected range\(\) of at most 100000, found range\(1000000000\)/,
    ],
    [
      'strings beyond all',
      '{% set n = namespace(s="ab") %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}',
      /Invalid string length/,
    ],
    [
      'nesting beyond all',
      `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`,
      /does not parse: Maximum call stack/,
    ],
  ])('%s', (_, template, message) => {
    expect(() => render(template)).toThrow(InputError);
    expect(() => render(template)).toThrow(message);
  });

  test('a date format that Python does not know', () => {
    expect(() => render('{{ strftime_now("%Q") }}', hi, { now: new Date(0) })).toThrow(/%Q is not supported/);
  });

  test('what would run for hours, after 5 s', () => {
    const loop = (variable: string, body: string) =>
      `{% for ${variable} in range(9999) %}${body}{% endfor %}`;
    const start = performance.now();
    expect(() => render(loop('a', loop('b', loop('c', '{{ a }}'))))).toThrow(
      /fails: it takes more than 5 s$/,
    );
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

test('a damaged template renders or is refused', () => {
  const scraps = [
    '{%',
    '%}',
    '{{',
    '}}',
    ' for m in messages ',
    ' endfor ',
    ' if ',
    ' endif ',
    'm',
    '.content',
    "['role']",
    '|trim',
    '|tojson',
    ' set x = ',
    '(',
    ')',
    "'",
    '"',
    '\n',
    '-',
    '#}',
    '{#',
    ' is ',
    'namespace(',
    'range(3)',
    ' ~ ',
    '1',
    'text',
  ];
  const template = fc.oneof(
    fc.array(fc.constantFrom(...scraps), { maxLength: 20 }).map((parts) => parts.join('')),
    fc
      .tuple(fc.nat(chatMl.length), fc.nat(9), fc.constantFrom(...scraps, ''))
      .map(([at, length, scrap]) => chatMl.slice(0, at) + scrap + chatMl.slice(at + length)),
  );
  fc.assert(
    fc.property(template, (text) => {
      try {
        expect(typeof render(text)).toBe('string');
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        expect(error.message).not.toMatch(/[\r\n]/);
      }
    }),
    { numRuns: 1000 },
  );
});

describe.skipIf(!shared)('needs ../shared: the real template', () => {
  test('gives the golden texts', () => {
    const config = JSON.parse(readFileSync(join(realModel(), 'tokenizer_config.json'), 'utf8'));
    const cases = JSON.parse(readFileSync(inShared('golden', 'chat.json'), 'utf8')) as {
      messages: ChatMessage[];
      add_generation_prompt: boolean;
      text: string;
    }[];
    expect(cases.length).toBeGreaterThan(0);
    for (const { messages, add_generation_prompt, text } of cases)
      expect(render(config.chat_template, messages, { addGenerationPrompt: add_generation_prompt })).toBe(
        text,
      );
  });
});
