/**
 * A model kept open for completions, with its runtime and a sampler that is made anew only where it does
 * not do. Knows nothing of prompts and latents.
 */
import { localEngine } from '../../methods/completions/localEngine.ts';
import type { Sampler } from '../../methods/completions/sample.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import type { Progress } from '../open/progress.ts';

export interface EngineModel extends Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  readonly progress?: Progress | undefined;
  /** the date for chat templates that print it */
  readonly now: Date;
}

/** What a sampler must be made for. */
export interface SamplerNeeds {
  readonly rows: number;
  readonly capacity: number;
  readonly steerAt: number;
  readonly projections: number;
}

export interface SamplingEngine {
  readonly runtime: Runtime;
  /**
   * Opened when it is first asked for. Throws InputError as `openModel` does; then the next call tries
   * anew.
   */
  model(): Promise<OpenModel>;
  /** For one call at a time. */
  samplerFor(needs: SamplerNeeds): Promise<Sampler>;
  close(): Promise<void>;
}

const does = (made: SamplerNeeds, { rows, capacity, steerAt, projections }: SamplerNeeds) =>
  made.rows >= rows &&
  made.capacity >= capacity &&
  made.steerAt === steerAt &&
  made.projections === projections;

export function samplingEngine(request: EngineModel): SamplingEngine {
  const { model, adapter, cacheDir, progress, now } = request;
  const runtime = openRuntime(request);
  let opened: Promise<OpenModel> | undefined;
  let kept: { readonly needs: SamplerNeeds; readonly sampler: Sampler } | undefined;

  const open = async () =>
    openModel(model, {
      adapter: adapter,
      cacheDir,
      progress,
      now,
    });

  return {
    runtime,
    async model() {
      opened ??= open();
      try {
        return await opened;
      } catch (error) {
        opened = undefined;
        throw error;
      }
    },
    async samplerFor(needs) {
      if (kept && does(kept.needs, needs)) return kept.sampler;
      const { model } = await this.model();
      const before = kept;
      kept = undefined;
      await before?.sampler.release();
      kept = { needs, sampler: await localEngine(runtime, model).sampler(needs) };
      return kept.sampler;
    },
    close: () => runtime.close(),
  };
}
