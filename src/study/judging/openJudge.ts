/** The judge that a study names: what its verdicts depend on, known without opening it; and the judge itself. */
import { InputError } from '../../errors.ts';
import { localModel } from '../../files/hubCache.ts';
import { readText } from '../../files/jsonFile.ts';
import { chatJudge, chatQuestions } from '../../judges/chat.ts';
import type { Judge } from '../../judges/judge.ts';
import { localJudge, localQuestions } from '../../judges/local.ts';
import { patternJudge } from '../../judges/pattern.ts';
import type { JudgeConfig } from '../config/schema.ts';
import { openSae, trainedLayer } from '../open/openSae.ts';
import { type Hashed, hashesOf, type OpenStudy } from '../open/study.ts';
import { workFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { keyIn } from './apiKey.ts';
import type { ClassifierReport } from './classifierModel.ts';
import { classifierVersion, openClassifier } from './classifierRun.ts';
import { judgeWriters } from './judgeWriters.ts';
import { readLabelled } from './labelledFile.ts';
import { localAsk } from './localAsk.ts';

/** What verdicts depend on beside the completion: files by their hashes, and everything else as JSON. */
export interface Fingerprint {
  readonly inputs: Readonly<Record<string, Hashed>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** score from which a completion is positive; what has been graded is labelled anew where it changes */
  readonly threshold: number;
  /** whether a model that runs here computes the verdicts */
  readonly computed: boolean;
}

export interface OpenJudgeOptions {
  /** Told how a trained judge did on what was held out. */
  readonly onReport?: (report: ClassifierReport) => void;
  /** What earlier runs have spent of the study's budget; default nothing. */
  readonly spent?: { readonly calls: number; readonly price: number };
}

export interface JudgeOf {
  /**
   * Whether a prompt's completions are read together, so that the last digits of a score depend on its companions: then a prompt is graded whole, or
   * a run that goes on would not end with the same bytes.
   */
  readonly wholePrompts: boolean;
  fingerprint(): Promise<Fingerprint>;
  /** Throws InputError where something that it needs is missing: before any work is done. */
  check(): Promise<void>;
  /** Opens it, training it first where it is one that learns. Throws InputError where it cannot work. */
  open(options?: OpenJudgeOptions): Promise<Judge>;
}

type Config<K extends JudgeConfig['kind']> = Extract<JudgeConfig, { readonly kind: K }>;

/** Fields that are there. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

function pattern({ positive, flags, incoherent }: Config<'pattern'>): JudgeOf {
  const options = given({ positive, flags, incoherent });
  return {
    wholePrompts: false,
    fingerprint: async () => ({
      inputs: {},
      options: { kind: 'pattern', ...options } as Fingerprint['options'],
      threshold: 0.5,
      computed: false,
    }),
    check: async () => void patternJudge(options),
    open: async () => patternJudge(options),
  };
}

function chat(config: Config<'chat'>, study: OpenStudy): JudgeOf {
  const { base_url, model, template, coherence_template, threshold, temperature } = config;
  const { rubric } = study.config.behaviour;
  const apiKey = () => keyIn(study, 'judge', config.api_key_env);
  const textOf = async (path: string | undefined) => (path === undefined ? undefined : readText(path));
  const templates = async () =>
    given({ behaviour: await textOf(template), coherence: await textOf(coherence_template) });
  return {
    wholePrompts: false,
    async fingerprint() {
      const { identity } = chatQuestions({ rubric, templates: await templates() });
      const options = { kind: 'chat', base_url, model, temperature, ...identity };
      return { inputs: {}, options, threshold, computed: false };
    },
    check: async () => void apiKey(),
    async open({ spent } = {}) {
      return chatJudge({
        baseUrl: base_url,
        model,
        rubric,
        apiKey: apiKey(),
        templates: await templates(),
        concurrency: config.concurrency,
        timeoutS: config.timeout_s,
        retries: config.retries,
        maxCalls: config.max_calls,
        maxCost: config.max_cost,
        price: config.price,
        threshold,
        temperature,
        ...(spent !== undefined && { spent }),
      });
    },
  };
}

function local(config: Config<'local'>, study: OpenStudy): JudgeOf {
  const { rubric } = study.config.behaviour;
  const { threshold } = config;
  const hashes = () => study.modelHashes('judgeModel', config);
  return {
    wholePrompts: false,
    fingerprint: async () => ({
      inputs: await hashes(),
      options: { kind: 'local', ...localQuestions({ rubric }).identity },
      threshold,
      computed: true,
    }),
    check: async () => void (await study.model(config)),
    async open() {
      const asked = await localAsk(study.runtime(), await study.model(config));
      const judge = localJudge({
        rubric,
        threshold,
        model: config.model,
        modelHash: jsonHash(hashesOf(await hashes())),
        ask: asked.ask,
      });
      return { ...judge, close: () => asked.release() };
    },
  };
}

function classifier(config: Config<'classifier'>, study: OpenStudy): JudgeOf {
  const { reference, sae } = study.config;
  const { threshold, held_out, seed, site } = config;
  /** The layer that broken texts are steered at: where the study reads. */
  async function steerAt(): Promise<number> {
    const layer = sae.site ?? trainedLayer(await openSae(sae.path));
    if (layer === undefined)
      throw new InputError(`SAE ${sae.path} does not say its site: name the layer as sae.site`);
    return layer;
  }
  return {
    wholePrompts: true,
    async fingerprint() {
      const { positive, negative } = config;
      return {
        inputs: {
          ...(await study.modelHashes('judgeModel', reference)),
          judgePositive: await study.hashed(positive.file),
          judgeNegative: await study.hashed(negative.file),
        },
        options: {
          kind: 'classifier',
          version: classifierVersion,
          steer_at: await steerAt(),
          held_out,
          seed,
          ...given({ site }),
          examples: JSON.stringify([positive, negative].map(({ file: _, ...fields }) => fields)),
        },
        threshold,
        computed: true,
      };
    },
    async check() {
      for (const source of [config.positive, config.negative]) await readLabelled(source);
      await study.model(reference);
    },
    async open({ onReport } = {}) {
      const { judge, report } = await openClassifier({
        model: await localModel(reference.model),
        ...(reference.adapter !== undefined && { adapter: await localModel(reference.adapter) }),
        cacheDir: study.cacheDir,
        now: study.now,
        positive: config.positive,
        negative: config.negative,
        site,
        threshold,
        heldOut: held_out,
        seed,
        writers: judgeWriters(study.runtime, () => study.model(reference), await steerAt()),
        folder: study.folder,
        workFolder: workFolder(study.folder),
        runtime: study.runtime(),
        clock: study.clock,
        progress: study.progress,
      });
      onReport?.(report);
      return judge;
    },
  };
}

/** The judge of a study, by its config. */
export function judgeOf(study: OpenStudy, config: JudgeConfig = study.config.judge): JudgeOf {
  switch (config.kind) {
    case 'pattern':
      return pattern(config);
    case 'chat':
      return chat(config, study);
    case 'local':
      return local(config, study);
    case 'classifier':
      return classifier(config, study);
  }
}
