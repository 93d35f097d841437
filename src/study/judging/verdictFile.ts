/**
 * The file of a judge's verdicts in a study's working folder, by text; beside them what was paid without one, and
 * what came back in batches. For a run that holds the study's lock.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type { Heard } from '../../judges/chatAsk.ts';
import type { Manner } from '../../judges/chatBatch.ts';
import { optionalFields } from '../../judges/chatDialect.ts';
import type { JudgeItem, Verdict } from '../../judges/judge.ts';
import { gradeRecord, resultFiles } from '../../results.ts';
import { hashesOf, type OpenStudy } from '../open/study.ts';
import { computing } from '../open/units.ts';
import { contentOf } from '../store/contentHash.ts';
import { workFolder } from '../store/folder.ts';
import { contentHash, jsonHash } from '../store/hash.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import { stageKey } from '../store/key.ts';
import { readStudyManifest } from '../store/manifest.ts';
import { judgeOf } from './openJudge.ts';
import { costSchema, lostEntry, lostRecord } from './paid.ts';

const verdictEntry = gradeRecord
  .pick({ score: true, coherence: true, coherent: true, reason: true, raw: true, cost: true })
  .extend({ id: z.string() });

/** What came back in a batch for a question, which counts as a try. */
const heardSchema = z.object({
  id: z.string(),
  /** the text that it is about, as its verdict has it */
  of: z.string(),
  /** hash of the question */
  question: z.string(),
  said: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('reply'), text: z.string(), cut: z.boolean() }),
    z.object({ kind: z.literal('empty'), text: z.string(), why: z.string() }),
    z.object({ kind: z.literal('refused'), why: z.string() }),
  ]),
  cost: costSchema,
});

export const mannerId = 'manner';

/** How the judge is to be asked in batches, as it has shown. */
const mannerSchema = z.object({
  id: z.literal(mannerId),
  manner: z.object({
    without: z.array(z.enum(optionalFields)),
    limit: z.enum(['max_tokens', 'max_completion_tokens']),
    replyTokens: z.int().optional(),
  }),
  cost: costSchema,
});

const entry = z.union([lostEntry, heardSchema, mannerSchema, verdictEntry]);
export type Entry = z.output<typeof entry>;
export type VerdictEntry = z.output<typeof verdictEntry>;
type HeardEntry = z.output<typeof heardSchema>;
export type VerdictFile = Journal<Entry>;

/** The file of a judge's verdicts, by the hash of all that they depend on beside the text. */
export const keptFile = (folder: string, key: string): string =>
  join(workFolder(folder), `verdicts-${key.slice(0, 12)}.jsonl`);

/** Hash of all that a verdict of the study's judge depends on beside the text. */
export async function judgeKey(study: OpenStudy): Promise<string> {
  const { inputs, options, computed } = await judgeOf(study).fingerprint();
  const versions = computed ? computing(study.recorder.versions) : {};
  return stageKey({ inputs: hashesOf(inputs), versions, options });
}

export type VerdictText = Pick<JudgeItem, 'prompt' | 'completion' | 'ended'>;
/** The id of a text's verdict. */
export const textId = ({ prompt, completion, ended }: VerdictText): string =>
  jsonHash([contentOf(prompt, completion), ended]);

/** Opens the file of the study's judge, or begins it with the grades that are finished. */
export async function verdictFile(study: OpenStudy): Promise<VerdictFile> {
  await keepFinished(study);
  return journalAt(keptFile(study.folder, await judgeKey(study)), study);
}

/** The verdict that stands there under this id. */
export function verdictIn(file: VerdictFile, id: string): VerdictEntry | undefined {
  const found = file.records.get(id);
  return found !== undefined && 'score' in found ? found : undefined;
}

const questionHash = (content: string): string => createHash('sha256').update(content).digest('hex');

/** What came back in batches and has led to no verdict yet. */
export interface HeardBefore {
  /** by the text of the question */
  of(content: string): readonly Heard[];
  /** Entries that stand beside the verdict on a text, which has the cost of all that was heard on it. */
  settled(id: string): Entry[];
  /** Entries that have it that what was heard on a text was paid in vain, so that it is asked again. */
  inVain(id: string): Entry[];
}

