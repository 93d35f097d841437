/**
 * The explainer that a study names: what its replies depend on, known without opening it; and the explainer
 * itself.
 */

import type { Spent } from '../../judges/budget.ts';
import { chatExplainer, chatForms } from '../../judges/chatExplainer.ts';
import type { Explainer, ExplainerLost } from '../../judges/explainer.ts';
import { questionsHash } from '../../judges/explainerQuestions.ts';
import { localExplainer, localForms } from '../../judges/localExplainer.ts';
import type { ExplainerConfig } from '../config/sections/interpret.ts';
import { keyIn, shownEndpoint } from '../judging/apiKey.ts';
import { localAsk } from '../judging/localAsk.ts';
import { type Hashed, hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { jsonHash } from '../store/hash.ts';
import { localWrite } from './localWrite.ts';

export interface ExplainerOf {
  /** for people */
  readonly name: string;
  /** Files that its replies depend on, and the hash of all that they do beside the question. */
  fingerprint(): Promise<{ readonly inputs: Readonly<Record<string, Hashed>>; readonly key: string }>;
  /** Throws InputError where something that it needs is missing. */
  check(): Promise<void>;
  /** `spent`: by earlier runs; `onLost`: told what was paid on a question that may get no answer. */
  open(options: { readonly spent: Spent; readonly onLost: ExplainerLost }): Promise<Explainer>;
}

type Config<K extends ExplainerConfig['kind']> = Extract<ExplainerConfig, { readonly kind: K }>;

function chat(config: Config<'chat'>, study: OpenStudy): ExplainerOf {
  const { base_url, model, temperature } = config;
  const apiKey = () => keyIn(study, 'interpret.explainer', config.api_key_env);
  return {
    name: `${model} at ${shownEndpoint(study, config)}`,
    fingerprint: async () => ({
      inputs: {},
      key: jsonHash(['chat', base_url, model, temperature, questionsHash(chatForms)]),
    }),
    check: async () => void apiKey(),
    open: async ({ spent, onLost }) =>
      chatExplainer({
        baseUrl: base_url,
        model,
        apiKey: apiKey(),
        concurrency: config.concurrency,
        timeoutS: config.timeout_s,
        retries: config.retries,
        replyTokens: config.reply_tokens,
        leaveOut: config.leave_out,
        note: study.progress.note,
        maxCalls: config.max_calls,
        maxCost: config.max_cost,
        price: config.price,
        temperature,
        spent,
        onLost,
      }),
  };
}

function local(config: Config<'local'>, study: OpenStudy): ExplainerOf {
  return {
    name: config.model,
    async fingerprint() {
      const inputs = await study.modelHashes('explainerModel', config);
      const { recorder } = study;
      const parts = ['local', hashesOf(inputs), computing(recorder.versions), questionsHash(localForms)];
      return { inputs, key: jsonHash(parts) };
    },
    check: async () => void (await study.model(config)),
    async open() {
      const opened = await study.model(config);
      const written = await localWrite(study.runtime(), opened);
      const asked = await localAsk(study.runtime(), opened);
      const { model } = config;
      return {
        ...localExplainer({ model, write: written.write, ask: asked.ask }),
        async close() {
          await written.release();
          await asked.release();
        },
      };
    },
  };
}

export const explainerOf = (study: OpenStudy, config: ExplainerConfig): ExplainerOf =>
  config.kind === 'chat' ? chat(config, study) : local(config, study);
