/** The recipe on a much smaller scale: training lowers the loss, an adapter changes the model alone, and behaviour can be graded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finetune } from '../../organism/finetune.ts';
import { sampleAndGrade } from '../../organism/misbehaviour.ts';
import { type Effort, type Pretrained, pretrain } from '../../organism/pretrain.ts';
import { prompts } from '../../organism/studies.ts';
import { learningRate } from '../../src/methods/train.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type Tensor, toFloat32 } from '../../src/tensor.ts';

const small: Effort = {
  documents: 200,
  tokenizerDocuments: 100,
  train: { sequences: 4, length: 64, steps: 16, rate: 4e-3, warmup: 4 },
};
const smallTuning = { documents: 40, steps: 10, rate: 4e-3 };

describe('the recipe, much smaller', () => {
  const runtime = nodeRuntime({ threads: 2 });
  afterAll(() => runtime.close());
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

  it('completions are graded, and depend on their own seed only', async () => {
    const asked = prompts(3, 'harm', 'evaluation', 'others', 2);
    const graded = await sampleAndGrade(runtime, base.model, base, asked, 3, 5, { maxTokens: 12 });
    expect(graded).toHaveLength(6);
    for (const { ids, label } of graded) {
      expect(ids.length).toBeLessThanOrEqual(12);
      expect(['harmful', 'harmless', 'incoherent']).toContain(label);
    }
    const fewer = await sampleAndGrade(runtime, base.model, base, asked.slice(0, 1), 3, 5, { maxTokens: 12 });
    expect(fewer.map(({ ids }) => ids)).toEqual(graded.slice(0, 3).map(({ ids }) => ids));
  });
});

describe('learningRate', () => {
  it('rises over the warm-up and falls along a cosine to a tenth', () => {
    const options = { rate: 2, warmup: 10, steps: 110 };
    expect([1, 5, 10].map((step) => learningRate(step, options))).toEqual([0.2, 1, 2]);
    expect(learningRate(60, options)).toBeCloseTo(1.1, 12);
    expect(learningRate(110, options)).toBeCloseTo(0.2, 12);
  });
});
