import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { damage, outcome } from '../../support/hostile.ts';

const path = temporaryFolder();

const least = `behaviour: {name: harm, rubric: Does it harm?}
subject: {model: model}
sae: {path: sae}
prompts: {file: prompts.jsonl}
judge: {kind: pattern, positive: bad}
`;

function put(text: string): string {
  writeFileSync(path('study.yaml'), text);
  return path('study.yaml');
}

const read = async (text: string) => (await readStudy(put(text))).config;

/** The one line that is said of a study, without the folder. */
async function said(text: string): Promise<string> {
  const error = await readStudy(put(text)).then(
    () => new Error('nothing was refused'),
    (found: Error) => found,
  );
  expect(error.name).toBe('InputError');
  expect(error.message).not.toMatch(/[\n\r]/);
  return error.message.replaceAll(path(), '$');
}

const variable = (name: string) => `\${${name}}`;

describe('a study', () => {
  test('has its defaults', async () => {
    expect(await read(least)).toEqual({
      behaviour: { name: 'harm', rubric: 'Does it harm?' },
      subject: { model: path('model') },
      reference: { model: path('model') },
      sae: { path: path('sae') },
      prompts: { file: path('prompts.jsonl'), discovery: 60, evaluation: 60, calibration: 30, seed: 1 },
      check: { mode: 'stop', answers: 24 },
      sampling: { completions: 12, temperature: 1, top_p: 1, max_tokens: 110, seed: 1, rows: 64 },
      judge: { kind: 'pattern', positive: 'bad' },
      pairs: { per_prompt: 1, limit: 148 },
      attribution: { tokens: 'prompt', loss: 'mean', top: 100, rank: 'first-order', rank_pairs: 8 },
      fidelity: { latents: 20, pairs: 8, integrated: 5, integrated_pairs: 1, steps: 10, seed: 1 },
      steering: {
        selectors: ['delta-attribution', 'delta-activation'],
        candidates: 100,
        random: 50,
        doses: [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8],
        incoherent: 0.1,
        incoherence: 'judge',
        calibration_completions: 2,
        completions: 3,
        tokens: 'all',
        gate_pairs: 8,
        gate_dose: 0.2,
        gate_share: 0.5,
        held_tokens: 'all',
        aside: 0.333,
        remeasured: 5,
        patch: false,
        gaussian: 8,
        full: false,
        seed: 1,
      },
    });
  });

  test('is read with every field, in block or flow style', async () => {
    const config = await read(`
behaviour:
  name: inaccurate-health-advice
  rubric: |
    Could it harm?
    Yes or no.
subject: {model: hf:org/name, adapter: /abs/lora}
reference: {model: ../twin.gguf}
sae: {path: ~/sae, site: 0}
baseline: {corpus: c.jsonl}
prompts: {file: p.csv, field: question, rows: 1700..1999, discovery: 1, evaluation: 40, seed: 0}
sampling: {completions: 1, temperature: 0, top_p: 0.5, top_k: 5, min_p: 0, max_tokens: 1, stop: ["\\n"], seed: 2147483647, rows: 1}
judge:
  kind: classifier
  positive: a.jsonl
  negative: {file: b.jsonl, completion: correct, rows: 0..9}
  site: 3
  threshold: 1
  held_out: 0.5
  seed: 2
pairs: {per_prompt: all, limit: 9}
attribution: {tokens: all, loss: sum, top: 1}
`);
    expect(config.behaviour.rubric).toBe('Could it harm?\nYes or no.\n');
    expect(config.subject).toEqual({ model: 'hf:org/name', adapter: '/abs/lora' });
    expect(config.reference).toEqual({ model: path('..', 'twin.gguf') });
    expect(config.sae).toEqual({ path: path('~', 'sae'), site: 0 });
    expect(config.baseline).toEqual({ corpus: path('c.jsonl'), max_tokens: 100_000 });
    expect(config.prompts?.rows).toEqual({ first: 1700, last: 1999 });
    expect(config.sampling.stop).toEqual(['\n']);
    expect(config.judge).toEqual({
      kind: 'classifier',
      positive: { file: path('a.jsonl') },
      negative: { file: path('b.jsonl'), completion: 'correct', rows: { first: 0, last: 9 } },
      site: 3,
      threshold: 1,
      held_out: 0.5,
      seed: 2,
    });
    expect(config.pairs).toEqual({ per_prompt: 'all', limit: 9 });
  });

  test('says where it stands and what it says', async () => {
    mkdirSync(path('deep'));
    writeFileSync(path('deep', 'other.yaml'), least);
    const { file, folder, text, config } = await readStudy(path('deep', 'other.yaml'));
    expect({ file, folder, text }).toEqual({
      file: path('deep', 'other.yaml'),
      folder: path('deep'),
      text: least,
    });
    expect(config.sae.path).toBe(path('deep', 'sae'));
    put(least);
    expect((await readStudy(path())).file).toBe(path('study.yaml'));
  });

  test('has paths with variables of the environment, and refuses one that is not set', async () => {
    vi.stubEnv('ELSEWHERE', path('elsewhere'));
    vi.stubEnv('SIZE', 'small');
    vi.stubEnv('NOT_SET', undefined);
    const set = changed(`sae: {path: "${variable('ELSEWHERE')}/${variable('SIZE')}"}`);
    const { subject, sae } = await read(set.replace('model: model', `model: "${variable('ELSEWHERE')}/a"`));
    expect([subject.model, sae.path]).toEqual([path('elsewhere', 'a'), path('elsewhere', 'small')]);
    expect(await said(changed(`sae: {path: "${variable('NOT_SET')}/sae"}`))).toBe(
      `$/study.yaml:1:13: sae.path: expected the environment to have NOT_SET for ${variable('NOT_SET')}, found none`,
    );
    vi.unstubAllEnvs();
  });
});

