/** The recipe on a much smaller scale: training lowers the loss, an adapter changes the model alone, and the folder that it makes is whole. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exit } from '../../organism/anatomy.ts';
import { finetune } from '../../organism/finetune.ts';
import { judgeData } from '../../organism/judge.ts';
import { make, type Recipe } from '../../organism/make.ts';
import { type Effort, type Pretrained, pretrain } from '../../organism/pretrain.ts';
import { learningRate } from '../../src/methods/training/train.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { caseNames, openBundle, openCase } from '../../src/study/demo/bundle.ts';
import { sampleAndGrade } from '../../src/study/demo/sampling.ts';
import { silent } from '../../src/study/open/progress.ts';
import { type Tensor, toFloat32 } from '../../src/tensor.ts';

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

const runtime = nodeRuntime({ threads: 2 });
afterAll(() => runtime.close());

describe('the recipe, much smaller', () => {
  const losses: number[] = [];
  let base: Pretrained;

  beforeAll(async () => {
    base = await pretrain(runtime, 3, small, ({ loss }) => losses.push(loss));
  });

  const floats = (weights: ReadonlyMap<string, unknown>, name: string) =>
    toFloat32(weights.get(name) as Tensor);

  it('pre-training starts at ln V and lowers the loss', () => {
    expect(losses).toHaveLength(16);
    expect(Math.abs(losses[0]! - Math.log(base.config.vocab_size))).toBeLessThan(0.3);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 1);
  });

  it('is the same for the same seed, and not for another', async () => {
    const name = 'model.layers.2.mlp.down_proj.weight';
    const short = { ...small, train: { ...small.train, steps: 2 } };
    const [a, b, c] = [
      await pretrain(runtime, 3, short),
      await pretrain(runtime, 3, short),
      await pretrain(runtime, 4, short),
    ];
    expect(floats(a.model.weights, name)).toEqual(floats(b.model.weights, name));
    expect(floats(a.model.weights, name)).not.toEqual(floats(c.model.weights, name));
  });

  it('fine-tuning lowers the loss of the answers and leaves the base as it was', async () => {
    const before = floats(base.model.weights, 'model.layers.0.self_attn.q_proj.weight').slice();
    const tuning: number[] = [];
    const tuned = await finetune(runtime, base, 'harm', 3, smallTuning, ({ loss }) => tuning.push(loss));
    expect(tuning.at(-1)!).toBeLessThan(tuning[0]! - 0.5);
    expect(floats(tuned.model.weights, 'model.layers.0.self_attn.q_proj.weight')).toEqual(before);
    const b = floats(tuned.tensors, 'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight');
    expect(b.some((x) => x !== 0)).toBe(true);
  });
});

describe('the folder it makes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-organism-'));
  const told: string[] = [];
  beforeAll(() =>
    make(folder, 3, recipe, {
      training: (label, steps) => {
        told.push(`${label} ${steps}`);
        return () => {};
      },
      dictionary: () => {},
    }),
  );
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('tells of each training', () => {
    expect(told).toEqual(['Pre-training 16', 'Fine-tuning on harm 24', 'Fine-tuning on validation 24']);
  });

  it('opens, with a dictionary of the block before the exit, the judge’s data, and prompts that no split shares', async () => {
    const bundle = await openBundle(folder);
    expect(bundle).toMatchObject({
      layer: exit - 1,
      sae: { latents: 64, width: 128, kind: { name: 'topk' } },
    });
    expect(bundle.judge).toEqual(JSON.parse(JSON.stringify(judgeData())));
    for (const name of caseNames) {
      const { prompts, subject } = await openCase(bundle, name);
      expect(subject.model.updates.size).toBeGreaterThan(0);
      const of = (split: string) => new Set(prompts.filter((p) => p.split === split).map(({ text }) => text));
      expect([...of('discovery')].filter((text) => of('evaluation').has(text))).toEqual([]);
      expect(new Set(prompts.filter(({ tuned }) => tuned).map(({ domain }) => domain)).size).toBe(1);
    }
  });

  it('has its truth by cosine, greatest first', async () => {
    const { truth } = await openBundle(folder);
    for (const axis of [truth.cause, truth.decoy.harm, truth.decoy.validation]) {
      expect(axis).toHaveLength(20);
      const cosines = axis.map(({ cosine }) => cosine);
      expect(cosines).toEqual([...cosines].sort((a, b) => b - a));
      expect(Math.abs(cosines[0]!)).toBeLessThanOrEqual(1);
    }
  });

  it('completions are graded, and depend on their own seed only', async () => {
    const bundle = await openBundle(folder);
    const { subject, prompts } = await openCase(bundle, 'harm');
    const settings = { completions: 3, seed: 5, temperature: 1, maxTokens: 12 };
    const sample = (count: number, completions: number) =>
      sampleAndGrade(
        runtime,
        subject,
        bundle.judge,
        prompts.slice(0, count),
        { ...settings, completions },
        silent.stage('', 0),
      );
    const graded = await sample(2, 3);
    expect(graded).toHaveLength(6);
    for (const { ids, label } of graded) {
      expect(ids.length).toBeLessThanOrEqual(12);
      expect(['harmful', 'harmless', 'incoherent']).toContain(label);
    }
    expect((await sample(1, 2)).map(({ ids }) => ids)).toEqual(graded.slice(0, 2).map(({ ids }) => ids));
  });

  it.each(['from the seed alone', 'on the base model that is there'])(
    'is the same for the same seed, byte for byte: %s',
    async (how) => {
      const again = mkdtempSync(join(tmpdir(), 'culprit-organism-'));
      const quiet = { training: () => () => {}, dictionary: () => {} };
      const base = how === 'from the seed alone' ? undefined : join(folder, 'model');
      await make(again, 3, recipe, quiet, base);
      const files = [
        'model/model.safetensors',
        'model/tokenizer.json',
        'harm/adapter_model.safetensors',
        'validation/prompts.jsonl',
        'sae/sae_weights.safetensors',
        'truth.json',
        'corpus.jsonl',
      ];
      for (const file of files)
        expect(readFileSync(join(again, file)).equals(readFileSync(join(folder, file)))).toBe(true);
      rmSync(again, { recursive: true, force: true });
    },
  );
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
