/** How far answers of an engine are from a model's own numbers, and from one another. In nats, by token. */
import type { Completion } from '../../methods/completions/sample.ts';
import { argmax } from '../../methods/statistics/argmax.ts';
import { logNormaliser } from '../../methods/statistics/logNormaliser.ts';
import type { Model } from '../../models/decoder.ts';
import { logitsSession } from '../../models/sessions.ts';
import { sequence, treeFeeds } from '../../models/tree.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, toFloat32 } from '../../tensor.ts';

export interface GreedyAnswer {
  readonly prompt: readonly number[];
  readonly answer: Completion;
}

export interface Agreement {
  /** mean |Δ ln p| of the answers' tokens */
  readonly difference: number;
  /** greatest by which the model finds another token likelier than one of these */
  readonly lead: number;
  /** tokens that were compared */
  readonly tokens: number;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;

/** ln p of one token by its logits, and of the likeliest. */
function logProbabilityIn(logits: Float32Array, id: number): { own: number; greatest: number } {
  const all = logNormaliser(logits);
  return { own: logits[id]! - all, greatest: logits[argmax(logits)]! - all };
}

/** Greedy answers against the model's own logits: one pass for each. */
export async function agreementWith(
  runtime: Runtime,
  model: Model,
  answers: readonly GreedyAnswer[],
): Promise<Agreement> {
  const session = await logitsSession(runtime, model);
  const differences: number[] = [];
  let lead = 0;
  for (const { prompt, answer } of answers) {
    const text = [...prompt, ...answer.ids];
    const rows = answer.ids.map((_, t) => prompt.length - 1 + t);
    const results = await session.run({ ...treeFeeds(sequence(text)), rows: i64([rows.length], rows) });
    const logits = toFloat32(results.logits!);
    const width = logits.length / rows.length;
    for (const [t, id] of answer.ids.entries()) {
      const { own, greatest } = logProbabilityIn(logits.subarray(t * width, (t + 1) * width), id);
      differences.push(Math.abs(answer.logProbabilities[t]! - own));
      lead = Math.max(lead, greatest - own);
    }
  }
  await session.release();
  return { difference: mean(differences), lead, tokens: differences.length };
}

export interface Repeat {
  /** mean |Δ ln p| up to the first token that differs, it included */
  readonly difference: number;
  /** answers that are not the same tokens */
  readonly others: number;
}

/** The same questions answered twice. */
export function repeatOf(first: readonly Completion[], again: readonly Completion[]): Repeat {
  const differences: number[] = [];
  let others = 0;
  for (const [i, one] of first.entries()) {
    const two = again[i]!;
    const length = Math.min(one.ids.length, two.ids.length);
    const at = Array.from({ length }, (_, t) => t).find((t) => one.ids[t] !== two.ids[t]);
    if (at !== undefined || one.ids.length !== two.ids.length) others++;
    for (let t = 0; t <= (at ?? length - 1); t++)
      differences.push(Math.abs(one.logProbabilities[t]! - two.logProbabilities[t]!));
  }
  return { difference: mean(differences), others };
}
