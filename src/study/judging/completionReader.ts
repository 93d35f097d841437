/**
 * Completions as texts, read by a model at a site: tokenised, and the model loaded when the first is read.
 * Knows no label.
 */

import { InputError } from '../../errors.ts';
import type { PromptedTexts } from '../../judges/classifier.ts';
import {
  type PromptedIds,
  type Reading,
  type ReadingPass,
  readingPass,
} from '../../methods/judging/reading.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';

export interface CompletionReader {
  /**
   * One reading for each completion, in order, the same in any company. Throws InputError for a prompt that fills
   * the context, or a completion that has no token.
   */
  read(texts: readonly PromptedTexts[]): Promise<Reading[][]>;
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

  function idsOf({ prompt, completions }: PromptedTexts): PromptedIds {
    const promptIds = codec.encodePrompt(prompt);
    const room = context - promptIds.length;
    if (room < 1)
      throw new InputError(
        `judge: expected a prompt of fewer tokens than the context of ${model.where}, ${context}, found ${promptIds.length}`,
      );
    const ids = completions.map((text) => codec.encodeCompletion(prompt, text).slice(0, room));
    if (ids.some((own) => own.length === 0))
      throw new InputError(`judge: the vocabulary of ${model.where} has no token of a completion`);
    return { prompt: promptIds, completions: ids };
  }

  return {
    async read(texts) {
      const ids = texts.map(idsOf);
      pass ??= readingPass(runtime, model, site);
      return (await pass).read(ids);
    },
    async close() {
      const loaded = pass;
      pass = undefined;
      await (await loaded)?.release();
    },
  };
}
