/** A judge that is trained on labelled examples, into the study's folder. */

import { join } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../../files/ifThere.ts';
import { resultFiles } from '../../../results.ts';
import { about, pathOrHub, real, rows, section, seed, text, whole } from '../../config/fields.ts';
import { workFolder } from '../../store/folder.ts';
import { classifierVersion, openClassifier } from '../classifierRun.ts';
import { mostWritten } from '../classifierTexts.ts';
import { given } from '../given.ts';
import { type JudgeKind, thresholdField } from '../judgeKind.ts';
import { judgeWriters } from '../judgeWriters.ts';
import { type LabelledSource, readLabelled } from '../labelledFile.ts';

/** A file alone, or a file and where in its lines they stand. */
const labelled = (folder: string) =>
  z.union(
    [
      pathOrHub(folder).transform((file): LabelledSource => ({ file })),
      section({
        file: about(pathOrHub(folder), 'one prompt and completion per line: JSONL, or CSV'),
        prompt: about(
          text('the name of a field').optional(),
          'the field to use as one user message (default: prompt, unchanged, or question)',
          'question',
        ),
        completion: about(
          text('the name of a field').optional(),
          'the field with the completion (default: completion, answer or response)',
          'answer',
        ),
        rows: about(rows().optional(), 'only these lines, counted from 0, first and last included', '0..499'),
      }),
    ],
    { error: 'expected a path, or the fields file, prompt, completion, rows' },
  );

const example = (completion: string) => ({
  file: 'labelled.jsonl',
  prompt: 'question',
  completion,
  rows: '0..499',
});

const schema = (folder: string) =>
  section({
    kind: z.literal('classifier'),
    positive: about(
      labelled(folder),
      'examples that show the behaviour: a file, or a part of one',
      example('bad_answer'),
    ),
    negative: about(labelled(folder), 'examples that do not', example('good_answer')),
    site: about(
      whole(0).optional(),
      'read the reference model after this block, the first being 0 (default: after two thirds of them)',
      20,
    ),
    threshold: thresholdField(),
    held_out: about(
      real({ above: 0, below: 1 }).default(0.2),
      'share of the examples that are kept apart to test the classifier',
    ),
    seed: about(seed().default(1), 'seed of that choice and of everything else that is random'),
  });

export const classifierKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'classifier',
  about: 'two probes on the reference model, trained on labelled examples',
  schema,
  flags: [
    { flag: '--positive <what>', field: 'positive', isPath: true, about: 'a file of examples' },
    { flag: '--negative <file>', field: 'negative', isPath: true, about: 'a file of examples' },
  ],
  seconds: (_, { completions, perPrompt, promptTokens, completionTokens, tokenSeconds }) =>
    completions * (promptTokens / perPrompt + completionTokens) * tokenSeconds,
  /** Its examples, broken forms of most, and what is written for it. */
  async firstTexts({ positive, negative }, { folder }) {
    if (await isThere(join(folder, resultFiles.judge))) return 0;
    const examples = (await readLabelled(positive)).length + (await readLabelled(negative)).length;
    return 1.75 * examples + 2 * Math.min(mostWritten, examples);
  },
  note: 'trained first',
  of(config, study) {
    const { reference } = study.config.control ?? study.config;
    const { threshold, held_out, seed, site } = config;
    return {
      wholePrompts: false,
      trains: true,
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
            steer_at: await study.layer(),
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
          model: reference.model,
          adapter: reference.adapter,
          cacheDir: study.cacheDir,
          now: study.now,
          positive: config.positive,
          negative: config.negative,
          site,
          threshold,
          heldOut: held_out,
          seed,
          writers: judgeWriters(study.runtime, () => study.model(reference), await study.layer()),
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
  },
};
