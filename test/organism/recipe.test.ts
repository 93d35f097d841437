/**
 * The recipe on a much smaller scale: training lowers the loss, an adapter changes the model alone, and the
 * folder that it makes is whole.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exit } from '../../organism/anatomy.ts';
import { finetune } from '../../organism/finetune.ts';
import { judgeData } from '../../organism/judge.ts';
import { make, type Recipe } from '../../organism/make.ts';
import { type Effort, pretrain, readPretrained } from '../../organism/pretrain.ts';
import { readJson } from '../../src/files/jsonFile.ts';
import { learningRate } from '../../src/methods/training/train.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { caseNames, readTruth } from '../../src/study/demo/bundle.ts';
import { writeDemoStudies } from '../../src/study/demo/demoStudies.ts';
import { openModel } from '../../src/study/open/openModel.ts';
import { readPrompts } from '../../src/study/open/promptsFile.ts';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { runStudy } from '../../src/study/run/studyRun.ts';
import { type Tensor, toFloat32 } from '../../src/tensor.ts';
import { openOrganism } from '../support/organism.ts';

const small: Effort = {
  documents: 200,
  tokenizerDocuments: 100,
  train: { sequences: 4, length: 64, steps: 16, rate: 4e-3, warmup: 4 },
};
const smallTuning = { documents: 40, steps: 24, rate: 4e-3 };
const recipe: Recipe = {
  pretraining: small,
  tuning: { harm: smallTuning, validation: smallTuning },
  dictionary: { documents: 100, latents: 64, k: 4, tokens: 8192 },
  baselineTexts: 20,
};

const runtime = nodeRuntime();
afterAll(() => runtime.close());

const folder = mkdtempSync(join(tmpdir(), 'culprit-organism-'));
/** the loss of each step, by the training */
const told = new Map<string, number[]>();
beforeAll(async () => {
  await make(folder, 3, recipe, {
    training: (label, steps) => {
      const losses: number[] = [];
      told.set(`${label} ${steps}`, losses);
      return ({ loss }) => losses.push(loss);
    },
    dictionary: () => {},
  });
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the recipe, much smaller', () => {
  const floats = (weights: ReadonlyMap<string, unknown>, name: string) =>
    toFloat32(weights.get(name) as Tensor);

  it('tells of each training', () => {
    expect([...told.keys()]).toEqual([
      'Pre-training 16',
      'Fine-tuning on harm 24',
      'Fine-tuning on validation 24',
    ]);
  });

  it('pre-training starts at ln V and lowers the loss', async () => {
    const { config } = await readPretrained(join(folder, 'model'));
    const losses = told.get('Pre-training 16')!;
    expect(losses).toHaveLength(16);
    expect(Math.abs(losses[0]! - Math.log(config.vocab_size))).toBeLessThan(0.3);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 1);
  });

  it('pre-training is the same for the same seed, byte for byte', async () => {
    const again = await pretrain(runtime, 3, small);
    const made = await readPretrained(join(folder, 'model'));
    const names = [...made.model.weights.keys()];
    expect(names.length).toBeGreaterThan(20);
    expect([...again.model.weights.keys()].sort()).toEqual(names.sort());
    for (const name of names)
      expect(floats(again.model.weights, name), name).toEqual(floats(made.model.weights, name));
    const tokenizer = readFileSync(join(folder, 'model', 'tokenizer.json'), 'utf8');
    expect(JSON.stringify(again.tokenizerFiles.tokenizer)).toBe(tokenizer);
  });

  it('pre-training is another for another seed', async () => {
    const name = 'model.layers.2.mlp.down_proj.weight';
    const short = { ...small, train: { ...small.train, steps: 2 } };
    const [a, b] = [await pretrain(runtime, 3, short), await pretrain(runtime, 4, short)];
    expect(floats(a.model.weights, name)).not.toEqual(floats(b.model.weights, name));
  });

  it.each(['harm', 'validation'])('fine-tuning on %s lowers the loss of the answers', (name) => {
    const losses = told.get(`Fine-tuning on ${name} 24`)!;
    expect(losses).toHaveLength(24);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.5);
  });

  it('fine-tuning leaves the base as it was, and keeps what it was asked to on its way', async () => {
    const base = await readPretrained(join(folder, 'model'));
    const before = floats(base.model.weights, 'model.layers.0.self_attn.q_proj.weight').slice();
    const kept = new Map<number, Float32Array>();
    const name = 'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight';
    const effort = { ...smallTuning, steps: 2, checkpoints: [1, 2] };
    const tuned = await finetune(runtime, base, 'harm', 3, effort, undefined, async (step, { tensors }) => {
      kept.set(step, floats(tensors, name).slice());
    });
    expect(floats(tuned.model.weights, 'model.layers.0.self_attn.q_proj.weight')).toEqual(before);
    const b = floats(tuned.tensors, name);
    expect(b.some((x) => x !== 0)).toBe(true);
    // its checkpoints are the way to it
    expect(kept.get(2)).toEqual(b);
    expect(kept.get(1)).not.toEqual(b);
    expect(kept.get(1)!.some((x) => x !== 0)).toBe(true);
  });
});

