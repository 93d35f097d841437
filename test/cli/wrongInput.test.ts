/**
 * Everything that a user can get wrong, through the command itself: one line that says what to mend, exit
 * code 2, and nothing written.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/files/safetensors.ts';
import { f32 } from '../../src/tensor.ts';
import { culprit, type Ended } from '../support/cli.ts';
import { culpritHere } from '../support/cliHere.ts';
import {
  context,
  put,
  putAdapter,
  putAll,
  putBaseline,
  putSae,
  tiny as subject,
  type TinyFolder,
  type TinyPair,
  width,
} from '../support/tinyFolder.ts';
import { tinyModel } from '../support/tinyModel.ts';
import { byteLevelConfig } from '../support/tokenizers.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
const at = (...parts: string[]) => join(folder, ...parts);
let tiny: TinyFolder;

/** Options by name; `undefined` leaves one out, `true` gives it no value. */
type Options = Readonly<Record<string, string | true | undefined>>;

interface Wrong {
  readonly command?: 'attribute' | 'baseline';
  /** What is changed in a command that is right. */
  readonly change: (where: string) => Options | Promise<Options>;
  /** The line behind `culprit: `, with the folder of the test as $. */
  readonly line: string | RegExp;
  /** Default 2. */
  readonly code?: number;
  /** Default: `out` is not there afterwards. */
  readonly untouched?: (out: string) => void;
}

/** A copy of the model folder with some of its files changed; undefined takes one away. */
function modelWith(where: string, files: Readonly<Record<string, object | undefined>>): string {
  const path = join(where, 'model');
  cpSync(tiny.model, path, { recursive: true });
  for (const [name, content] of Object.entries(files))
    if (content === undefined) rmSync(join(path, name));
    else put(join(path, name), content);
  return path;
}

/** A copy of a file without all but its first `length` bytes. */
function cut(from: string, to: string, length: number): string {
  put(to, readFileSync(from));
  truncateSync(to, length);
  return to;
}

const good: TinyPair = { prompt: 'the tea', positive: ' in', negative: ' at' };
const pairsOf = (where: string, ...values: readonly unknown[]) => put(join(where, 'pairs.jsonl'), values);

