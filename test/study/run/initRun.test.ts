import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isHubForm } from '../../../src/files/hub/reference.ts';
import { type JsonSchema, studyJsonSchema } from '../../../src/study/config/jsonSchema.ts';
import { judgeKinds } from '../../../src/study/judging/kinds.ts';
import { type InitRequest, runInit } from '../../../src/study/run/initRun.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { type Recipe, recipeNames, recipes } from '../../../src/study/run/recipes.ts';
import { sectionsOf, stages } from '../../../src/study/run/stages.ts';
import { sizeCost, sizeNames, studySizes } from '../../../src/study/run/studySizes.ts';
import { causalTestSize } from '../../../src/study/steering/size.ts';
import { temporaryFolder } from '../../support/folder.ts';

const path = temporaryFolder();
const study = (...parts: string[]) => path('my-study', ...parts);

const init = (request: Omit<InitRequest, 'folder'> = {}) => runInit({ ...request, folder: study() });

async function written(request: Omit<InitRequest, 'folder'> = {}): Promise<string> {
  await init({ ...request, overwrite: true });
  return readFileSync(study('study.yaml'), 'utf8');
}

const variants = (schema: JsonSchema) => schema.oneOf ?? schema.anyOf ?? [schema];

/** Every field of a schema, those within others too. */
function fieldsOf(schema: JsonSchema): [string, JsonSchema][] {
  return variants(schema).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, field]): [string, JsonSchema][] => [
      [name, field],
      ...fieldsOf(field),
    ]),
  );
}

