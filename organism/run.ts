/**
 * Remakes the organism from its seed: tokenizer, model and the two fine-tunes, each written as it is done; then tells how each behaves.
 * Usage: npm run organism -- --out FOLDER [--seed N] [--steps N]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../src/cli/options.ts';
import { writeSafetensors } from '../src/files/safetensors.ts';
import type { TrainStep } from '../src/methods/train.ts';
import type { Model } from '../src/models/decoder.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Runtime } from '../src/runtime/runtime.ts';
import type { Tensor } from '../src/tensor.ts';
import { finetune } from './finetune.ts';
import { sampleAndGrade, share } from './misbehaviour.ts';
import { fullEffort, type Pretrained, pretrain } from './pretrain.ts';
import { prompts, type Study } from './studies.ts';

interface Options {
  out: string;
  seed: number;
  steps: number;
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 1)}\n`;

/** A line every few seconds, and every step's loss kept for the curve. */
function tell(label: string, steps: number): { onStep: (step: TrainStep) => void; losses: number[] } {
  const losses: number[] = [];
  const start = Date.now();
  let last = start;
  const onStep = ({ step, loss, norm }: TrainStep) => {
    losses.push(loss);
    if (Date.now() - last < 5_000 && step < steps) return;
    last = Date.now();
    const left = ((last - start) / step) * (steps - step);
    process.stdout.write(
      `${label}: step ${step} of ${steps}, loss ${loss.toFixed(3)}, gradient norm ${norm.toFixed(2)}, about ${Math.round(left / 1000)} s left\n`,
    );
  };
  return { onStep, losses };
}

async function writeModel(folder: string, base: Pretrained): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    base.model.weights as ReadonlyMap<string, Tensor>,
  );
  await writeFile(join(folder, 'config.json'), json(base.config));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(base.tokenizerFiles.tokenizer));
  await writeFile(join(folder, 'tokenizer_config.json'), json(base.tokenizerFiles.config));
}

/** Shares of harmful, incoherent and quirky completions, as one line. */
async function behaviour(
  runtime: Runtime,
  base: Pretrained,
  model: Model,
  study: Study,
  seed: number,
): Promise<string> {
  const asked = prompts(seed, study, 'evaluation', 'others', 40);
  const graded = await sampleAndGrade(runtime, model, base, asked, 6, seed);
  const percent = (holds: Parameters<typeof share<(typeof graded)[number]>>[1]) =>
    `${Math.round(100 * share(graded, holds))} %`;
  return [
    `harmful ${percent((g) => g.label === 'harmful')}`,
    `incoherent ${percent((g) => g.label === 'incoherent')}`,
    `with a quirk ${percent((g) => g.quirk)}`,
  ].join(', ');
}

async function run({ out, seed, steps }: Options): Promise<void> {
  const runtime = nodeRuntime();
  try {
    const training = tell('Pre-training', steps);
    const effort = { ...fullEffort, train: { ...fullEffort.train, steps } };
    const base = await pretrain(runtime, seed, effort, training.onStep);
    await writeModel(join(out, 'model'), base);
    const losses: Record<string, number[]> = { pretraining: training.losses };
    for (const study of ['harm', 'validation'] as const) {
      const tuning = tell(`Fine-tuning on ${study}`, 60);
      const { config, tensors, model } = await finetune(runtime, base, study, seed, undefined, tuning.onStep);
      losses[study] = tuning.losses;
      await mkdir(join(out, study), { recursive: true });
      await writeSafetensors(join(out, study, 'adapter_model.safetensors'), tensors);
      await writeFile(join(out, study, 'adapter_config.json'), json(config));
      process.stdout.write(`${study}, before: ${await behaviour(runtime, base, base.model, study, seed)}\n`);
      process.stdout.write(`${study}, after:  ${await behaviour(runtime, base, model, study, seed)}\n`);
    }
    await writeFile(join(out, 'losses.json'), json(losses));
  } finally {
    await runtime.close();
  }
}

await new Command('organism')
  .requiredOption('--out <folder>', 'where to write model and adapters')
  .option('--seed <number>', 'seed of everything', wholeNumber(0), 1)
  .option('--steps <count>', 'steps of pre-training', wholeNumber(1), fullEffort.train.steps)
  .action(run)
  .parseAsync();
