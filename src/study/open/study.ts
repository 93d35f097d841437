/**
 * A study opened for work: its config and prompts, its models when they are first asked for, and the hashes of what it is made from. Knows no
 * stage.
 */
import { InputError } from '../../errors.ts';
import { localModel } from '../../files/hubCache.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Study } from '../config/readStudy.ts';
import type { Recorder } from '../store/finishStage.ts';
import { contentHash } from '../store/hash.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { type Clock, versions } from '../store/runRecord.ts';
import { type OpenModel, openModel } from './openModel.ts';
import type { Progress } from './progress.ts';
import { readPrompts, type StudyPrompts } from './promptsFile.ts';

/** A model and its adapter, as study.yaml names them. */
export interface ModelChoice {
  readonly model: string;
  readonly adapter?: string | undefined;
}

/** A file or folder with the hash of its contents. */
export interface Hashed {
  readonly path: string;
  readonly sha256: string;
}

export interface OpenStudy extends Study {
  /** Read when they are first asked for. Throws InputError where study.yaml names none. */
  prompts(): Promise<StudyPrompts>;
  /** the study's first day, for templates that print the date */
  readonly now: Date;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheDir: string | undefined;
  /** Started when it is first asked for. */
  runtime(): Runtime;
  /** Opened when it is first asked for, once for each choice. */
  model(choice: ModelChoice): Promise<OpenModel>;
  /** Hashes of a model's parts, by `name` and `nameAdapter`. */
  modelHashes(name: string, choice: ModelChoice): Promise<Record<string, Hashed>>;
  /** The hash of a file or folder from outside, taken once. */
  hashed(path: string): Promise<Hashed>;
  close(): Promise<void>;
}

export interface OpenStudyOptions {
  readonly progress: Progress;
  readonly clock: Clock;
  /** where keys are found; the caller's own environment */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheDir?: string | undefined;
}

/** Opens a study that was read. */
export async function openStudy(study: Study, options: OpenStudyOptions): Promise<OpenStudy> {
  const { progress, clock, environment, cacheDir } = options;
  const models = new Map<string, Promise<OpenModel>>();
  const hashes = new Map<string, Promise<Hashed>>();
  let runtime: Runtime | undefined;
  let prompts: Promise<StudyPrompts> | undefined;
  const hashed = (path: string) => {
    const found = hashes.get(path) ?? contentHash(path).then((sha256) => ({ path, sha256 }));
    hashes.set(path, found);
    return found;
  };
  // A template that prints the date prints that of the study's first day, or its prompts would change overnight.
  const now = new Date((await readStudyManifest(study.folder))?.created ?? clock());
  const openChoice = async ({ model, adapter }: ModelChoice) => {
    const parts = { ...(adapter !== undefined && { adapter: await localModel(adapter) }), cacheDir };
    return openModel(await localModel(model), { ...parts, progress, now });
  };
  return {
    ...study,
    prompts() {
      prompts ??= promptsOf(study);
      return prompts;
    },
    now,
    progress,
    clock,
    recorder: { clock, versions },
    environment,
    cacheDir,
    runtime() {
      runtime ??= nodeRuntime();
      return runtime;
    },
    model(choice) {
      const key = JSON.stringify([choice.model, choice.adapter]);
      const opened = models.get(key) ?? openChoice(choice);
      models.set(key, opened);
      return opened;
    },
    async modelHashes(name, { model, adapter }) {
      const found = { [name]: await hashed(await localModel(model)) };
      if (adapter !== undefined) found[`${name}Adapter`] = await hashed(await localModel(adapter));
      return found;
    },
    hashed,
    async close() {
      await runtime?.close();
    },
  };
}

async function promptsOf({ config, file }: Study): Promise<StudyPrompts> {
  if (config.prompts === undefined)
    throw new InputError(
      `${file}: prompts: expected prompts to sample on, or completions taken by \`culprit import\``,
    );
  return readPrompts(config.prompts);
}

/** The hash of one of the study's own files, which a stage may just have written. */
export const hashedNow = async (path: string): Promise<Hashed> => ({ path, sha256: await contentHash(path) });

/** The hashes alone, by name. */
export const hashesOf = (inputs: Readonly<Record<string, Hashed>>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
