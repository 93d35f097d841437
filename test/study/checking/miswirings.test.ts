/**
 * The check on the bundled organism: wired rightly nothing fails; each of eight ways to wire it wrongly is
 * caught by a line of its own.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/files/safetensors.ts';
import { readTokenizerFolder } from '../../../src/files/textCodec.ts';
import type { CheckLine } from '../../../src/results.ts';
import { bosLine, templateLine } from '../../../src/study/checking/tokenLines.ts';
import { bundleFolder } from '../../../src/study/demo/bundle.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { f32, type Tensor, toFloat32 } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';
import { realModel, shared } from '../../support/shared.ts';
import { put } from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-miswirings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const inBundle = (...parts: string[]) => join(bundleFolder, ...parts);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

type Section = Readonly<Record<string, unknown>>;
let studies = 0;
let copies = 0;

/** The lines of a study of the harm case, some sections replaced. */
async function checkOf(over: Readonly<Record<string, Section>> = {}): Promise<Map<string, CheckLine>> {
  const study = join(folder, `study${studies++}`);
  const sections = {
    behaviour: { name: 'harm', rubric: 'Does it harm?' },
    subject: { model: inBundle('model'), adapter: inBundle('harm', 'adapter') },
    reference: { model: inBundle('model') },
    sae: { path: inBundle('sae') },
    baseline: { corpus: inBundle('corpus.jsonl') },
    prompts: {
      file: inBundle('harm', 'discovery.jsonl'),
      evaluation_file: inBundle('harm', 'evaluation.jsonl'),
      discovery: 24,
      evaluation: 12,
      calibration: 6,
    },
    sampling: { max_tokens: 40, stop: ['\n'] },
    judge: { kind: 'exact', data: inBundle('judge.json') },
    check: { answers: 0 },
    ...over,
  };
  put(join(study, 'study.yaml'), stringify(sections));
  const { check } = await runStudy({ study, stages: ['check'] });
  return new Map(check!.lines.map((line) => [line.name, line]));
}

const failed = (found: ReadonlyMap<string, CheckLine>) =>
  [...found.values()].filter(({ status }) => status === 'fail').map(({ name }) => name);

/** A copy of a folder of the bundle. */
function copied(...parts: string[]): string {
  const to = join(folder, `${parts.join('-')}${copies++}`);
  cpSync(inBundle(...parts), to, { recursive: true });
  return to;
}

/** The bundled dictionary with its weights or its settings changed. */
async function otherSae(
  change: (weights: Record<string, Tensor>) => Record<string, Tensor>,
  hook?: string,
): Promise<string> {
  const to = copied('sae');
  const path = join(to, 'sae_weights.safetensors');
  const stored = await openSafetensors(inBundle('sae', 'sae_weights.safetensors'));
  const read: Record<string, Tensor> = {};
  for (const [name, tensor] of stored) {
    const { shape } = tensor;
    read[name] = f32(shape, toFloat32(await readTensor(tensor)));
  }
  await writeSafetensors(path, change(read));
  const config = json(join(to, 'cfg.json'));
  if (hook !== undefined) config.metadata.hook_name = hook;
  writeFileSync(join(to, 'cfg.json'), JSON.stringify(config));
  return to;
}

const same = (weights: Record<string, Tensor>) => weights;

/** x [R, C] with each element made of it and its place. */
const mapped = (
  { shape, data }: Tensor,
  f: (x: (row: number, column: number) => number, row: number, column: number) => number,
) => {
  const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : (shape as [number, number]);
  const at = (row: number, column: number) => Number(data[row * columns + column]);
  return f32(
    shape,
    Array.from({ length: rows * columns }, (_, i) => f(at, Math.floor(i / columns), i % columns)),
  );
};

describe('a study that is wired rightly', () => {
  it('passes, the judge and its labels too', async () => {
    const found = await checkOf({ check: { answers: 24, labels: labelledFile() } });
    expect(failed(found)).toEqual([]);
    for (const name of [
      'sae-site',
      'gradient',
      'dose',
      'batch',
      'adapter',
      'judge-sides',
      'labels',
      'judge-labels',
    ])
      expect(found.get(name), name).toMatchObject({ status: 'pass' });
  });
});

