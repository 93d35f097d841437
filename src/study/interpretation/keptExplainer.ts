/**
 * A study's explainer with what it has said before. Replies stand in the working folder by explainer and
 * question, as soon as they are there: going back to an explainer asks nothing twice, nor does a run that
 * was stopped. Beside them stands what was paid without a reply. For a run that holds the study's lock.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type { AnsweredItem, Asking, Explainer, ExplainItem, ScoreItem } from '../../judges/explainer.ts';
import { type ExplanationRecord, explanationRecord, resultFiles } from '../../results.ts';
import { costSchema, lostCosts, lostEntry, paidIn } from '../judging/paid.ts';
import type { OpenStudy } from '../open/study.ts';
import { workFolder } from '../store/folder.ts';
import { jsonHash } from '../store/hash.ts';
import { type Journal, type Made, openJournal } from '../store/journal.ts';
import type { ExplainerOf } from './openExplainer.ts';

export type Reply = string | readonly (boolean | null)[];

const replyEntry = z.object({
  id: z.string(),
  value: z.union([z.string(), z.array(z.boolean().nullable())]).nullable(),
  why: z.string().nullable(),
  raw: z.string(),
  cost: costSchema,
});
type ReplyEntry = z.output<typeof replyEntry>;
const entry = z.union([lostEntry, replyEntry]);
type Entry = z.output<typeof entry>;

/** The file of an explainer's replies, by the hash of all that they depend on beside the question. */
export const keptRepliesFile = (folder: string, key: string): string =>
  join(workFolder(folder), `replies-${key.slice(0, 12)}.jsonl`);

/** Hash of what a question is about. */
export const askedOf = (item: ExplainItem | ScoreItem): string =>
  jsonHash('evidence' in item ? [item.evidence] : [item.explanation, item.passages]);

const idFor = (task: ExplanationRecord['task'], content: string) => `${task}/${content}`;
const idOf = (item: ExplainItem | ScoreItem) =>
  idFor('evidence' in item ? 'explain' : item.task, askedOf(item));

/** As `Asking`, and says of each answer whether it was there before. */
export type KeptAsking<I, T> = (
  items: readonly I[],
  onAnswer: (item: I, answer: AnsweredItem<T>, made?: Made) => Promise<void>,
  signal?: AbortSignal,
) => ReturnType<Asking<I, T>>;

interface KeptExplainer {
  readonly explain: KeptAsking<ExplainItem, string>;
  readonly score: KeptAsking<ScoreItem, readonly (boolean | null)[]>;
  close(): Promise<void>;
}

/**
 * The explainer of this key, opened when it is first asked what it was not asked before; `onBegin` is told
 * when that is done. `replies`: what else the study has of it. Its budget counts all that was ever paid.
 */
export async function keptExplainer(
  study: OpenStudy,
  explainer: ExplainerOf,
  { key, replies, onBegin }: { key: string; replies: Iterable<ExplanationRecord>; onBegin: () => void },
): Promise<KeptExplainer> {
  await keepFinished(study);
  const journal = await journalAt(study, key);
  await keepReplies(journal, replies);
  const lost = lostCosts(journal);
  let opened: Promise<Explainer> | undefined;

  const open = () => {
    opened ??= explainer.open({ spent: paidIn(journal.records.values()), onLost: lost.add });
    return opened;
  };
  const kept =
    <I extends ExplainItem | ScoreItem, T extends Reply>(
      asking: (of: Explainer) => Asking<I, T>,
    ): KeptAsking<I, T> =>
    async (items, onAnswer, signal) => {
      const missing = new Map<string, I[]>();
      for (const item of items) {
        const found = journal.records.get(idOf(item));
        if (found === undefined || 'lost' in found)
          missing.set(idOf(item), [...(missing.get(idOf(item)) ?? []), item]);
        else await onAnswer(item, answerOf(found) as AnsweredItem<T>, 'before');
      }
      if (missing.size === 0) return {};
      const of = await open();
      onBegin();
      return asking(of)(
        [...missing.values()].map(([first]) => first!),
        async (item, answer) => {
          await journal.append([entryOf(idOf(item), answer), ...lost.found(item)]);
          for (const same of missing.get(idOf(item))!) await onAnswer(same, answer);
        },
        signal,
      );
    };
  return {
    explain: kept((of) => of.explain),
    score: kept((of) => of.score),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}

const journalAt = ({ folder, clock, progress }: OpenStudy, key: string): Promise<Journal<Entry>> =>
  openJournal(keptRepliesFile(folder, key), entry, ({ id }) => id, { clock, note: progress.note });

function entryOf(id: string, { value, why, raw, cost }: AnsweredItem<Reply>): ReplyEntry {
  const { calls, inputTokens, outputTokens, price } = cost;
  return {
    id,
    value: typeof value === 'string' || value === null ? value : [...value],
    why,
    raw,
    cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price },
  };
}

function answerOf({ value, why, raw, cost }: ReplyEntry): AnsweredItem<Reply> {
  const { calls, input_tokens, output_tokens, price } = cost;
  return { value, why, raw, cost: { calls, inputTokens: input_tokens, outputTokens: output_tokens, price } };
}

/** Keeps replies of which nothing stands in the file. */
async function keepReplies(journal: Journal<Entry>, replies: Iterable<ExplanationRecord>): Promise<void> {
  const added = new Map<string, ReplyEntry>();
  for (const record of replies) {
    const id = idFor(record.task, record.content);
    const value = record.task === 'explain' ? record.text : record.answers;
    const { why, raw, cost } = record;
    if (!journal.records.has(id)) added.set(id, { id, value, why, raw, cost });
  }
  await journal.append([...added.values()], 'before');
}

/** Keeps what a finished run, of an older culprit too, has of whichever explainer. */
async function keepFinished(study: OpenStudy): Promise<void> {
  const path = join(study.folder, resultFiles.explanations);
  if (!(await isThere(path))) return;
  const records = await readJsonlAll(path, explanationRecord);
  for (const key of new Set(records.map(({ explainer }) => explainer)))
    await keepReplies(
      await journalAt(study, key),
      records.filter(({ explainer }) => explainer === key),
    );
}