const wrong: Readonly<Record<string, Wrong>> = {
  // What is not there.
  'a model that is not there': {
    change: (w) => ({ model: join(w, 'no') }),
    line: 'model $/no: no such file or folder',
  },
  'an adapter that is not there': {
    change: (w) => ({ adapter: join(w, 'no') }),
    line: 'adapter $/no: expected a folder with adapter_config.json',
  },
  'an SAE that is not there': {
    change: (w) => ({ sae: join(w, 'no') }),
    line: 'SAE $/no: no such file or folder',
  },
  'pairs that are not there': {
    change: (w) => ({ pairs: join(w, 'no') }),
    line: '$/no: no such file or folder',
  },
  'a baseline that is not there': {
    change: (w) => ({ baseline: join(w, 'no') }),
    line: '$/no: no such file or folder',
  },
  'a corpus that is not there': {
    change: (w) => ({ baseline: undefined, 'baseline-corpus': join(w, 'no') }),
    line: '$/no: no such file or folder',
  },
  'a model folder without weights': {
    change: (w) => ({ model: modelWith(w, { 'model.safetensors': undefined }) }),
    line: 'model $/model: expected model.safetensors, model.safetensors.index.json or one .gguf file, found none of these',
  },
  'a model folder without config.json': {
    change: (w) => ({ model: modelWith(w, { 'config.json': undefined }) }),
    line: '$/model/config.json: no such file or folder',
  },
  'an adapter folder without tensors': {
    change: (w) => {
      cpSync(tiny.adapter, join(w, 'adapter'), { recursive: true });
      rmSync(join(w, 'adapter', 'adapter_model.safetensors'));
      return { adapter: join(w, 'adapter') };
    },
    line: '$/adapter/adapter_model.safetensors: no such file or folder',
  },

  // Damaged files.
  'a GGUF cut short in its tensors': {
    change: (w) => ({ model: cut(tiny.gguf, join(w, 'cut.gguf'), 60_000) }),
    line: /^\$\/cut\.gguf: tensor "output\.weight": truncated: expected \d+ bytes or more, found 60000$/,
  },
  'a GGUF cut short in its header': {
    change: (w) => ({ model: cut(tiny.gguf, join(w, 'cut.gguf'), 600) }),
    line: /^\$\/cut\.gguf: byte \d+: truncated or damaged: /,
  },
  'a model that is no GGUF': {
    change: () => ({ model: tiny.pairs }),
    line: /pairs\.jsonl: not a GGUF file: it does not begin with "GGUF"$/,
  },
  'safetensors cut short in its tensors': {
    change: (w) => {
      const model = modelWith(w, {});
      truncateSync(join(model, 'model.safetensors'), 50_000);
      return { model };
    },
    line: /^\$\/model\/model\.safetensors: tensor "\S+": truncated: expected \d+ bytes or more, found 50000$/,
  },
  'safetensors cut short in its header': {
    change: (w) => {
      const model = modelWith(w, {});
      truncateSync(join(model, 'model.safetensors'), 100);
      return { model };
    },
    line: /^\$\/model\/model\.safetensors: truncated: expected \d+ bytes or more, found 100$/,
  },
  'SAE weights cut short': {
    change: (w) => {
      cpSync(tiny.sae, join(w, 'sae'), { recursive: true });
      truncateSync(join(w, 'sae', 'sae_weights.safetensors'), 2000);
      return { sae: join(w, 'sae') };
    },
    line: /^\$\/sae\/sae_weights\.safetensors: tensor "\S+": truncated: expected \d+ bytes or more, found 2000$/,
  },

  // Parts that do not fit each other.
  'an SAE of another width': {
    change: async (w) => ({ sae: await putSae(join(w, 'sae'), { d: 12 }) }),
    line: "SAE of width 12 ($/sae) does not fit the model's residual width 16",
  },
  'a site that the model does not have': {
    change: () => ({ site: '3' }),
    line: /^site resid_post 3: \S+ has blocks 0 to 2$/,
  },
  'an SAE of a site that the model does not have': {
    change: async (w) => ({ sae: await putSae(join(w, 'sae'), { hook: 'blocks.7.hook_resid_post' }) }),
    line: /^site resid_post 7: \S+ has blocks 0 to 2$/,
  },
  'another site than the SAE was trained at': {
    change: () => ({ site: '0' }),
    line: /^--site 0: the SAE \S+ was trained on resid_post 1 \(blocks\.1\.hook_resid_post\)$/,
  },
  'an SAE that does not say its site': {
    change: async (w) => ({ sae: await putSae(join(w, 'sae'), { hook: null }) }),
    line: 'SAE $/sae does not say its site: name the layer with --site',
  },
  'an adapter for a deeper model': {
    change: async (w) => ({
      adapter: await putAdapter(join(w, 'lora'), tinyModel({ config: { num_hidden_layers: 4 } })),
    }),
    line: /^\$\/lora: adapts model\.layers\.3\.\S+, which \S+ does not have: an adapter for another model\?$/,
  },
  'an adapter for a wider model': {
    change: async (w) => ({
      adapter: await putAdapter(join(w, 'lora'), tinyModel({ config: { hidden_size: 24 } })),
    }),
    line: /^\$\/lora: base_model\S+lora_A\.weight: expected \[2,16\] to fit \S+, found \[2,24\]$/,
  },
  'a config.json that does not fit the weights': {
    change: (w) => ({ model: modelWith(w, { 'config.json': { ...subject.config, intermediate_size: 24 } }) }),
    line: '$/model: weight model.layers.0.mlp.gate_proj.weight: config expects [24,16], the file has [20,16]',
  },

  // Pairs.
  'an empty completion': {
    change: (w) => ({ pairs: pairsOf(w, good, { ...good, positive: '' }) }),
    line: '$/pairs.jsonl:2: positive: expected a completion, found none but white space',
  },
  'a positive equal to its negative': {
    change: (w) => ({ pairs: pairsOf(w, good, { ...good, negative: good.positive }) }),
    line: '$/pairs.jsonl:2: expected two different completions, found positive equal to negative',
  },
  'a completion that is missing': {
    change: (w) => ({ pairs: pairsOf(w, { prompt: 'x', positive: 'y' }) }),
    line: /^\$\/pairs\.jsonl:1: negative: expected \S+, found nothing$/,
  },
  'broken JSON at line 3': {
    change: (w) => ({ pairs: put(join(w, 'pairs.jsonl'), `${JSON.stringify(good)}\n\n{"prompt": nope}\n`) }),
    line: /^\$\/pairs\.jsonl:3: not JSON: /,
  },
  'no pairs': {
    change: (w) => ({ pairs: pairsOf(w) }),
    line: '$/pairs.jsonl: expected pairs, found none',
    code: 3,
  },
  'a pair longer than the context': {
    change: (w) => ({ pairs: pairsOf(w, good, { ...good, id: 'long', prompt: 'z'.repeat(context) }) }),
    line: /^\$\/pairs\.jsonl: pair long: 259 tokens, the model takes 256 at most$/,
  },
  'a chat for a model without a template': {
    change: (w) => ({
      model: modelWith(w, { 'tokenizer_config.json': { ...byteLevelConfig, chat_template: undefined } }),
    }),
    line: '$/model: the model has no chat template: give prompts as text, not as messages',
  },

  // Baselines.
  'no baseline': {
    change: () => ({ baseline: undefined }),
    line: 'no baseline: add --baseline FILE (made by `culprit baseline`) or --baseline-corpus FILE (texts)',
  },
  'two baselines': {
    change: () => ({ 'baseline-corpus': tiny.corpus }),
    line: '--baseline and --baseline-corpus: expected only one of them',
  },
  'a baseline of another width': {
    change: async (w) => ({ baseline: await putBaseline(join(w, 'mean'), f32([12], Array(12).fill(0))) }),
    line: "baseline $/mean: mean has shape [12], the model's residual width is 16",
  },
  'a baseline without a mean': {
    change: async (w) => {
      await writeSafetensors(join(w, 'mean'), { average: f32([width], Array(width).fill(0)) });
      return { baseline: join(w, 'mean') };
    },
    line: 'baseline $/mean: expected a tensor named mean, or baseline as an attribution has it, found neither',
  },
  'a baseline with NaN': {
    change: async (w) => ({
      baseline: await putBaseline(join(w, 'mean'), f32([width], Array(width).fill(Number.NaN))),
    }),
    line: 'baseline $/mean: mean has values that are not finite',
  },
  'a corpus broken at line 2': {
    change: (w) => ({
      baseline: undefined,
      'baseline-corpus': put(join(w, 'corpus.jsonl'), '{"text":"a"}\nnope\n'),
    }),
    line: /^\$\/corpus\.jsonl:2: not JSON: /,
  },
  'a corpus without a text': {
    change: (w) => ({ baseline: undefined, 'baseline-corpus': put(join(w, 'corpus.txt'), '\n \n') }),
    line: '$/corpus.txt: no tokens to measure a baseline on',
  },

  // The command's own words.
  'an unknown option': {
    change: () => ({ frobnicate: true }),
    line: "unknown option '--frobnicate'; see `culprit attribute --help`",
  },
  'an option spelled almost right': {
    change: () => ({ 'token-se': 'all' }),
    line: "unknown option '--token-se' (Did you mean --token-set?); see `culprit attribute --help`",
  },
  'a required option left out': {
    change: () => ({ pairs: undefined }),
    line: 'attribute: expected a study, or --pairs; see `culprit attribute --help`',
  },
  '--top 0': {
    change: () => ({ top: '0' }),
    line: "option '--top <count>' argument '0' is invalid. Expected a whole number of at least 1; see `culprit attribute --help`",
  },
  '--memory without a unit': {
    change: () => ({ memory: '8' }),
    line: "option '--memory <size>' argument '8' is invalid. Expected a size such as 400M or 8G; see `culprit attribute --help`",
  },
  '--memory of less than a process takes': {
    change: () => ({ memory: '100M' }),
    line: '--memory: expected at least 400M, found 100M',
  },
  '--site -1': {
    change: () => ({ site: '-1' }),
    line: "option '--site <layer>' argument '-1' is invalid. Expected a whole number of at least 0; see `culprit attribute --help`",
  },
  'an unknown token set': {
    change: () => ({ 'token-set': 'some' }),
    line: "option '--token-set <set>' argument 'some' is invalid. Allowed choices are prompt, completion, all; see `culprit attribute --help`",
  },

  // Where results go.
  '--out that is a file': {
    change: (w) => ({ out: put(join(w, 'out'), 'mine') }),
    line: '--out $/out: expected a folder, found a file',
    untouched: (out) => expect(readFileSync(out, 'utf8')).toBe('mine'),
  },
  '--out below a file': {
    change: (w) => ({ out: join(put(join(w, 'out'), 'mine'), 'deep', 'er') }),
    line: '--out $/out: expected a folder, found a file',
    untouched: (out) => expect(readFileSync(join(out, '..', '..'), 'utf8')).toBe('mine'),
  },
  '--out that cannot be written': {
    // To the super-user every folder can be written but the system's own.
    change: (w) => {
      if (process.getuid?.() === 0) return { out: '/proc/culprit-test' };
      mkdirSync(join(w, 'out'));
      chmodSync(join(w, 'out'), 0o500);
      return { out: join(w, 'out') };
    },
    line: /^--out \S+: (permission denied|no such file or folder)$/,
    untouched: (out) => expect(existsSync(out) ? readdirSync(out) : []).toEqual([]),
  },
  'baseline: a corpus that is not there': {
    command: 'baseline',
    change: (w) => ({ corpus: join(w, 'no') }),
    line: '$/no: no such file or folder',
  },
  'baseline: --out that is a folder': {
    command: 'baseline',
    change: (w) => {
      mkdirSync(join(w, 'out'));
      return {};
    },
    line: '--out $/out: expected a file, found a folder',
    untouched: (out) => expect(readdirSync(out)).toEqual([]),
  },
  'baseline: no --site': {
    command: 'baseline',
    change: () => ({ site: undefined }),
    line: 'baseline: expected --site <layer>, found none; see `culprit baseline --help`',
  },
};

