/**
 * Every key of config.json and of GGUF metadata is applied, without effect or refused by name, and docs/models.md
 * says which.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configKeys } from '../../src/models/configKeys.ts';
import { llama } from '../../src/models/families/llama.ts';
import { decoderOf, families, familyOfGguf } from '../../src/models/families.ts';
import type { Family } from '../../src/models/family.ts';
import { ggufKeys } from '../../src/models/ggufKeys.ts';
import type { KeyTable } from '../../src/models/keys.ts';
import { refusal } from '../support/refusal.ts';
import { tinyModel } from '../support/tinyModel.ts';

const { config } = tinyModel();
const decoder = (over: object) => decoderOf({ ...config, ...over }, 'config');

/** LlamaConfig of transformers 5.24 as it saves it, with what older versions and tools leave beside. */
const asSaved = {
  _name_or_path: 'somebody/something',
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.1,
  auto_map: { AutoModelForCausalLM: 'modeling.X' },
  bos_token_id: 1,
  dtype: 'bfloat16',
  eos_token_id: [2, 3],
  hidden_act: 'silu',
  initializer_range: 0.02,
  layer_types: ['full_attention', 'full_attention', 'full_attention'],
  max_window_layers: 2,
  mlp_bias: false,
  model_max_length: 4096,
  pretraining_tp: 2,
  quantization_config: null,
  rope_interleaved: false,
  rope_scaling: null,
  sliding_window: 4096,
  temperature: 0.6,
  'transformers.js_config': { kv_cache_dtype: 'float16' },
  transformers_version: '5.24.0',
  unsloth_version: '2026.1',
  use_cache: true,
  use_sliding_window: false,
};

describe('a config.json', () => {
  it('as published is read', () => {
    expect(decoder(asSaved)).toMatchObject({ width: 16, blocks: 3 });
  });

  const refused = Object.entries(configKeys.refused!).filter(([key]) => !llama.keys.applied!.includes(key));

  it.each(refused)('%s is refused by name, but not where it says nothing', (key, { unless = [] }) => {
    for (const value of [0.37, { bits: 4 }, ['sliding_attention']])
      expect(refusal(() => decoder({ [key]: value }))).toMatch(
        new RegExp(`^config: ${key}: not supported here \\(.+\\): expected .+, found `),
      );
    for (const value of [null, ...unless]) expect(() => decoder({ [key]: value })).not.toThrow();
  });

  it.each(configKeys.withoutEffect!)('%s changes nothing', (key) => {
    const name = key.replace('*', 'x');
    if (name !== 'model_type') expect(() => decoder({ [name]: 0.37 })).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['attn_output_multiplier', 2],
    ['mup_base_width', 64],
    ['use_gated_attention', true],
    ['ffn_activation', 'relu2'],
    ['final_norm_offset', 1],
    ['something_of_tomorrow', 3],
    ['a\nline', 3],
  ])('with %j: %j, which no table has, is refused', (key, value) => {
    expect(refusal(() => decoder({ [key]: value }))).toMatch(
      /^config: .+: not known here, and may change what the model computes/,
    );
  });

  it.each<[string, unknown]>([
    ['use_gated_attention', false],
    ['mup_base_width', null],
    ['my_version', 3],
    ['note', 'made by hand'],
    ['training_date', '2026-01-01'],
    ['freeze', true],
    ['toString', {}],
  ])('with %j: %j is read', (key, value) => {
    expect(() => decoder({ [key]: value })).not.toThrow();
  });
});