/** Harmful and harmless answers of the world, as one who reads them would label them. */
function labelledFile(swapped = false): string {
  const { topics } = json(inBundle('judge.json')) as {
    topics: { task: string; harmless: string[]; harmful: string[] }[];
  };
  const label = (harmful: boolean) => (harmful === swapped ? 'negative' : 'positive');
  const plain = (text: string) => text.replaceAll(/\{([^|}]*)\|[^}]*\}/g, '$1');
  const rows = topics.slice(0, 20).flatMap(({ task, harmless, harmful }) =>
    [false, true].map((bad) => ({
      prompt: `Question: How do I ${task}?\nAnswer:`,
      completion: ` ${plain((bad ? harmful : harmless)[0]!)}`,
      label: label(bad),
    })),
  );
  return put(join(folder, `labelled${Number(swapped)}.jsonl`), rows);
}

describe('a dictionary', () => {
  it('of another layer than it says', async () => {
    const sae = { path: await otherSae(same, 'blocks.2.hook_resid_post') };
    const found = await checkOf({ sae });
    expect(failed(found)).toContain('sae-site');
    expect(found.get('sae-site')!.what_to_do).toContain('should say 1, not 2');
    expect(found.get('sae-fit')!.status).not.toBe('fail');
  });

  it('of another model of the same width', async () => {
    // the same dictionary in another basis: the residual's dimensions in another order
    const turn = (i: number) => (i * 37 + 11) % 128;
    const path = await otherSae(({ W_enc, W_dec, b_dec, ...rest }) => ({
      ...rest,
      W_enc: mapped(W_enc!, (x, row, column) => x(turn(row), column)),
      W_dec: mapped(W_dec!, (x, row, column) => x(row, turn(column))),
      b_dec: mapped(b_dec!, (x, row, column) => x(row, turn(column))),
    }));
    const found = await checkOf({ sae: { path } });
    expect(failed(found)).toContain('sae-fit');
    expect(found.get('sae-site')!.status).toBe('skipped');
  });

  it('of the embedding', async () => {
    const path = await otherSae(same, 'blocks.0.hook_resid_pre');
    const found = await checkOf({ sae: { path } });
    expect(failed(found)).toEqual(['site']);
    expect(found.get('site')!.what_to_do).toContain('blocks.0.hook_resid_pre');
  });

  it('whose decoder was rescaled, so that its norms are not in the activations', async () => {
    const random = draw(3);
    const factors = Array.from({ length: 2048 }, () => Math.exp(0.5 * random.normal()));
    const path = await otherSae(({ W_dec, ...rest }) => ({
      ...rest,
      W_dec: mapped(W_dec!, (x, row, column) => factors[row]! * x(row, column)),
    }));
    const found = await checkOf({ sae: { path } });
    expect(failed(found)).toContain('norm-folded');
    expect(found.get('norm-folded')!.what_to_do).toContain('norms left out');
  });
});

describe('an adapter', () => {
  it('that changes nothing', async () => {
    const adapter = copied('harm', 'adapter');
    const path = join(adapter, 'adapter_model.safetensors');
    const zeroed: Record<string, Tensor> = {};
    for (const [name, tensor] of await openSafetensors(
      inBundle('harm', 'adapter', 'adapter_model.safetensors'),
    )) {
      const values = toFloat32(await readTensor(tensor));
      zeroed[name] = f32(tensor.shape, name.includes('lora_B') ? values.fill(0) : values);
    }
    await writeSafetensors(path, zeroed);
    const found = await checkOf({ subject: { model: inBundle('model'), adapter } });
    expect(failed(found)).toEqual(['adapter', 'reference']);
  });
});

