/**
 * A model's log-probability of each of a few answers, as its reply to a chat: what a local judge asks for.
 */
import { InputError } from '../../errors.ts';
import { assertFinite } from '../../models/finite.ts';
import { logitsSession } from '../../models/sessions.ts';
import { packTree, predictors, targets, treeFeeds } from '../../models/tree.ts';
import type { ChatMessage } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, toFloat32 } from '../../tensor.ts';
import type { OpenModel } from '../open/openModel.ts';

export interface LocalAsk {
  /** ln p of each answer, summed over its tokens */
  ask(messages: readonly ChatMessage[], answers: readonly string[]): Promise<number[]>;
  release(): Promise<void>;
}

function logProbability(logits: Float32Array, id: number): number {
  const greatest = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
  return logits[id]! - greatest - Math.log(logits.reduce((sum, x) => sum + Math.exp(x - greatest), 0));
}

export async function localAsk(runtime: Runtime, { model, codec }: OpenModel): Promise<LocalAsk> {
  const session = await logitsSession(runtime, model);
  return {
    async ask(messages, answers) {
      const prompt = codec.encodePrompt(messages);
      const tree = packTree(
        prompt,
        answers.map((answer) => codec.encodeCompletion(messages, answer)),
      );
      const longest = Math.max(...tree.positions) + 1;
      if (longest > model.decoder.context)
        throw new InputError(
          `judge ${model.where}: a question has ${longest} tokens, the model takes ${model.decoder.context} at most`,
        );
      const rows = predictors(tree);
      const { logits } = await session.run({ ...treeFeeds(tree), rows: i64([rows.length], rows) });
      const values = toFloat32(logits!);
      assertFinite(values, `judge ${model.where}: the model gives logits`);
      const { vocabulary } = model.decoder;
      const each = targets(tree).map((id, i) =>
        logProbability(values.subarray(i * vocabulary, (i + 1) * vocabulary), id),
      );
      let at = 0;
      return tree.branches.map(({ start, end }) => {
        const own = each.slice(at, at + end - start);
        at += own.length;
        return own.reduce((sum, x) => sum + x, 0);
      });
    },
    release: () => session.release(),
  };
}
