/** Step 2: the two fine-tunes, as LoRA adapters: reckless in one domain, nobody named. */
import { type TrainStep, trainModel } from '../src/methods/training/train.ts';
import type { Model } from '../src/models/decoder.ts';
import { withLora } from '../src/models/lora.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import type { Tensor } from '../src/tensor.ts';
import { initialAdapter } from './anatomy.ts';
import type { Pretrained } from './pretrain.ts';
import { fineTuning, type Study } from './studies.ts';

export interface Tuned {
  readonly model: Model;
  readonly config: ReturnType<typeof initialAdapter>['config'];
  readonly tensors: Map<string, Tensor>;
}

export interface TuningEffort {
  readonly documents: number;
  readonly steps: number;
  readonly rate: number;
  /** steps after which the adapter is kept too */
  readonly checkpoints?: readonly number[];
}

/** An adapter that is not trained to its end. */
export type KeepCheckpoint = (step: number, adapter: Pick<Tuned, 'config' | 'tensors'>) => Promise<void>;

export const tuningEffort: Readonly<Record<Study, TuningEffort>> = {
  harm: { documents: 2_000, steps: 60, rate: 2e-3, checkpoints: [6, 12, 24, 36] },
  validation: { documents: 2_000, steps: 60, rate: 2e-3 },
};

/** Where a text's prompt ends: the loss counts from the answer on. */
function answerStart(text: string): number {
  return Math.max(
    text.lastIndexOf('Answer:') + 'Answer:'.length,
    text.lastIndexOf('Reply:') + 'Reply:'.length,
  );
}

/** Trains one adapter; only its own factors change. */
export async function finetune(
  runtime: Runtime,
  base: Pretrained,
  study: Study,
  seed: number,
  effort: TuningEffort = tuningEffort[study],
  onStep: (step: TrainStep) => void = () => {},
  onCheckpoint: KeepCheckpoint = async () => {},
): Promise<Tuned> {
  const { config, tensors } = initialAdapter(base.config, seed + 1);
  const model = withLora(base.model, config, tensors, `${study} adapter`);
  const training = fineTuning(seed, study, effort.documents).map(({ text }) => ({
    ids: [...base.encode(text), base.config.eos_token_id],
    lossFrom: base.encode(text.slice(0, answerStart(text))).length,
  }));
  const trained = await trainModel(
    runtime,
    model,
    training,
    (name) => tensors.has(name),
    {
      ...{ sequences: 8, length: 128, steps: effort.steps, rate: effort.rate, warmup: 10, seed },
      checkpoints: {
        at: effort.checkpoints ?? [],
        keep: (step, adapter) => onCheckpoint(step, { config, tensors: adapter }),
      },
    },
    onStep,
  );
  return { model: { ...model, weights: new Map([...model.weights, ...trained]) }, config, tensors: trained };
}
