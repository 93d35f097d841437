/**
 * Completions as texts, read by a model at a site: tokenised, and the model loaded when the first is read.
 * Knows no label.
 */

import { InputError } from '../../errors.ts';
import { type Reading, type ReadingPass, readingPass } from '../../methods/judging/reading.ts';
import type { Prompt } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';

export interface CompletionReader {
  /**
   * One reading for each completion, in order. Throws InputError for a prompt that fills the context, or a
   * completion that has no token.
   */
  read(prompt: Prompt, completions: readonly string[]): Promise<Reading[]>;
  close(): Promise<void>;
}

/**
 * Completions are encoded as they go on after the prompt and without an end token, whether they ended or not; what
 * passes the context is left out.
 */
export function completionReader(
  runtime: Runtime,
  { model, codec }: Pick<OpenModel, 'model' | 'codec'>,
  site: number,
): CompletionReader {
  let pass: Promise<ReadingPass> | undefined;
  const { context } = model.decoder;
  return {
    async read(prompt, completions) {
      const promptIds = codec.encodePrompt(prompt);
      const room = context - promptIds.length;
      if (room < 1)
        throw new InputError(
          `judge: expected a prompt of fewer tokens than the context of ${model.where}, ${context}, found ${promptIds.length}`,
        );
      const ids = completions.map((text) => codec.encodeCompletion(prompt, text).slice(0, room));
      if (ids.some((own) => own.length === 0))
        throw new InputError(`judge: the vocabulary of ${model.where} has no token of a completion`);
      pass ??= readingPass(runtime, model, site);
      return (await pass).read(promptIds, ids);
    },
    async close() {
      const loaded = pass;
      pass = undefined;
      await (await loaded)?.release();
    },
  };
}
