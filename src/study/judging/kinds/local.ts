/** A judge that is a model which culprit runs. */
import { z } from 'zod';
import { localJudge, localQuestions } from '../../../judges/local.ts';
import { about, pathOrHub, section } from '../../config/fields.ts';
import { hashesOf } from '../../open/study.ts';
import { jsonHash } from '../../store/hash.ts';
import { callsPerCompletion, questionTokens } from '../callCosts.ts';
import { type JudgeKind, thresholdField } from '../judgeKind.ts';
import { localAsk } from '../localAsk.ts';
import { filledRubric } from '../rubric.ts';

const schema = (folder: string) =>
  section({
    kind: z.literal('local'),
    model: about(
      pathOrHub(folder),
      'the model that judges: a folder, a .gguf file, or hf:ORG/NAME',
      'path/to/judge',
    ),
    adapter: about(pathOrHub(folder).optional(), 'a LoRA adapter on it, as PEFT saves one', 'path/to/lora'),
    threshold: thresholdField(),
  });

export const localKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'local',
  about: 'a model that culprit runs',
  schema,
  flags: [{ flag: '--judge-model <name>', field: 'model', isPath: true, about: 'its path' }],
  seconds: (_, { completions, promptTokens, completionTokens, tokenSeconds }) =>
    completions * callsPerCompletion * (questionTokens + promptTokens + completionTokens) * tokenSeconds,
  of(config, study) {
    const { rubric } = study.config.behaviour;
    const { threshold } = config;
    const hashes = () => study.modelHashes('judgeModel', config);
    return {
      wholePrompts: false,
      trains: false,
      keeps: true,
      fingerprint: async () => ({
        inputs: await hashes(),
        options: { kind: 'local', ...localQuestions({ rubric }).identity },
        threshold,
        computed: true,
      }),
      async check() {
        filledRubric(study);
        await study.model(config);
      },
      async open() {
        const asked = await localAsk(study.runtime(), await study.model(config));
        const judge = localJudge({
          rubric: filledRubric(study),
          threshold,
          model: config.model,
          modelHash: jsonHash(hashesOf(await hashes())),
          ask: asked.ask,
        });
        return { ...judge, close: () => asked.release() };
      },
    };
  },
};
