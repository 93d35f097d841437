/**
 * A study opened for work: its config and prompts, its models and its dictionary when they are first
 * asked for, its records, and the hashes of what it is made from. Knows no stage.
 */

import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { checkSite } from '../../models/passes.ts';
import type { CompletionRecord, StudyManifest } from '../../results.ts';
import { threadsHere } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Sae } from '../../saes/sae.ts';
import type { Study } from '../config/readStudy.ts';
import type { Recorder } from '../store/finishStage.ts';
import { contentHash, jsonHash } from '../store/hash.ts';
import { heldFiles } from '../store/heldFiles.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { type Clock, dateText, versions } from '../store/runRecord.ts';
import { contrastsOf, type StudyContrast } from './contrasts.ts';
import { checkMemory, type Machine, openRuntime } from './machine.ts';
import { type OpenModel, openModel } from './openModel.ts';
import { descriptionsBeside, openChosenSae, siteFor, trainedLayer } from './openSae.ts';
import type { Progress } from './progress.ts';
import { readPrompts, type StudyPrompt, type StudyPrompts } from './promptsFile.ts';
import { readCompletions, readPairRecords } from './records.ts';
import { shuffledModel } from './shuffledModel.ts';

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

export interface FittingDictionary {
  readonly sae: Sae;
  /** L of resid_post L */
  readonly layer: number;
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
  /** The model that latents are ranked by: the subject, but in a control that ranks by a random model. */
  rankedModel(): Promise<OpenModel>;
  /** The dictionary, opened once. Throws InputError where it is damaged. */
  sae(): Promise<Sae>;
  /**
   * L of resid_post L: what study.yaml says, else where the dictionary was trained. Throws InputError where
   * neither says.
   */
  layer(): Promise<number>;
  /**
   * The dictionary and the layer to work at. Throws InputError where they do not fit the subject, or each
   * other.
   */
  dictionary(): Promise<FittingDictionary>;
  /** The completions that stand in the folder now, those of a file that a stage has just written. */
  completions(): Promise<CompletionRecord[]>;
  /**
   * The pairs that stand there now, as contrasts: one for each pair, or for each prompt where
   * `pairs.per_prompt` is `all`.
   */
  contrasts(): Promise<StudyContrast[]>;
  /**
   * Token ids of prompts of study.yaml. Throws InputError where one has none, or leaves no room for
   * `maxTokens` more; `what` names them.
   */
  encoded(
    choice: ModelChoice,
    prompts: readonly StudyPrompt[],
    room: { readonly maxTokens: number; readonly what: string },
  ): Promise<number[][]>;
  /** Hashes of a model's parts, by `name` and `nameAdapter`. */
  modelHashes(name: string, choice: ModelChoice): Promise<Record<string, Hashed>>;
  /**
   * The hash of a file or folder from outside, taken once. `recorder.check` holds the file against it from
   * then on.
   */
  hashed(path: string): Promise<Hashed>;
  /** The hash of the dictionary: of its folder, or of its file with those that describe it. */
  hashedSae(): Promise<Hashed>;
  close(): Promise<void>;
}

export interface OpenStudyOptions extends Machine {
  readonly progress: Progress;
  readonly clock: Clock;
  /** where keys are found; the caller's own environment */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** the date for chat templates that print it; default the study's first day */
  readonly date?: Date | undefined;
}

/**
 * The date that a study's templates print: that of its first day, or its prompts would change overnight.
 * Throws InputError for another than it has.
 */
function dayOf(
  manifest: StudyManifest | undefined,
  folder: string,
  given: Date | undefined,
): Date | undefined {
  if (manifest === undefined) return given;
  const own = new Date(manifest.date ?? manifest.created);
  if (given !== undefined && given.getTime() !== own.getTime())
    throw new InputError(
      `--date ${dateText(given)}: the prompts of ${folder} are of ${dateText(own)} since its first run: another date takes another study`,
    );
  return own;
}

