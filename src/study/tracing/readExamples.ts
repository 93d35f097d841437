/** Training examples read by a model, one pass each, kept in a journal as they are read. */
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { FittingOptions } from '../../methods/monitoring/fitted.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import { type SitePass, sitePass } from '../../methods/site/siteGradient.ts';
import {
  type ExampleReading,
  exampleAlong,
  readExample,
  type TokenTrace,
  type TracedDirection,
} from '../../methods/tracing/trainingExample.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import { packTree } from '../../models/tree.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { ModelChoice, OpenStudy } from '../open/study.ts';
import { contentOf } from '../store/contentHash.ts';
import { journalFile } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { openJournal } from '../store/journal.ts';
import { packed, unpacked } from '../store/packedVector.ts';
import { dateText } from '../store/runRecord.ts';
import type { TrainingExample } from './trainingExamples.ts';

/** Raised when the same example comes to other numbers. */
const traceVersion = 1;

/** How examples are read, and along which directions. */
export interface TraceReading extends Pick<FittingOptions, 'latents' | 'random' | 'baseline'> {
  readonly choice: ModelChoice;
  readonly tokens: TokenSet;
}

/** Of one example; the values in the order of the latents, then of the random ones. */
export interface ReadExample {
  readonly loss: number;
  /** of its completion, as far as it was read */
  readonly tokens: number;
  readonly values: readonly TokenTrace[];
}

export interface TracedExamples {
  /** in the order of the examples */
  readonly read: readonly ReadExample[];
  /** completions that the model's context ends in */
  readonly cut: number;
}

const journalRecord = z.object({
  id: z.string(),
  loss: z.number(),
  tokens: z.int().min(1),
  cut: z.boolean(),
  /** float32 in base64 */
  push: z.string(),
  activation: z.string(),
});
type JournalRecord = z.output<typeof journalRecord>;

export const directionsRead = ({ latents, random }: TraceReading): TracedDirection[] => [
  ...latents,
  ...random.map((direction) => ({ direction, sign: 1 as const })),
];

/** A pass and the ids that it is given. */
export interface ExampleReader {
  read(example: TrainingExample): Promise<{
    readonly reading: ExampleReading;
    /** prompt and completion */
    readonly ids: readonly number[];
    readonly promptTokens: number;
    readonly cut: boolean;
  }>;
  release(): Promise<void>;
}

/** Loads the model. Reading throws InputError for an example without a token, or whose prompt fills the context. */
export async function exampleReader(
  study: OpenStudy,
  { choice, tokens }: TraceReading,
): Promise<ExampleReader & Pick<OpenModel, 'codec' | 'model'>> {
  const { layer } = await study.dictionary();
  const { model, codec } = await study.model(choice);
  const pass: SitePass = await sitePass(study.runtime(), model, layer);
  const { context } = model.decoder;
  return {
    model,
    codec,
    async read({ where, prompt, completion }) {
      const before = codec.encodePrompt(prompt);
      const whole = codec.encodeCompletion(prompt, completion);
      const room = context - before.length;
      if (before.length === 0 || whole.length === 0 || room < 1)
        throw new InputError(
          `${where}: expected a prompt of 1 to ${context - 1} tokens and a completion of 1 or more for ${model.where}, found ${before.length} and ${whole.length}`,
        );
      const tree = packTree(before, [whole.slice(0, room)]);
      const reading = await readExample(pass, tree, tokens);
      return { reading, ids: tree.ids, promptTokens: before.length, cut: whole.length > room };
    },
    release: () => pass.release(),
  };
}

/** The journal's key: other directions or another model are read anew. */
async function keyOf(study: OpenStudy, reading: TraceReading): Promise<string> {
  const hashes = await study.modelHashes('model', reading.choice);
  const { codec } = await study.model(reading.choice);
  const { layer } = await study.dictionary();
  return jsonHash([
    Object.entries(hashes).map(([name, { sha256 }]) => [name, sha256]),
    [layer, reading.tokens, traceVersion, codec.date ? dateText(codec.date) : null],
    directionsRead(reading).map(({ direction, sign }) => [packed(direction), sign]),
    packed(reading.baseline),
    study.recorder.versions,
  ]);
}

/** Reads the examples that the journal does not have yet; equal ones once. */
export async function readExamples(
  study: OpenStudy,
  examples: readonly TrainingExample[],
  reading: TraceReading,
): Promise<TracedExamples> {
  const { clock, progress, recorder, folder } = study;
  const key = await keyOf(study, reading);
  const journal = await openJournal(
    journalFile(folder, { name: 'trace', key }),
    journalRecord,
    ({ id }) => id,
    { clock, note: progress.note, check: recorder.check },
  );
  const ids = examples.map(({ prompt, completion }) => contentOf(prompt, completion));
  const missing = new Map(
    examples.flatMap((example, n) => (journal.records.has(ids[n]!) ? [] : [[ids[n]!, example] as const])),
  );
  const total = new Set(ids).size;
  const stage = progress.stage('Training examples read', total, total - missing.size);
  if (missing.size > 0) {
    const reader = await exampleReader(study, reading);
    const directions = directionsRead(reading);
    const one = async ([id, example]: readonly [string, TrainingExample]): Promise<JournalRecord> => {
      const { reading: found, ids: read, promptTokens, cut } = await reader.read(example);
      const values = directions.map((direction) => exampleAlong(found, direction, reading.baseline));
      return {
        id,
        loss: found.loss,
        tokens: read.length - promptTokens,
        cut,
        push: packed(Float32Array.from(values, ({ push }) => push)),
        activation: packed(Float32Array.from(values, ({ activation }) => activation)),
      };
    };
    try {
      journal.begin();
      for await (const record of inGroups(missing, passesAtOnce(study.runtime(), reader.model), one)) {
        await journal.append([record]);
        stage.advance();
      }
    } finally {
      await reader.release();
    }
  }
  stage.end();
  const records = ids.map((id) => journal.records.get(id)!);
  return { read: records.map(valuesOf), cut: records.filter(({ cut }) => cut).length };
}

function valuesOf({ loss, tokens, push, activation }: JournalRecord): ReadExample {
  const along = unpacked(activation);
  return {
    loss,
    tokens,
    values: Array.from(unpacked(push), (pushed, k) => ({ push: pushed, activation: along[k]! })),
  };
}