/** Some of each kind that are tried in a process of their own too, which says the same. */
const ownProcess: readonly string[] = [
  'an adapter that is not there',
  'a GGUF cut short in its tensors',
  'a pair longer than the context',
  'an unknown option',
  '--out that cannot be written',
  'baseline: no --site',
];

async function attempt(name: string, { command = 'attribute', change }: Wrong) {
  const where = at(name.replaceAll(/\W+/g, '-'));
  mkdirSync(where);
  const { model, adapter, sae, pairs, baseline, corpus, cache } = tiny;
  const right = {
    attribute: { model, sae, pairs, baseline },
    baseline: { model, adapter, site: '1', corpus },
  };
  const options: Options = { ...right[command], cache, out: join(where, 'out'), ...(await change(where)) };
  const args = Object.entries(options).flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option}`, ...(value === true ? [] : [value])],
  );
  const ended = await culpritHere([command, ...args]);
  if (ownProcess.includes(name)) expect(await culprit([command, ...args])).toEqual(ended);
  return { where, out: options.out as string, ended };
}

beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function expectOneLine({ code, stdout, stderr }: Ended, expected = 2): string {
  expect(stderr).toMatch(/^culprit: [^\n]+\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(expected);
  return stderr.slice('culprit: '.length, -1);
}

describe('is told in one line', () => {
  it.each(Object.entries(wrong))('%s', async (name, one) => {
    const { line, untouched, code } = one;
    const { where, out, ended } = await attempt(name, one);
    const found = expectOneLine(ended, code).replaceAll(where, '$');
    if (typeof line === 'string') expect(found).toBe(line);
    else expect(found).toMatch(line);
    if (untouched) untouched(out);
    else expect(existsSync(out)).toBe(false);
  });

  it('a command that is not there', async () => {
    expect(expectOneLine(await culpritHere(['atribute']))).toBe(
      "unknown command 'atribute' (Did you mean attribute?); see `culprit --help`",
    );
  });

  it('results of another run', async () => {
    const { model, sae, pairs, baseline } = tiny;
    const args = [
      'attribute',
      '--model',
      model,
      '--sae',
      sae,
      '--pairs',
      pairs,
      '--baseline',
      baseline,
      '--out',
      at('held'),
    ];
    expect((await culpritHere(args)).code).toBe(0);
    expect(expectOneLine(await culpritHere([...args, '--loss', 'sum']))).toBe(
      `--out ${at('held')}: holds the results of another run, with other inputs, options or versions: name another folder, or add --overwrite`,
    );
    expect((await culpritHere([...args, '--loss', 'sum', '--overwrite'])).code).toBe(0);
  });
});
