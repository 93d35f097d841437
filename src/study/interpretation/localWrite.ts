/** A model's likeliest reply to a chat: what a local explainer writes with. */
import { InputError } from '../../errors.ts';
import { sampler } from '../../methods/completions/sample.ts';
import type { ChatMessage } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';

/** Tokens of a reply, and of the longest question with it. */
const maxTokens = 100;
const longest = 8192;

export interface LocalWrite {
  /** Rejects with InputError for a question that the model cannot take. */
  write(messages: readonly ChatMessage[]): Promise<string>;
  release(): Promise<void>;
}

export async function localWrite(runtime: Runtime, { model, codec }: OpenModel): Promise<LocalWrite> {
  const capacity = Math.min(model.decoder.context, longest);
  const made = await sampler(runtime, model, { capacity, rows: 1 });
  return {
    async write(messages) {
      const prompt = codec.encodePrompt(messages);
      if (prompt.length + maxTokens > capacity)
        throw new InputError(
          `explainer ${model.where}: a question has ${prompt.length} tokens: with ${maxTokens} of the reply it exceeds ${capacity}`,
        );
      let text = '';
      const options = { temperature: 0, maxTokens, endIds: codec.endOfTurnIds };
      await made.sample([{ prompt, seeds: [1] }], options, (_, __, { ids }) => {
        text = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
      });
      return text;
    },
    release: () => made.release(),
  };
}