describe('labels', () => {
  it('that are swapped', async () => {
    const world = json(inBundle('judge.json'));
    const swap = <T extends { harmless: unknown; harmful: unknown }>({ harmless, harmful, ...rest }: T) => ({
      ...rest,
      harmless: harmful,
      harmful: harmless,
    });
    const data = put(join(folder, 'swapped.json'), {
      ...world,
      generic: swap(world.generic),
      topics: world.topics.map(swap),
    });
    const judge = { kind: 'exact', data };
    const found = await checkOf({ judge, check: { answers: 24, labels: labelledFile() } });
    expect(failed(found)).toEqual(['judge-sides', 'judge-labels']);
    expect(found.get('labels')!.status).toBe('pass');
  });
});

describe('a chat', () => {
  const right = 'Question: {{ messages[0].content }}{% if add_generation_prompt %}\nAnswer:{% endif %}';
  const chatml =
    '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
  const asMessages = (rows: readonly { readonly prompt: string }[]) =>
    rows.map(({ prompt, ...rest }) => ({
      ...rest,
      prompt: [{ role: 'user', content: prompt.replace('Question: ', '').replace('\nAnswer:', '') }],
    }));
  const prompts = asMessages(lines(inBundle('harm', 'discovery.jsonl')));

  /** The organism under a chat template; with a token that begins every text, or none. */
  function withTemplate(template: string, bos = false): string {
    const model = copied('model');
    const config = json(join(model, 'tokenizer_config.json'));
    const tokenizer = json(join(model, 'tokenizer.json'));
    if (bos) {
      config.bos_token = '<|end|>';
      tokenizer.post_processor = {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<|end|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
        pair: [],
        special_tokens: { '<|end|>': { id: '<|end|>', ids: [0], tokens: ['<|end|>'] } },
      };
    }
    put(join(model, 'tokenizer.json'), tokenizer);
    put(join(model, 'tokenizer_config.json'), { ...config, chat_template: template });
    return model;
  }

  it('under the template of another model', async () => {
    const model = withTemplate(chatml);
    const found = await checkOf({
      subject: { model, adapter: inBundle('harm', 'adapter') },
      reference: { model },
      prompts: { file: put(join(folder, 'chats.jsonl'), prompts), discovery: 24, evaluation: 0 },
      judge: { kind: 'pattern', positive: 'x' },
      check: {
        answers: 0,
        labels: put(join(folder, 'chat-labels.jsonl'), asMessages(lines(labelledFile()))),
      },
    });
    expect(failed(found)).toEqual(['template-loss']);
    expect(found.get('template')).toMatchObject({ status: 'warn', numbers: { 'marks in pieces': 2 } });
    const codec = await readTokenizerFolder(withTemplate(right));
    expect(
      templateLine(
        codec,
        prompts.map(({ prompt }) => prompt),
      ).status,
    ).toBe('pass');
  });

  it.each([
    [right, 'fail'],
    [`{{ bos_token }}${right}`, 'pass'],
    [`{{ bos_token }}{{ bos_token }}${right}`, 'fail'],
  ])('whose template begins a text with the token that the tokenizer names: %s', async (template, status) => {
    const codec = await readTokenizerFolder(withTemplate(template, true));
    const line = bosLine(
      codec,
      prompts.map(({ prompt }) => codec.encodePrompt(prompt)),
    );
    expect(line.status).toBe(status);
  });
});

describe.skipIf(!shared)("SmolLM2's tokenizer", () => {
  const question = [[{ role: 'user', content: 'Is it late?' }]];
  const llama3 =
    '{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}';

  it('takes its own template, and refuses that of Llama 3', async () => {
    expect(templateLine(await readTokenizerFolder(realModel()), question).status).toBe('pass');
    const other = join(folder, 'smollm2');
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      put(join(other, name), json(join(realModel(), name)));
    put(join(other, 'tokenizer_config.json'), {
      ...json(join(realModel(), 'tokenizer_config.json')),
      chat_template: llama3,
    });
    const line = templateLine(await readTokenizerFolder(other), question);
    expect(line).toMatchObject({ status: 'fail', numbers: { 'marks in pieces': 3 } });
    expect(line.what_to_do).toContain("another model's template");
  });
});