export function heardIn(file: VerdictFile): HeardBefore {
  const entries = [...file.records.values()].filter((one) => 'question' in one);
  const byQuestion = grouped(entries, ({ question }) => question);
  const byText = grouped(entries, ({ of }) => of);
  const lostOn = (id: string, cost?: Entry['cost']) =>
    (byText.get(id) ?? []).map((one) => lostRecord(one.id, cost ?? one.cost));
  return {
    of: (content) => (byQuestion.get(questionHash(content)) ?? []).map(heardOf),
    settled: (id) => lostOn(id, nothing),
    inVain: (id) => lostOn(id),
  };
}

/** An entry of what came of a question on the text `of`. */
export function heardEntry(id: string, of: string, content: string, { outcome, cost }: Heard): HeardEntry {
  const { calls, inputTokens, outputTokens, price } = cost;
  return {
    id,
    of,
    question: questionHash(content),
    said: outcome,
    cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price },
  };
}

/** How the judge is to be asked in batches; undefined where nothing was learnt of that. */
export function mannerIn({ records }: VerdictFile): Manner | undefined {
  const found = records.get(mannerId);
  return found !== undefined && 'manner' in found ? found.manner : undefined;
}

export const mannerEntry = ({ without, limit, replyTokens }: Manner): Entry => ({
  id: mannerId,
  manner: { without: [...without], limit, replyTokens },
  cost: nothing,
});

const nothing = { calls: 0, input_tokens: 0, output_tokens: 0, price: 0 };

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(by(one));
    if (group === undefined) groups.set(by(one), [one]);
    else group.push(one);
  }
  return groups;
}

function heardOf({ said, cost }: HeardEntry): Heard {
  const { calls, input_tokens, output_tokens, price } = cost;
  const outcome = said.kind === 'refused' ? said : { ...said, tokens: undefined };
  return { outcome, cost: { calls, inputTokens: input_tokens, outputTokens: output_tokens, price } };
}

const journalAt = (path: string, { clock, progress }: OpenStudy): Promise<VerdictFile> =>
  openJournal(path, entry, ({ id }) => id, { clock, note: progress.note });

export function entryOf(id: string, { score, coherence, coherent, reason, raw, cost }: Verdict): Entry {
  const { calls, inputTokens, outputTokens, price } = cost;
  return {
    id,
    score,
    coherence,
    coherent,
    reason,
    raw,
    cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price },
  };
}

export function keptVerdict(found: VerdictEntry, threshold: number): Verdict {
  const { id: _, cost, ...said } = found;
  const { calls, input_tokens, output_tokens, price } = cost;
  return {
    ...said,
    label: said.score >= threshold ? 'positive' : 'negative',
    cost: { calls, inputTokens: input_tokens, outputTokens: output_tokens, price },
  };
}

/** Keeps the finished grades of a study that was graded by a culprit which kept none, or by another judge. */
async function keepFinished(study: OpenStudy): Promise<void> {
  const { folder } = study;
  const made = (await readStudyManifest(folder))?.stages.grade;
  const key = made?.options.unit_key;
  const path = join(folder, resultFiles.grades);
  if (made === undefined || typeof key !== 'string' || !['chat', 'local'].includes(String(made.options.kind)))
    return;
  if ((await isThere(keptFile(folder, key))) || !(await isThere(path))) return;
  if ((await contentHash(path)) !== made.outputs[resultFiles.grades] || made.edited.length > 0) return;
  const texts = new Map(
    (await study.completions()).map(({ prompt, text, stop }) => [
      contentOf(prompt, text),
      textId({ prompt, completion: text, ended: stop !== 'length' }),
    ]),
  );
  const grades = await readJsonlAll(path, gradeRecord);
  const journal = await journalAt(keptFile(folder, key), study);
  await journal.append(
    grades.flatMap(({ content, score, coherence, coherent, reason, raw, cost }) => {
      const id = texts.get(content);
      return id === undefined ? [] : [{ id, score, coherence, coherent, reason, raw, cost }];
    }),
  );
}
