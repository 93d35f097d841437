/** The judge that a study names: what its verdicts depend on, known without opening it; and the judge itself. */
import { InputError } from '../../errors.ts';
import { localModel } from '../../files/hubCache.ts';
import { readText } from '../../files/jsonFile.ts';
import { chatJudge, chatQuestions } from '../../judges/chat.ts';
import type { Judge } from '../../judges/judge.ts';
import { localJudge, localQuestions } from '../../judges/local.ts';
import { patternJudge } from '../../judges/pattern.ts';
import type { JudgeConfig } from '../config/schema.ts';
import { jsonHash } from '../hash.ts';
import { openSae, trainedLayer } from '../openSae.ts';
import { type Hashed, hashesOf, type OpenStudy } from '../stages/study.ts';
import { workFolder } from '../store/folder.ts';
import type { ClassifierReport } from './classifierModel.ts';
import { openClassifier } from './classifierRun.ts';
import { judgeWriters } from './judgeWriters.ts';
import { localAsk } from './localAsk.ts';

/** What verdicts depend on beside the completion: files by their hashes, and everything else as JSON. */
export interface Fingerprint {
  readonly inputs: Readonly<Record<string, Hashed>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
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
    }),
    open: async () => patternJudge(options),
  };
}

function chat(config: Config<'chat'>, study: OpenStudy): JudgeOf {
  const { base_url, model, template, coherence_template, threshold, temperature } = config;
  const { rubric } = study.config.behaviour;
  const textOf = async (path: string | undefined) => (path === undefined ? undefined : readText(path));
  const templates = async () =>
    given({ behaviour: await textOf(template), coherence: await textOf(coherence_template) });
  return {
    wholePrompts: false,
    async fingerprint() {
      const { identity } = chatQuestions({ rubric, templates: await templates() });
      return { inputs: {}, options: { kind: 'chat', base_url, model, threshold, temperature, ...identity } };
    },
    async open({ spent } = {}) {
      const key = config.api_key_env;
      const apiKey = key === undefined ? undefined : study.environment[key];
      if (key !== undefined && !apiKey)
        throw new InputError(`judge.api_key_env: environment variable ${key} is not set`);
      return chatJudge({
        baseUrl: base_url,
        model,
        rubric,
        apiKey,
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
      options: { kind: 'local', threshold, ...localQuestions({ rubric }).identity },
    }),
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
          threshold,
          held_out,
          seed,
          ...given({ site }),
          examples: JSON.stringify([positive, negative].map(({ file: _, ...fields }) => fields)),
        },
      };
    },
    async open({ onReport } = {}) {
      const steerAt = sae.site ?? trainedLayer(await openSae(sae.path));
      if (steerAt === undefined)
        throw new InputError(`SAE ${sae.path} does not say its site: name the layer as sae.site`);
      const { judge, report } = await openClassifier({
        model: await localModel(reference.model),
        ...(reference.adapter !== undefined && { adapter: await localModel(reference.adapter) }),
        cacheDir: study.cacheDir,
        positive: config.positive,
        negative: config.negative,
        site,
        threshold,
        heldOut: held_out,
        seed,
        writers: judgeWriters(study.runtime, () => study.model(reference), steerAt),
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