describe('the folder it makes', () => {
  it('opens, with a dictionary of the block before the exit, the judge’s data, and its two studies', async () => {
    const organism = await openOrganism(folder);
    expect(organism).toMatchObject({
      layer: exit - 1,
      sae: { latents: 64, width: 128, kind: { name: 'topk' } },
    });
    expect(await readJson(join(folder, 'judge.json'))).toEqual(JSON.parse(JSON.stringify(judgeData())));
    for (const name of caseNames) {
      const { config } = await readStudy(join(folder, name));
      const { model } = await openModel(config.subject.model, { adapter: config.subject.adapter });
      expect(model.updates.size).toBeGreaterThan(0);
      const { discovery, evaluation } = await readPrompts(config.prompts!);
      expect([discovery.length, evaluation.length]).toEqual([60, 36]);
    }
  });

  it.each(caseNames)('tests %s on none of the prompts that latents are found on', (name) => {
    const [found, tested] = ['discovery', 'evaluation'].map((split) => {
      const lines = readFileSync(join(folder, name, `${split}.jsonl`), 'utf8')
        .trim()
        .split('\n');
      return new Set(lines.map((line): string => JSON.parse(line).prompt));
    }) as [Set<string>, Set<string>];
    expect(Math.min(found.size, tested.size)).toBeGreaterThan(100);
    expect([...found].filter((prompt) => tested.has(prompt))).toEqual([]);
  });

  it('has its truth by cosine, greatest first', async () => {
    const truth = await readTruth(folder);
    for (const axis of [truth.cause, truth.decoy.harm, truth.decoy.validation]) {
      expect(axis).toHaveLength(20);
      const cosines = axis.map(({ cosine }) => cosine);
      expect(cosines).toEqual([...cosines].sort((a, b) => b - a));
      expect(Math.abs(cosines[0]!)).toBeLessThanOrEqual(1);
    }
  });

  it('is sampled and graded as a demonstration, alike in another folder', async () => {
    const [study] = await writeDemoStudies(folder, join(folder, 'out'), { prompts: 2 });
    const { sample, grade } = await runStudy({ study: study!, stages: ['sample', 'grade'] });
    expect(sample!.records).toHaveLength(24);
    expect(grade!.records.map(({ judge }) => judge)).toEqual(Array(24).fill('exact'));
    const [other] = await writeDemoStudies(folder, join(folder, 'other'), { prompts: 2 });
    const again = await runStudy({ study: other!, stages: ['sample'] });
    expect(again.sample!.upToDate).toBe(false);
    expect(again.sample!.records).toEqual(sample!.records);
  });

  it('is the same for the same seed on the base model that is there, byte for byte', async () => {
    const again = mkdtempSync(join(tmpdir(), 'culprit-organism-'));
    await make(again, 3, recipe, { training: () => () => {}, dictionary: () => {} }, join(folder, 'model'));
    const files = [
      'model/model.safetensors',
      'model/tokenizer.json',
      'harm/adapter/adapter_model.safetensors',
      'validation/discovery.jsonl',
      'validation/evaluation.jsonl',
      'validation/study.yaml',
      'sae/sae_weights.safetensors',
      'truth.json',
      'corpus.jsonl',
    ];
    for (const file of files)
      expect(readFileSync(join(again, file)).equals(readFileSync(join(folder, file)))).toBe(true);
    rmSync(again, { recursive: true, force: true });
  });
});

describe('learningRate', () => {
  const options = { rate: 2, warmup: 10, steps: 110 };

  it('rises over the warm-up and falls along a cosine to a tenth', () => {
    expect([1, 5, 10].map((step) => learningRate(step, options))).toEqual([0.2, 1, 2]);
    expect(learningRate(60, options)).toBeCloseTo(1.1, 12);
    expect(learningRate(110, options)).toBeCloseTo(0.2, 12);
  });

  it('or to what is asked for', () => {
    expect(learningRate(110, { ...options, lastRate: 0 })).toBeCloseTo(0, 12);
    expect(learningRate(60, { ...options, lastRate: 0 })).toBeCloseTo(1, 12);
  });
});