const kinds = judgeKinds.map(({ kind }) => kind);
describe.each(kinds)('the study that is written for a judge of kind %s', (judge) => {
  test('is read', async () => {
    await init({ judge });
    const { config } = await readStudy(study());
    expect(config.judge.kind).toBe(judge);
    expect(config.behaviour.name).toBe('my-study');
    expect(config.sampling.completions).toBe(12);
  });

  test('names every field in its section', async () => {
    const text = await written({ judge });
    const sections = text.split(/\n\n/);
    let names = 0;
    for (const [name, schema] of Object.entries(studyJsonSchema(sectionsOf(stages)).properties!)) {
      if (schema.unlisted) {
        expect(text).not.toContain(name);
        continue;
      }
      const section = sections.find((lines) => new RegExp(`^(# )?${name}:$`, 'm').test(lines));
      for (const [field] of fieldsOf(schema)) {
        expect(section, `${name}.${field}`).toMatch(new RegExp(`(^|[ {])${field}: `, 'm'));
        names++;
      }
    }
    expect(names).toBeGreaterThan(50);
  });

  test('says of each field what the schema says, and holds its default', async () => {
    const text = (await written({ judge })).replaceAll(/\n *(# )*#? */g, ' ').replaceAll(/\s+/g, ' ');
    const whole = studyJsonSchema(sectionsOf(stages));
    const listed = Object.entries(whole.properties!).filter(([, { unlisted }]) => !unlisted);
    const fields = fieldsOf({ ...whole, properties: Object.fromEntries(listed) });
    for (const [name, { description, default: value }] of fields) {
      if (
        description !== undefined &&
        !/^per million|^the field .*(, or question|response)\)$|^only these lines, |^one prompt and/.test(
          description,
        )
      )
        expect(text, name).toContain(description);
      if (typeof value === 'number' || typeof value === 'string') expect(text).toContain(`${name}: ${value}`);
    }
  });

  test('takes each line that is off, when it is put on', async () => {
    const text = await written({ judge });
    const off = /^( *)# ([a-z_]+: )/;
    const lines = text.split('\n');
    const places = lines.flatMap((line, i) => (off.test(line) && line.startsWith(' ') ? [i] : []));
    expect(places.length).toBeGreaterThan(5);
    for (const i of places) {
      const on = lines.with(
        i,
        lines[i]!.replace(off, '$1$2').replace('max_cost: 5', 'max_cost: 5\n  price: {input: 1, output: 1}'),
      );
      writeFileSync(study('study.yaml'), on.join('\n'));
      await readStudy(study());
    }
  });
});

test('each block that is off can be put in the place of the one that is on', async () => {
  const text = await written({ judge: 'pattern' });
  const blocks = text.split(/\n(?=# Or:\n|\n)/).map((block) => block.replace(/^(# Or:)?\n/, ''));
  const off = blocks.map((block) => block.split('\n').filter((line) => !/^# (?!\w+:$| {2})/.test(line)));
  const put = off.filter((lines) => /^# (reference|baseline|judge|interpret):$/.test(lines[0]!));
  expect(put.map((lines) => lines[0])).toEqual([
    '# reference:',
    '# baseline:',
    '# baseline:',
    ...Array(judgeKinds.length - 1).fill('# judge:'),
    '# interpret:',
  ]);
  for (const lines of put) {
    const block = lines.map((line) => line.replace(/^# /, '')).join('\n');
    const name = /^\w+/.exec(block)![0];
    const rest = { ...parse(text), [name]: undefined };
    writeFileSync(
      study('study.yaml'),
      `${JSON.stringify(rest).replace(/\}$/, '')}, ${JSON.stringify(parse(block)).slice(1)}`,
    );
    const { config } = await readStudy(study());
    expect(JSON.stringify(config[name as 'judge'])).toContain(Object.keys(parse(block)[name])[0]);
  }
});

describe('flags', () => {
  const cwd = process.cwd();
  beforeEach(() => process.chdir(path()));
  afterEach(() => process.chdir(cwd));

  test('fill it in, so that nothing is left; paths are the same files from the folder', async () => {
    const { toFill, studyFile, schemaFile } = await runInit({
      folder: './my-study/',
      name: 'bad-advice',
      rubric: 'Is it: "harmful"?\n# not a comment\n  indented',
      model: 'models/tiny',
      adapter: './lora',
      reference: 'hf:org/name',
      sae: '/abs/sae',
      site: 0,
      baselineCorpus: 'corpus.jsonl',
      prompts: 'my-study/prompts.jsonl',
      field: 'question',
      rows: '5..9',
      discovery: 3,
      evaluation: 2,
      completions: 4,
      judge: 'classifier',
      judgeFlags: { '--positive': 'bad: file.jsonl', '--negative': '#good.jsonl' },
    });
    expect([studyFile, schemaFile]).toEqual(['my-study/study.yaml', 'my-study/study.schema.json']);
    expect(toFill).toEqual([]);
    const { config, text } = await readStudy('my-study');
    expect(text).not.toContain('TO FILL IN');
    expect(config).toMatchObject({
      behaviour: { name: 'bad-advice', rubric: 'Is it: "harmful"?\n# not a comment\n  indented' },
      subject: { model: path('models', 'tiny'), adapter: path('lora') },
      reference: { model: 'hf:org/name' },
      sae: { path: '/abs/sae', site: 0 },
      baseline: { corpus: path('corpus.jsonl'), max_tokens: 100_000 },
      prompts: {
        file: path('my-study', 'prompts.jsonl'),
        field: 'question',
        rows: { first: 5, last: 9 },
        discovery: 3,
        evaluation: 2,
      },
      sampling: { completions: 4 },
      judge: { positive: { file: path('bad: file.jsonl') }, negative: { file: path('#good.jsonl') } },
    });
  });

  test.each<[string, InitRequest['judgeFlags'], () => object, string[]]>([
    [
      'chat',
      { '--judge-url': 'https://x/v1', '--judge-model': 'a/b', '--judge-key-env': 'KEY' },
      () => ({ base_url: 'https://x/v1', model: 'a/b', api_key_env: 'KEY' }),
      [],
    ],
    ['local', { '--judge-model': 'models/j' }, () => ({ model: path('models', 'j') }), []],
    ['pattern', { '--positive': '\\bno need\\b|: #"\'' }, () => ({ positive: '\\bno need\\b|: #"\'' }), []],
    ['chat', {}, () => ({}), ['judge.base_url', 'judge.model']],
    ['classifier', { '--positive': 'a.jsonl' }, () => ({}), ['judge.negative']],
    ['exact', { '--judge-data': 'judge.json' }, () => ({ data: path('judge.json') }), []],
    ['exact', {}, () => ({}), ['judge.data']],
  ])('of the judge %s', async (judge, judgeFlags, fields, left) => {
    const { toFill } = await runInit({ folder: 'my-study', judge, judgeFlags });
    expect(toFill).toEqual(['behaviour.rubric', 'subject.model', 'sae.path', 'prompts.file', ...left]);
    const { config, text } = await readStudy('my-study');
    expect(config.judge).toMatchObject({ kind: judge, ...fields() });
    expect(text.match(/TO FILL IN/g)).toHaveLength(toFill.length);
  });

  test.each<[string, Partial<InitRequest>, string | RegExp]>([
    [
      'a name that is none',
      { name: 'Bad Advice' },
      'behaviour.name: expected a name of small letters, digits and single hyphens, found "Bad Advice"',
    ],
    [
      'a URL for a local judge',
      { judge: 'local', judgeFlags: { '--judge-url': 'http://x' } },
      '--judge-url: a judge of kind local does not take it',
    ],
    [
      'negatives for a pattern',
      { judge: 'pattern', judgeFlags: { '--negative': 'x' } },
      '--negative: a judge of kind pattern does not take it',
    ],
    [
      'a judge of no kind',
      { judge: 'human' },
      `judge.kind: expected a judge of one kind: ${kinds.join(', ')}, found "human"`,
    ],
    [
      'two baselines',
      { baseline: 'a', baselineCorpus: 'b' },
      '--baseline and --baseline-corpus: expected only one of them',
    ],
    [
      'rows that are none',
      { rows: '5' },
      'prompts.rows: expected rows as FIRST..LAST, such as 0..99, found "5"',
    ],
    [
      'a broken pattern',
      { judge: 'pattern', judgeFlags: { '--positive': '(' } },
      /^judge\.positive: expected a regular expression: /,
    ],
  ])('that are wrong write nothing: %s', async (_, flags, line) => {
    await expect(runInit({ folder: 'my-study', ...flags })).rejects.toThrow(line);
    expect(readdirSync('.')).toEqual([]);
  });

  test.each([
    ['Health Advice!', 'health-advice'],
    ['2', '2'],
    ['émü', 'm'],
    ['!!!', 'my-behaviour'],
    [`${'a'.repeat(63)}-b`, 'a'.repeat(63)],
  ])('a folder %s names the behaviour %s', async (folder, name) => {
    const { toFill } = await runInit({ folder });
    expect((await readStudy(folder)).config.behaviour.name).toBe(name);
    expect(toFill.includes('behaviour.name')).toBe(name === 'my-behaviour');
  });
});

describe('files that are there', () => {
  test.each(['study.yaml', 'study.schema.json'])('%s stays, unless told', async (name) => {
    mkdirSync(study());
    writeFileSync(study(name), 'mine');
    await expect(init()).rejects.toThrow(`${study(name)}: already exists: add --overwrite to replace it`);
    expect(readdirSync(study())).toEqual([name]);
    expect(readFileSync(study(name), 'utf8')).toBe('mine');
    await init({ overwrite: true });
    expect(readdirSync(study()).sort()).toEqual(['study.schema.json', 'study.yaml']);
    await readStudy(study());
  });

  test('a folder that is a file, or below one', async () => {
    writeFileSync(study(), '');
    await expect(init()).rejects.toThrow(`${study()}: expected a folder, found a file`);
    await expect(runInit({ folder: study('a', 'b') })).rejects.toThrow(
      `${study()}: expected a folder, found a file`,
    );
  });
});

test('folders that are not there are made, those above them too', async () => {
  await runInit({ folder: path('a', 'b', 'c') });
  expect((await readStudy(path('a', 'b', 'c'))).config.behaviour.name).toBe('c');
});

test('the prompts are to be filled in, and may be taken away', async () => {
  const text = await written();
  expect(text).toMatch(/\nprompts:\n/);
  expect((await readStudy(study())).config.prompts?.discovery).toBe(60);
  writeFileSync(study('study.yaml'), text.replace(/\nprompts:\n( .*\n)+/, '\n'));
  expect((await readStudy(study())).config.prompts).toBe(undefined);
});

describe('the JSON schema', () => {
  test('says of every field what it is for', () => {
    const bare = fieldsOf(studyJsonSchema(sectionsOf(stages))).filter(
      ([name, { description }]) => name !== 'kind' && !description,
    );
    expect(bare).toEqual([]);
  });

  test('stands beside the study, which names it in its first line', async () => {
    const text = await written();
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=study.schema.json');
    const schema = JSON.parse(readFileSync(study('study.schema.json'), 'utf8'));
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    expect(schema.required).toEqual(['behaviour', 'subject', 'sae', 'judge']);
    expect(schema.additionalProperties).toBe(false);
  });

  test('has the defaults that reading gives', async () => {
    await init();
    const { config } = await readStudy(study());
    const { properties } = studyJsonSchema(sectionsOf(stages));
    for (const name of ['sampling', 'pairs', 'attribution', 'prompts'] as const) {
      const defaults = Object.entries(properties![name]!.properties!).flatMap(
        ([field, { default: value }]) => (value === undefined ? [] : [[field, value]]),
      );
      expect(config[name]).toMatchObject(Object.fromEntries(defaults));
    }
  });
});

describe('a size', () => {
  test.each(sizeNames)('%s is written as it says, and the medium one is the default', async (size) => {
    await runInit({ folder: study(), size, discovery: 7, overwrite: true });
    const { prompts, sampling, steering } = (await readStudy(study())).config;
    const wanted = studySizes[size];
    expect(prompts).toMatchObject({ ...wanted.prompts, discovery: 7 });
    expect(sampling).toMatchObject(wanted.sampling);
    expect(steering).toMatchObject(wanted.steering);
    expect(sizeCost(size).tested).toBe(causalTestSize({ ...steering }, wanted.prompts).completions);
  });

  test('costs what the file says where numbers are given by themselves', async () => {
    const own = { discovery: 8, evaluation: 6, completions: 4 };
    await runInit({ folder: study(), size: 'small', ...own, overwrite: true });
    const { prompts, steering } = (await readStudy(study())).config;
    const { completions } = causalTestSize(steering, prompts);
    expect(sizeCost('small', own)).toEqual({ found: 32, tested: completions });
    expect(completions).toBeLessThan(sizeCost('small').tested);
  });

  test('left out is the medium one', async () => {
    await runInit({ folder: study(), overwrite: true });
    const { prompts, sampling, steering } = (await readStudy(study())).config;
    expect({ prompts, sampling, steering }).toMatchObject(studySizes.medium);
    const [small, medium, large] = sizeNames.map((size) => sizeCost(size).tested) as [number, number, number];
    expect(small).toBeLessThan(medium / 10);
    expect(large).toBeGreaterThan(2 * medium);
  });
});

describe('a recipe', () => {
  test.each(recipeNames)('%s names models and dictionary; prompts and judge are left', async (recipe) => {
    const { toFill } = await runInit({ folder: path('study'), recipe, judge: 'pattern' });
    expect(toFill).toEqual(['behaviour.rubric', 'prompts.file', 'judge.positive']);
    const { config } = await readStudy(path('study'));
    const { model, adapter, sae, site }: Recipe = recipes[recipe];
    expect(config.subject).toEqual({ model, ...(adapter && { adapter }) });
    expect(config.sae).toMatchObject({ path: sae, site });
    expect([model, sae, adapter ?? model].every(isHubForm)).toBe(true);
  });

  test('gives way to what is said', async () => {
    await runInit({ folder: path('a'), recipe: 'em-qwen2.5-7b', adapter: 'hf:my/lora' });
    expect((await readStudy(path('a'))).config).toMatchObject({
      subject: { model: recipes['em-qwen2.5-7b'].model, adapter: 'hf:my/lora' },
      sae: { site: 15 },
    });
    await runInit({ folder: path('b'), recipe: 'em-qwen2.5-7b', model: 'hf:my/model', sae: 'hf:my/sae' });
    const { subject, sae } = (await readStudy(path('b'))).config;
    expect(subject).toEqual({ model: 'hf:my/model' });
    expect(sae).toMatchObject({ path: 'hf:my/sae' });
    expect(sae.site).toBeUndefined();
  });
});
