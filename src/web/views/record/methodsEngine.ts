/** Where completions came from other than the machine of the study, as the methods text states it. */
import type { StageRecord } from '../../../results.ts';
import { scientific } from '../../format.ts';
import type { Sentences } from './recordFields.ts';

type Engine = NonNullable<StageRecord['engines']>[number];

/** `a vLLM server (0.30.0, float32) that held tuned` */
function named({ version, model, precision, difference }: Engine): string {
  const of = [version, precision].filter((one) => one !== undefined).join(', ');
  const off =
    typeof difference === 'number'
      ? `, whose log-probabilities were ${scientific(difference)} nats a token off those of the local files`
      : '';
  return `a vLLM server (${of}) that held ${model}${off}`;
}

/** Of a stage; nothing where the machine of the study made all. */
export function engineSentences({ engines = [] }: StageRecord): Sentences {
  const served = engines.filter(({ engine }) => engine === 'vllm');
  return served.length === 0 ? [] : [`These completions came from ${served.map(named).join('; and from ')}.`];
}

/** Of the causal test, whose operations are not all made by a server; `tokens` are those that are steered. */
export function steeringEngineSentences(stage: StageRecord, tokens: string | undefined): Sentences {
  const served = (stage.engines ?? []).filter(({ engine }) => engine === 'vllm');
  if (served.length === 0) return [];
  const adds = served.every(({ steers }) => `${steers}`.split(', ').includes(tokens ?? ''));
  return [
    ...engineSentences(stage),
    `Where a projection was held or a latent subtracted${adds ? '' : ', and where a direction was added'}, they were made on the machine of the study, since the server does not make that change.`,
  ];
}