describe('the metadata of a GGUF', () => {
  const read = (more: readonly [string, unknown][]) => {
    const metadata = new Map<string, unknown>([
      ['general.architecture', 'llama'],
      ['llama.embedding_length', 16],
      ['llama.feed_forward_length', 20],
      ['llama.block_count', 3],
      ['llama.attention.head_count', 4],
      ['llama.attention.layer_norm_rms_epsilon', 1e-5],
      ...more,
    ]);
    const family = familyOfGguf(metadata, 'x.gguf');
    return family.gguf.config(metadata, new Map([['token_embd.weight', { shape: [29, 16] }]]), 'x.gguf');
  };

  it.each(Object.entries({ ...llama.gguf.keys.refused, ...ggufKeys.refused }))(
    '%s is refused by name, but not where it says nothing',
    (pattern, { unless = [] }) => {
      const key = pattern.replace('*', 'x');
      const value = key === 'split.count' ? 0.5 : 7;
      expect(refusal(() => read([[key, value]]))).toMatch(
        new RegExp(`^x\\.gguf: ${key}: not supported here`),
      );
      for (const neutral of unless) expect(() => read([[key, neutral]])).not.toThrow();
    },
  );

  it.each<[string, unknown]>([
    ['llama.something_of_tomorrow', 1],
    ['llama.rope.dimension_sections', Int32Array.of(2, 1, 1)],
    ['llama.attention.key_length_mla', 8],
  ])('%s, which no table has, is refused', (key, value) => {
    expect(refusal(() => read([[key, value]]))).toMatch(/^x\.gguf: llama\..+: not known here/);
  });

  it('is read with keys of other parts, and lists that say one number', () => {
    const more: [string, unknown][] = [
      ['general.size_label', '1B'],
      ['general.type', 'model'],
      ['tokenizer.ggml.anything', 3],
      ['quantize.imatrix.entries_count', 3],
      ['llama.vocab_size', 32],
      ['llama.rope.dimension_count', 4],
      ['llama.attention.value_length', 4],
      ['llama.attention.head_count_kv', Int32Array.of(2, 2, 2)],
      ['split.count', 1],
    ];
    expect(read(more)).toMatchObject({ num_key_value_heads: 2 });
  });

  it.each<[readonly [string, unknown][], RegExp]>([
    [[['llama.rope.dimension_count', 2]], /llama\.rope\.dimension_count: expected 4, .* found 2/],
    [[['llama.attention.value_length', 8]], /llama\.attention\.value_length: expected 4, .* found 8/],
    [[['llama.attention.head_count_kv', Int32Array.of(2, 4, 2)]], /head_count_kv: .* found \[2,4,2\]/],
    [[['llama.embedding_length', [1n, 'x']]], /embedding_length: expected a number, found \[1,"x"\]/],
    [[['split.count', 3]], /part 1 of 3 \(split\.count\)/],
    [
      [
        ['split.no', 2],
        ['split.count', 3],
      ],
      /part 3 of 3/,
    ],
  ])('that do not fit are refused: %#', (more, message) => {
    expect(refusal(() => read(more))).toMatch(message);
  });

  it.each<[Record<string, unknown>, unknown]>([
    [{}, { rope_type: 'default' }],
    [{ factor: 4 }, { rope_type: 'linear', factor: 4 }],
    [{ factor: 0 }, { rope_type: 'default' }],
    [{ type: 'none', factor: 4 }, { rope_type: 'default' }],
    [{ type: 'linear' }, { rope_type: 'default' }],
    [
      { type: 'yarn', factor: 4 },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 2048 },
    ],
    [
      { type: 'yarn', factor: 4, original_context_length: 512 },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 512 },
    ],
  ])('rope.scaling %j is read as llama.cpp does', (given, scaling) => {
    const more = Object.entries(given).map(([key, value]) => [`llama.rope.scaling.${key}`, value] as const);
    expect(read(more.map(([k, v]) => [k, v]))).toMatchObject({ rope_scaling: scaling });
  });

  it('the oldest name of a linear factor counts where the newer does not stand', () => {
    expect(read([['llama.rope.scale_linear', 2]])).toMatchObject({
      rope_scaling: { rope_type: 'linear', factor: 2 },
    });
  });
});

/** The rows of one table of docs/models.md. */
function rows({ applied = [], refused = {}, withoutEffect = [] }: KeyTable): string[] {
  const code = (name: string) => `\`${name}\``;
  const values = (unless: readonly unknown[] = []) =>
    unless.map((one) => code(JSON.stringify(one))).join(', ');
  return [
    ...applied.map((key) => `| ${code(key)} | applied | |`),
    ...Object.entries(refused).map(([key, { means, unless, whileOff }]) => {
      const but = [values(unless), whileOff ? `any while ${code(whileOff)} is false` : '']
        .filter((one) => one !== '')
        .join('; ');
      return `| ${code(key)} | refused: ${means} | ${but} |`;
    }),
    ...withoutEffect.map((key) => `| ${code(key)} | without effect | |`),
  ];
}

/** Rows of an architecture's own keys, which families share but for the name. */
function ggufRows({ gguf }: Family): string[] {
  return gguf ? rows(gguf.keys).map((row) => row.replace(`\`${gguf.architecture}.`, '`ARCH.')) : [];
}

/** The fields that every family but GPT-2, which names all its own way, applies. */
const common = families
  .filter(({ modelType }) => modelType !== 'gpt2')
  .map(({ keys }) => keys.applied!)
  .reduce((a, b) => a.filter((key) => b.includes(key)));

/** The first cells of a family's row: its name, the fields that it applies beside those, its GGUF architecture. */
function familyCells({ modelType, keys, gguf }: Family): string {
  const own = keys.applied!.filter((key) => !common.includes(key)).map((key) => `\`${key}\``);
  return `| \`${modelType}\` | ${own.join(', ')} | ${gguf ? `\`${gguf.architecture}\`` : ''} |`;
}

const documentation = () => readFileSync(resolve(import.meta.dirname, '../../docs/models.md'), 'utf8');

it.each(families.map((family) => [family.modelType, family] as const))(
  'docs/models.md has %s in its table of families',
  (_, family) => {
    expect(documentation()).toContain(familyCells(family));
    const shared = `Every family but \`gpt2\` applies ${common.map((key) => `\`${key}\``).join(', ')}.`;
    expect(documentation().replace(/\s+/g, ' ')).toContain(shared);
  },
);

it('docs/models.md lists the keys as they are read', () => {
  const text = documentation();
  const inCode = [
    ...families.flatMap(({ keys }) => rows(keys)),
    ...families.flatMap(ggufRows),
    ...[configKeys, ggufKeys].flatMap(rows),
  ];
  for (const row of inCode) expect(text).toContain(row);
  const listed = text.split('\n').filter((line) => /^\| `.*\| (applied|refused|without)/.test(line));
  expect(listed.filter((row) => !inCode.includes(row))).toEqual([]);
});
