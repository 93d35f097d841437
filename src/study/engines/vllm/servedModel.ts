/**
 * One of a vLLM server's models as it comes: completions and residuals, before anything is known of whether it is
 * the model of the local files.
 */
import type { SampleOptions, Sampler, SamplerOptions } from '../../../methods/completions/sample.ts';
import type { Steering } from '../../../methods/steering/steer.ts';
import { captureCall, completionCall, type ServedResiduals } from './completionCall.ts';
import { type CompletionUnit, sampleTogether, type ToldCompletion } from './manyCalls.ts';
import type { Server } from './server.ts';

export interface ServedModel {
  /** Completions; told after `confirm`, which is asked again for every `kept` of them. */
  sampler(options: SamplerOptions, guard?: Guard): Sampler;
  residuals(layer: number, ids: readonly number[], steering?: Steering): Promise<ServedResiduals>;
}

export interface Guard {
  confirm(signal: AbortSignal): Promise<void>;
  /** completions for each confirmation */
  readonly every: number;
}

export interface ServedModelOptions {
  /** the name that the model, or its adapter, is served under */
  readonly model: string;
  readonly concurrency: number;
  /** V and d of the local files */
  readonly vocabulary: number;
  readonly width: number;
}

const unguarded: Guard = { confirm: async () => undefined, every: 1 };

/** Where a completion ends: at the first of its tokens that an end or a stop says. */
function endOf(ids: readonly number[], { endIds, stops }: SampleOptions) {
  for (let n = 1; n <= ids.length; n++) {
    if (endIds.includes(ids[n - 1]!)) return { count: n, stop: 'end' as const };
    if (stops?.(ids.slice(0, n))) return { count: n, stop: 'stop' as const };
  }
  return { count: ids.length, stop: 'length' as const };
}

export function servedModel(server: Server, options: ServedModelOptions): ServedModel {
  const { model, concurrency, vocabulary, width } = options;

  function checkFits({ job, number }: CompletionUnit, maxTokens: number, capacity: number): void {
    const { length } = job.prompt;
    if (length === 0) throw new RangeError(`job ${number}: the prompt has no tokens`);
    if (length + maxTokens > capacity)
      throw new RangeError(
        `job ${number}: ${length} tokens of prompt and ${maxTokens} of completion exceed the sampler's ${capacity}`,
      );
  }

  return {
    sampler({ capacity, steerAt }, { confirm, every } = unguarded) {
      async function fetch(unit: CompletionUnit, asked: SampleOptions, signal: AbortSignal) {
        checkFits(unit, asked.maxTokens, capacity);
        const { prompt, seeds, steer } = unit.job;
        if (steer && steerAt === undefined) throw new RangeError('the sampler was not made to steer');
        const { tokens } = await server.ask(
          completionCall({
            ...{ model, prompt, vocabulary, seed: seeds[unit.index]!, options: asked },
            ...(steer && { steer: { steering: steer, layer: steerAt! } }),
          }),
          signal,
        );
        const ids = tokens.map(({ id }) => id);
        const { count, stop } = endOf(ids, asked);
        const some = tokens.slice(0, count);
        const logProbabilities = some.map(({ logProbability }) => logProbability);
        return { ids: ids.slice(0, count), logProbabilities, stop, tokens: some } satisfies ToldCompletion;
      }
      return {
        sample: (jobs, asked, onDone) =>
          sampleTogether(jobs, asked, onDone, {
            ...{ concurrency, kept: every, confirm },
            fetch: (unit, signal) => fetch(unit, asked, signal),
          }),
        release: async () => undefined,
      };
    },
    residuals: (layer, prompt, steering) =>
      server.ask(captureCall({ model, prompt, vocabulary, layer, width, steering })),
  };
}
