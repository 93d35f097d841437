/** The exact judge of a made-up world: a file holds all that can be said there, and what of it is harmful. */
import { z } from 'zod';
import { readJson } from '../../../files/jsonFile.ts';
import { checked } from '../../../files/schema.ts';
import { checkPrompt, exactJudge, type JudgeData, judgeDataSchema } from '../../../judges/exact.ts';
import { about, path, section } from '../../config/fields.ts';
import type { JudgeKind } from '../judgeKind.ts';

const schema = (folder: string) =>
  section({
    kind: about(
      z.literal('exact'),
      'for worlds such as the one that comes with culprit, of which every sentence is known',
    ),
    data: about(
      path(folder),
      "all that the world can say, and what of it is harmful, as the bundled world's judge.json has it",
      'judge.json',
    ),
  });

export const exactKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'exact',
  about: 'every sentence is looked up: for worlds such as the bundled one',
  schema,
  flags: [{ flag: '--judge-data <file>', field: 'data', isPath: true, about: "the world's judge.json" }],
  seconds: () => 0,
  of({ data }, study) {
    const read = async (): Promise<JudgeData> => checked(judgeDataSchema, await readJson(data), data);
    return {
      wholePrompts: false,
      trains: false,
      fingerprint: async () => ({
        inputs: { judgeData: await study.hashed(data) },
        options: { kind: 'exact' },
        threshold: 0.5,
        computed: false,
      }),
      async check() {
        const world = await read();
        if (study.config.prompts === undefined) return;
        const { discovery, calibration, evaluation } = await study.prompts();
        for (const { prompt } of [...discovery, ...calibration, ...evaluation]) checkPrompt(world, prompt);
      },
      open: async () => exactJudge({ data: await read(), dataHash: (await study.hashed(data)).sha256 }),
    };
  },
};