/** Opens a study that was read. */
export async function openStudy(study: Study, options: OpenStudyOptions): Promise<OpenStudy> {
  const { progress, clock, environment, cacheDir, memory } = options;
  checkMemory({ memory });
  const models = new Map<string, Promise<OpenModel>>();
  const held = heldFiles();
  let runtime: Runtime | undefined;
  let prompts: Promise<StudyPrompts> | undefined;
  const hashed = async (path: string) => ({ path, sha256: await held.hash(path) });
  let sae: Promise<Sae> | undefined;
  let ranked: Promise<OpenModel> | undefined;
  const { config, folder } = study;
  const now = dayOf(await readStudyManifest(study.folder), study.folder, options.date) ?? clock();
  const openChoice = async ({ model, adapter }: ModelChoice) => {
    for (const one of [model, adapter]) if (one !== undefined) await held.hold(one);
    const opened = await openModel(model, { adapter, cacheDir, progress, now });
    for (const file of opened.cached) await held.hold(file);
    return opened;
  };
  const opened: OpenStudy = {
    ...study,
    sae() {
      sae ??= held.hold(config.sae.path).then(() => openChosenSae(config.sae));
      return sae;
    },
    async layer() {
      const layer = config.sae.site ?? trainedLayer(await opened.sae());
      if (layer === undefined)
        throw new InputError(`SAE ${config.sae.path} does not say its site: name the layer as sae.site`);
      return layer;
    },
    async dictionary() {
      const { model } = await opened.model(config.subject);
      const found = await opened.sae();
      if (config.sae.site !== undefined) checkSite(model, config.sae.site);
      const layer = siteFor(found, config.sae.site, model.decoder.width);
      checkSite(model, layer);
      return { sae: found, layer };
    },
    completions: () => readCompletions(folder),
    async contrasts() {
      const { codec } = await opened.model(config.subject);
      const completions = new Map((await readCompletions(folder)).map((one) => [one.id, one]));
      return contrastsOf(
        await readPairRecords(folder),
        completions,
        codec,
        config.pairs.per_prompt === 'all',
      );
    },
    async encoded(choice, asked, { maxTokens, what }) {
      const { codec, model } = await opened.model(choice);
      return asked.map((prompt) => {
        const ids = codec.encodePrompt(prompt.prompt);
        const where = promptPlace(prompt);
        if (ids.length === 0) throw new InputError(`${where}: the vocabulary has no token of it`);
        if (ids.length + maxTokens > model.decoder.context)
          throw new InputError(
            `${where} has ${ids.length} tokens: with ${what} it exceeds the ${model.decoder.context} that ${model.where} takes`,
          );
        return ids;
      });
    },
    prompts() {
      prompts ??= promptsOf(study);
      return prompts;
    },
    now,
    progress,
    clock,
    recorder: {
      clock,
      versions,
      check: held.check,
      ...(options.date && { date: options.date }),
      get threads() {
        return threadsHere();
      },
    },
    environment,
    cacheDir,
    runtime() {
      runtime ??= openRuntime({ memory, progress, clock });
      return runtime;
    },
    model(choice) {
      const key = JSON.stringify([choice.model, choice.adapter]);
      const opened = models.get(key) ?? openChoice(choice);
      models.set(key, opened);
      return opened;
    },
    rankedModel() {
      const { control, subject } = config;
      const shuffled = async (own: OpenModel, seed: number) => ({
        ...own,
        model: await shuffledModel(own.model, folder, seed),
      });
      ranked ??= opened
        .model(subject)
        .then((own) => (control?.kind === 'random-model' ? shuffled(own, control.seed) : own));
      return ranked;
    },
    async modelHashes(name, { model, adapter }) {
      const found = { [name]: await hashed(model) };
      if (adapter !== undefined) found[`${name}Adapter`] = await hashed(adapter);
      return found;
    },
    hashed,
    async hashedSae() {
      const { path } = config.sae;
      const beside = await descriptionsBeside(path);
      if (beside.length === 0) return hashed(path);
      const hashes: string[] = [];
      for (const name of [path, ...beside]) hashes.push(await held.hash(name));
      return { path, sha256: jsonHash(hashes) };
    },
    async close() {
      await runtime?.close();
    },
  };
  return opened;
}

/** A prompt of study.yaml in the words of an error. */
export const promptPlace = ({ file, row, id }: StudyPrompt): string =>
  `${file}: row ${row}: prompt ${quoted(id)}`;

async function promptsOf({ config, file }: Study): Promise<StudyPrompts> {
  if (config.prompts === undefined)
    throw new InputError(
      `${file}: prompts: expected prompts to sample on, or completions imported with \`culprit import\``,
    );
  return readPrompts(config.prompts);
}

/** The hash of one of the study's own files, which a stage may just have written. */
export const hashedNow = async (path: string): Promise<Hashed> => ({ path, sha256: await contentHash(path) });

/** The hashes alone, by name. */
export const hashesOf = (inputs: Readonly<Record<string, Hashed>>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
