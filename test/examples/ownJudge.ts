/** A judge of one's own: a completion is positive where it is long. */
import {
  about,
  addJudgeKind,
  free,
  gradedTogether,
  type JudgeKind,
  labelled,
  runStudy,
  section,
  whole,
} from 'culprit';
import { z } from 'zod';

const schema = () =>
  section({
    kind: z.literal('length'),
    characters: about(whole(1).default(40), 'a completion of at least so many characters is positive'),
  });

const lengthKind: JudgeKind<z.output<ReturnType<typeof schema>>> = {
  kind: 'length',
  about: 'looks how long a completion is',
  schema,
  flags: [],
  seconds: () => 0,
  of: ({ characters }) => ({
    wholePrompts: false,
    trains: false,
    fingerprint: async () => ({
      inputs: {},
      options: { kind: 'length', characters },
      threshold: 0.5,
      computed: false,
    }),
    check: async () => undefined,
    open: async () => ({
      name: `length ${characters}`,
      identity: { kind: 'length', characters },
      grade: gradedTogether('length', 1, async ({ completion }) => ({
        ...labelled(Number(completion.length >= characters), 1, 0.5),
        reason: `${completion.length} characters`,
        raw: '',
        cost: free,
      })),
      close: async () => undefined,
    }),
  }),
};

/** Runs a study whose study.yaml names it: `judge: {kind: length, characters: 20}`. */
export async function run(study: string) {
  addJudgeKind(lengthKind);
  const { grade } = await runStudy({ study, stages: ['sample', 'grade'] });
  return grade?.records.map(({ label, reason }) => ({ label, reason }));
}
