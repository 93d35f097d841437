/** A judge behind an OpenAI-compatible endpoint. */
import { z } from 'zod';
import { readText } from '../../../files/jsonFile.ts';
import { chatJudge, chatQuestions } from '../../../judges/chat.ts';
import { chatBatch } from '../../../judges/chatBatch.ts';
import { endpointFields, isPriced, temperature, unpriced } from '../../config/endpointFields.ts';
import { about, path, section } from '../../config/fields.ts';
import { keyIn, shownEndpoint } from '../apiKey.ts';
import { callSeconds, callsPerCompletion, questionTokens, replyTokens } from '../callCosts.ts';
import { given } from '../given.ts';
import { type JudgeKind, thresholdField } from '../judgeKind.ts';
import { filledRubric } from '../rubric.ts';

const schema = (folder: string) =>
  section({
    kind: z.literal('chat'),
    ...endpointFields('judges'),
    template: about(
      path(folder).optional(),
      'a file with the question: a text with {{rubric}}, {{prompt}}, {{completion}} (default: built in)',
      'grade.txt',
    ),
    coherence_template: about(
      path(folder).optional(),
      'a file with the question about coherence: a text with {{prompt}}, {{completion}} (default: built in)',
      'coherence.txt',
    ),
    threshold: thresholdField(),
    temperature: temperature('judge'),
  }).refine(isPriced, unpriced);

export const chatKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'chat',
  about: 'a model behind an OpenAI-compatible endpoint',
  schema,
  flags: [
    { flag: '--judge-url <url>', field: 'base_url', about: 'an OpenAI-compatible endpoint' },
    { flag: '--judge-model <name>', field: 'model', about: "the model's name there" },
    {
      flag: '--judge-key-env <name>',
      field: 'api_key_env',
      about: 'environment variable that holds the key',
    },
  ],
  seconds: ({ concurrency }, { completions }) =>
    (completions * callsPerCompletion * callSeconds) / concurrency,
  abreast: ({ concurrency }) => concurrency,
  price({ price }, { completions, promptTokens, completionTokens }) {
    if (price === undefined) return undefined;
    const calls = completions * callsPerCompletion;
    const inputs = calls * (questionTokens + promptTokens + completionTokens);
    return (inputs * price.input + calls * replyTokens * price.output) / 1e6;
  },
  note: `${callsPerCompletion} calls per completion`,
  assumption:
    `A call to the judge is assumed to take ${callSeconds} s ` +
    `and to send ${questionTokens} tokens besides prompt and completion.`,
  of(config, study) {
    const { base_url, model, template, coherence_template, threshold, temperature } = config;
    const { rubric } = study.config.behaviour;
    const apiKey = () => keyIn(study, 'judge', config.api_key_env);
    const shownUrl = () => shownEndpoint(study, config);
    const textOf = async (path: string | undefined) => (path === undefined ? undefined : readText(path));
    const templates = async () =>
      given({ behaviour: await textOf(template), coherence: await textOf(coherence_template) });
    const common = async () => ({
      baseUrl: base_url,
      model,
      rubric: filledRubric(study),
      templates: await templates(),
      retries: config.retries,
      replyTokens: config.reply_tokens,
      leaveOut: config.leave_out,
      note: study.progress.note,
      price: config.price,
      maxCalls: config.max_calls,
      maxCost: config.max_cost,
      threshold,
      temperature,
    });
    return {
      wholePrompts: false,
      trains: false,
      keeps: true,
      async fingerprint() {
        const { identity } = chatQuestions({ rubric, templates: await templates() });
        const left = config.leave_out === undefined ? {} : { leave_out: config.leave_out.join(' ') };
        const options = { kind: 'chat', base_url, model, temperature, ...left, ...identity };
        const shown = { base_url: shownUrl() };
        return { inputs: {}, options, shown, threshold, computed: false };
      },
      async check() {
        filledRubric(study);
        apiKey();
      },
      async open({ spent, onLost, heard } = {}) {
        return chatJudge({
          ...(await common()),
          apiKey: apiKey(),
          concurrency: config.concurrency,
          timeoutS: config.timeout_s,
          spent,
          onLost,
          heard,
        });
      },
      async batch({ heard, manner }) {
        // nobody is called, so that a key is only hidden where it is known
        const known = config.api_key_env === undefined ? undefined : study.environment[config.api_key_env];
        return chatBatch({ ...(await common()), apiKey: known, heard, manner });
      },
    };
  },
};
