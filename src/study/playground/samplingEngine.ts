/**
 * A model kept open for completions, with its runtime, the engine that a study names, and a sampler that is made
 * anew only where it does not do. Knows nothing of prompts and latents.
 */
import type { Engine } from '../../methods/completions/engine.ts';
import { localEngine } from '../../methods/completions/localEngine.ts';
import type { Sampler } from '../../methods/completions/sample.ts';
import type { Steering } from '../../methods/steering/steer.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { openEngine } from '../engines/openEngine.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import { type Progress, silent } from '../open/progress.ts';
import type { EngineOfStudy } from './steerRequest.ts';

export interface EngineModel extends Machine {
  readonly model: string;
  readonly adapter?: string | undefined;
  readonly progress?: Progress | undefined;
  /** the date for chat templates that print it */
  readonly now: Date;
  /** where completions come from; default this machine */
  readonly engine?: EngineOfStudy | undefined;
  /** where its key is looked for; default the process's own */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
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
  /**
   * For one call at a time, which makes these changes: a call that the engine cannot make whole is this machine's, or
   * the texts beside one another were not of one make.
   */
  samplerFor(needs: SamplerNeeds, changes: readonly (Steering | undefined)[]): Promise<Sampler>;
  close(): Promise<void>;
}

const does = (made: SamplerNeeds, { rows, capacity, steerAt, projections }: SamplerNeeds) =>
  made.rows >= rows &&
  made.capacity >= capacity &&
  made.steerAt === steerAt &&
  made.projections === projections;

export function samplingEngine(request: EngineModel): SamplingEngine {
  const { model, adapter, cacheDir, progress, now, environment = process.env } = request;
  const runtime = openRuntime(request);
  let opened: Promise<OpenModel> | undefined;
  let kept: { readonly needs: SamplerNeeds; readonly engine: Engine; readonly sampler: Sampler } | undefined;
  let local: Engine | undefined;

  const open = async () =>
    openModel(model, {
      adapter: adapter,
      cacheDir,
      progress,
      now,
    });

  async function openedModel(): Promise<OpenModel> {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  const named =
    request.engine &&
    openEngine(request.engine.config, {
      side: request.engine.side,
      own: openedModel,
      others: [],
      runtime: () => runtime,
      environment,
      note: (line) => (progress ?? silent).note(line),
    });

  async function engineFor(
    { steerAt }: SamplerNeeds,
    changes: readonly (Steering | undefined)[],
  ): Promise<Engine> {
    const { model } = await openedModel();
    local ??= localEngine(runtime, model);
    if (named === undefined) return local;
    await named.ready(steerAt);
    if (changes.every((one) => named.makes(one))) return named;
    progress?.note(
      `${named.name} does not make these changes as the local files do: the texts are made on this machine.`,
    );
    return local;
  }

  return {
    runtime,
    model: openedModel,
    async samplerFor(needs, changes) {
      const engine = await engineFor(needs, changes);
      if (kept?.engine === engine && does(kept.needs, needs)) return kept.sampler;
      const before = kept;
      kept = undefined;
      await before?.sampler.release();
      kept = { needs, engine, sampler: await engine.sampler(needs) };
      return kept.sampler;
    },
    close: () => runtime.close(),
  };
}