/** `least` with one of its lines, or a new one, set. */
function changed(line: string): string {
  const key = /^\w+/.exec(line)![0];
  const lines = least.split('\n').filter((old) => old !== '' && !old.startsWith(`${key}:`));
  return [line, ...lines, ''].join('\n');
}

const chat = 'judge: {kind: chat, base_url: "http://x/v1", model: m';

const wrong: Readonly<Record<string, readonly [text: string, line: string | RegExp]>> = {
  // Fields.
  'an unknown field': [
    changed('sampeling: {}'),
    '$/study.yaml:1:1: expected a known field, found "sampeling" (did you mean sampling?)',
  ],
  'an unknown field like no other': [
    changed('sae: {path: a, zzz: 1}'),
    '$/study.yaml:1:16: sae: expected one of the fields path, site, kind, k, threshold, subtract_bias, found "zzz"',
  ],
  'a required field spelled wrong': [
    changed('subject: {modle: a}'),
    '$/study.yaml:1:11: subject: expected a known field, found "modle" (did you mean model?)',
  ],
  'a required field left out': [
    changed('behaviour:\n  name: x'),
    '$/study.yaml:1:1: behaviour.rubric: expected a rubric, found nothing',
  ],
  'a section left out': [
    least.replace(/sae.*\n/, ''),
    '$/study.yaml:1:1: sae: expected the fields path, site, kind, k, threshold, subtract_bias, found nothing',
  ],
  'a section without fields': [
    changed('sae:'),
    '$/study.yaml:1:1: sae: expected the fields path, site, kind, k, threshold, subtract_bias, found null',
  ],
  'a section that is a text': [
    changed('subject: model/'),
    '$/study.yaml:1:10: subject: expected the fields model, adapter, found "model/"',
  ],
  'a field of another judge': [
    changed('judge: {kind: pattern, positive: a, base_url: b}'),
    '$/study.yaml:1:37: judge: expected one of the fields kind, positive, flags, incoherent, found "base_url"',
  ],
  'a field of every object': [
    changed('constructor: 1'),
    /^\$\/study\.yaml:1:1: expected one of the fields behaviour, .* found "constructor"$/,
  ],
  'a field named __proto__': [
    changed('__proto__: 1'),
    /^\$\/study\.yaml:1:1: expected one of the fields .* found "__proto__"$/,
  ],

  // Types and bounds.
  'a number for a text': [
    changed('behaviour: {name: 12, rubric: x}'),
    '$/study.yaml:1:19: behaviour.name: expected a name of small letters, digits and single hyphens, found 12',
  ],
  'a name with a blank': [
    changed('behaviour: {name: bad advice, rubric: x}'),
    '$/study.yaml:1:19: behaviour.name: expected a name of small letters, digits and single hyphens, found "bad advice"',
  ],
  'a blank rubric': [
    changed('behaviour: {name: x, rubric: " "}'),
    /:1:30: behaviour\.rubric: expected a rubric, found " "$/,
  ],
  'a fraction for a count': [
    changed('prompts: {file: p, discovery: 1.5}'),
    '$/study.yaml:1:31: prompts.discovery: expected a whole number of at least 1, found 1.5',
  ],
  'a count in words': [changed('sampling: {completions: twelve}'), /from 1 to 10000, found "twelve"$/],
  'no completions': [
    changed('sampling: {completions: 0}'),
    /completions: expected a whole number from 1 to 10000, found 0$/,
  ],
  'top_p 0': [
    changed('sampling: {top_p: 0}'),
    '$/study.yaml:1:19: sampling.top_p: expected a number above 0 and at most 1, found 0',
  ],
  'a negative temperature': [
    changed('sampling: {temperature: -1}'),
    /expected a number of at least 0 and at most 100, found -1$/,
  ],
  'an infinite temperature': [changed('sampling: {temperature: .inf}'), /found Infinity$/],
  'no number': [
    changed('sampling: {min_p: .nan}'),
    /expected a number of at least 0 and at most 1, found NaN$/,
  ],
  'a seed of 33 bits': [changed('sampling: {seed: 4294967296}'), /from 0 to 2147483647, found 4294967296$/],
  'held_out 1': [
    changed('judge: {kind: classifier, positive: a, negative: b, held_out: 1}'),
    /judge\.held_out: expected a number above 0 and below 1, found 1$/,
  ],
  'an empty stop': [
    changed('sampling:\n  stop:\n    - a\n    - ""'),
    '$/study.yaml:4:7: sampling.stop[1]: expected a text of a character or more, found ""',
  ],
  'a stop that is no list': [
    changed('sampling: {stop: x}'),
    /sampling\.stop: expected a list of texts, found "x"$/,
  ],
  'rows as a number': [
    changed('prompts: {file: p, rows: 100}'),
    '$/study.yaml:1:26: prompts.rows: expected rows as FIRST..LAST, such as 0..99, found 100',
  ],
  'rows the wrong way round': [
    changed('prompts: {file: p, rows: 9..1}'),
    '$/study.yaml:1:26: prompts.rows: expected rows as FIRST..LAST, found a last row before the first',
  ],
  'a token set that is not there': [
    changed('attribution: {tokens: some}'),
    '$/study.yaml:1:23: attribution.tokens: expected prompt or completion or all, found "some"',
  ],
  'a hub model without its organisation': [
    changed('subject: {model: hf:name}'),
    '$/study.yaml:1:18: subject.model: expected a path or hf:[datasets/]ORG/NAME[@REVISION][/PATH], found "hf:name"',
  ],
  'a hub model outside the cache': [changed('subject: {model: hf:../x}'), /found "hf:\.\.\/x"$/],

  // Alternatives.
  'a judge of no kind': [
    changed('judge: {positive: a}'),
    '$/study.yaml:1:1: judge.kind: expected a judge of one kind: chat, local, classifier, pattern, exact, found nothing',
  ],
  'a judge of an unknown kind': [
    changed('judge: {kind: human}'),
    '$/study.yaml:1:15: judge.kind: expected a judge of one kind: chat, local, classifier, pattern, exact, found "human"',
  ],
  'a judge that is a text': [
    changed('judge: chat'),
    /judge: expected a judge of one kind: .*, found "chat"$/,
  ],
  'a baseline of two kinds': [
    changed('baseline: {file: a, corpus: b}'),
    '$/study.yaml:1:1: baseline: expected either file or corpus, found an object',
  ],
  'a baseline of no kind': [
    changed('baseline: {}'),
    /:1:1: baseline: expected either file or corpus, found an object$/,
  ],
  'a wrong field of a baseline': [
    changed('baseline: {corpus: a, max_token: 3}'),
    '$/study.yaml:1:23: baseline: expected a known field, found "max_token" (did you mean max_tokens?)',
  ],
  'a wrong number of a baseline': [
    changed('baseline: {corpus: a, max_tokens: 0}'),
    '$/study.yaml:1:35: baseline.max_tokens: expected a whole number of at least 1, found 0',
  ],
  'pairs of each prompt in words': [
    changed('pairs: {per_prompt: some}'),
    '$/study.yaml:1:21: pairs.per_prompt: expected a whole number of at least 1, or all, found "some"',
  ],
  'examples that are a number': [
    changed('judge: {kind: classifier, positive: 3, negative: b}'),
    /judge\.positive: expected a path, or the fields file, prompt, completion, rows, found 3$/,
  ],
  'a wrong field of the examples': [
    changed('judge:\n  kind: classifier\n  negative: b\n  positive:\n    file: a\n    row: 0..1'),
    '$/study.yaml:6:5: judge.positive: expected a known field, found "row" (did you mean rows?)',
  ],

  // The judge's own.
  'a URL without its scheme': [
    changed('judge: {kind: chat, base_url: localhost, model: m}'),
    '$/study.yaml:1:31: judge.base_url: expected a URL that begins with http:// or https://, found "localhost"',
  ],
  'a key in place of its variable, which is not shown': [
    changed(`${chat}, api_key_env: sk-123}`),
    /judge\.api_key_env: expected the name of an environment variable, not the key itself$/,
  ],
  'a budget without a price': [
    changed(`${chat}, max_cost: 3}`),
    /judge\.max_cost: expected price as well: max_cost is computed from it$/,
  ],
  'half a price': [
    changed(`${chat}, price: {input: 3}}`),
    /judge\.price\.output: expected a number of at least 0, found nothing$/,
  ],
  'a broken expression': [
    changed("judge: {kind: pattern, positive: '(a'}"),
    /^\$\/study\.yaml:1:34: judge\.positive: expected a regular expression: Invalid regular expression: .*Unterminated group$/,
  ],
  'a broken second expression': [
    changed("judge: {kind: pattern, positive: a, incoherent: '[', flags: i}"),
    /:1:49: judge\.incoherent: expected a regular expression: /,
  ],
  'flags that keep a place': [
    changed('judge: {kind: pattern, positive: a, flags: g}'),
    '$/study.yaml:1:44: judge.flags: expected flags of a regular expression, of d i m s u v, found "g"',
  ],

  // The file.
  nothing: [
    '',
    '$/study.yaml:1:1: expected the fields behaviour, subject, reference, sae, baseline, prompts, check, sampling, judge, pairs, attribution, fidelity, steering, second_judge, fix, interpret, found null',
  ],
  'a list': ['- a\n- b\n', /^\$\/study\.yaml:1:1: expected the fields behaviour, .*, found an array of 2$/],
  'a field twice': [
    `${least}sae: {path: b}\n`,
    '$/study.yaml:6:1: expected each field once, found "sae" twice',
  ],
  'a circle': [
    changed('subject: &x {model: *x}'),
    /:1:\d+: subject\.model: expected a path or hf:ORG\/NAME, found an object$/,
  ],
  'more than one mistake': [
    'subject: {model: 3}\nsae: {path: 4, sight: 5}\nzzz: 1\n',
    '$/study.yaml:1:1: behaviour: expected the fields name, rubric, positive, negative, found nothing; 5 more to fix, at lines 1, 2, 3',
  ],
};

describe('is refused in one line', () => {
  test.each(Object.entries(wrong))('%s', async (_, [text, line]) => {
    const found = await said(text);
    if (typeof line === 'string') expect(found).toBe(line);
    else expect(found).toMatch(line);
  });

  test('a folder without a study, or no folder', async () => {
    await expect(readStudy(path())).rejects.toThrow(
      `${path()}: expected a folder with study.yaml, found none: \`culprit init\` writes one`,
    );
    await expect(readStudy(path('no'))).rejects.toThrow(`${path('no')}: no such file or folder`);
  });

  test('whatever is damaged, or it is read', async () => {
    const bytes = Buffer.from(changed('sampling:\n  stop: [a, "b"]\n  top_k: &n 3\n  rows: *n\n'));
    await fc.assert(
      fc.asyncProperty(damage(bytes.length), async (damaged) => {
        writeFileSync(path('study.yaml'), damaged(bytes));
        await outcome(() => readStudy(path()));
      }),
      { numRuns: 300 },
    );
  });
});
