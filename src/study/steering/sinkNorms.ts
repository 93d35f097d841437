/**
 * The norm beyond which a token is an attention sink, by prompt: what holds projections leaves those tokens
 * alone. Taken over the prompt as the unsteered model reads it; a completion's tokens are compared with the same
 * norm.
 */
import { type ResidualPass, residualPass } from '../../methods/site/residuals.ts';
import { lowerMedian, rowNorms, sinkFactor } from '../../methods/site/sinks.ts';
import type { Side } from '../../results.ts';
import type { SteeringWork } from './work.ts';

export interface SinkNorms {
  /** 10 times the median norm of the prompt's tokens (ids) at the site */
  of(prompt: readonly number[]): Promise<number>;
  release(): Promise<void>;
}

/** The lower part of the model is loaded when a prompt is first asked about. */
export function sinkNorms({ runtime, layer, sides }: SteeringWork, side: Side): SinkNorms {
  const { model } = sides[side].opened;
  const known = new Map<string, Promise<number>>();
  let loading: Promise<ResidualPass> | undefined;
  const read = async (ids: readonly number[]) => {
    loading ??= residualPass(runtime, model, layer);
    const { activation } = await (await loading).run(ids);
    return sinkFactor * lowerMedian(rowNorms(activation, model.decoder.width));
  };
  return {
    of(ids) {
      const key = ids.join();
      const found = known.get(key) ?? read(ids);
      known.set(key, found);
      return found;
    },
    async release() {
      const loaded = await loading?.catch(() => undefined);
      loading = undefined;
      await loaded?.release();
    },
  };
}
