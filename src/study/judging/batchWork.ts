/**
 * The study's judge asked in batches: the questions that are outstanding, and what came back for them, which is kept
 * beside the judge's verdicts so that a run asks none of it again. For one that holds the study's lock.
 */
import { InputError, inOneLine, NothingToWorkOn } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import type { ChatBatch, Taken } from '../../judges/chatBatch.ts';
import type { JudgeItem } from '../../judges/judge.ts';
import type { Aspect } from '../../judges/question.ts';
import type { OpenStudy } from '../open/study.ts';
import { makeWorkFolder } from '../store/folder.ts';
import { judgeItem } from './2-grade.ts';
import {
  apiLimits,
  type BatchFile,
  type BatchLimits,
  type BatchRequest,
  type BatchResult,
  customId,
  questionNamed,
  readResults,
  shortJudge,
  shortText,
  writeRequests,
} from './batchFile.ts';
import { judgeKindOf, judgeOf } from './openJudge.ts';
import { lostRecord, paidIn } from './paid.ts';
import {
  type Entry,
  entryOf,
  type HeardBefore,
  heardEntry,
  heardIn,
  judgeKey,
  mannerEntry,
  mannerId,
  mannerIn,
  textId,
  type VerdictFile,
  verdictFile,
  verdictIn,
} from './verdictFile.ts';

interface BatchWork {
  readonly file: VerdictFile;
  readonly key: string;
  readonly heard: HeardBefore;
  readonly batch: ChatBatch;
  /** the study's texts by the ids of their verdicts, in the order of the completions */
  readonly texts: ReadonlyMap<string, JudgeItem>;
}

/** Throws InputError for a judge that is asked in no batch. */
async function batchWork(study: OpenStudy): Promise<BatchWork> {
  const judge = judgeOf(study);
  if (judge.batch === undefined)
    throw new InputError(
      `judge.kind: expected chat, the judge that takes its questions in batches, found ${judgeKindOf(study.config.judge).kind}`,
    );
  await makeWorkFolder(study.folder);
  const file = await verdictFile(study);
  const heard = heardIn(file);
  const items = (await study.completions()).map(judgeItem);
  const texts = new Map<string, JudgeItem>();
  for (const item of items) if (!texts.has(textId(item))) texts.set(textId(item), item);
  const batch = await judge.batch({ heard: heard.of, manner: mannerIn(file) });
  return { file, key: await judgeKey(study), heard, batch, texts };
}

/** Texts without a verdict, each with the questions that are outstanding on it: none where all are answered. */
async function* withoutVerdict({ file, batch, texts }: Pick<BatchWork, 'file' | 'batch' | 'texts'>) {
  for (const [id, item] of texts)
    if (verdictIn(file, id) === undefined) yield { id, item, questions: await batch.outstanding(item) };
}

export interface BatchWritten {
  readonly files: readonly BatchFile[];
  /** how many texts the questions are about */
  readonly texts: number;
  /** the server that they are for */
  readonly where: string;
  /** how many texts are left out, and why; undefined where none is */
  readonly left: { readonly texts: number; readonly why: string } | undefined;
}

/** How a text's question is called in the next batch: by a number of which nothing has come yet. */
function nextId({ file, key }: BatchWork, text: string, aspect: Aspect): string {
  for (let number = 1; ; number++) {
    const id = customId({ judge: key, text, aspect, number });
    if (!file.records.has(entryId(id))) return id;
  }
}

const entryId = (id: string) => `batch/${id}`;

/** What the dearest text has cost at most: what came of one question in a batch may be half of it. */
function dearestIn({ records }: VerdictFile): number {
  let dearest = 0;
  for (const { id, cost } of records.values())
    dearest = Math.max(dearest, (id.startsWith(entryId('')) ? 2 : 1) * cost.price);
  return dearest;
}

/** Writes the outstanding questions to `path`, as many as the budget has room for. */
export async function writeBatch(
  study: OpenStudy,
  path: string,
  limits: BatchLimits = apiLimits,
): Promise<BatchWritten> {
  const work = await batchWork(study);
  const { file, batch, texts } = work;
  const open: { readonly id: string; readonly aspects: readonly Aspect[] }[] = [];
  let most = 0;
  for await (const { id, questions } of withoutVerdict(work)) {
    if (questions.length === 0) continue;
    open.push({ id, aspects: questions.map(({ aspect }) => aspect) });
    most = Math.max(most, batch.mostCost(questions));
  }
  const { calls, price } = paidIn(file.records.values());
  const purse = batch.budget({ calls, price, dearest: dearestIn(file) || most });
  const first = open.findIndex(({ aspects }) => purse.begin(aspects.length) === undefined);
  const asked = first < 0 ? open : open.slice(0, first);
  async function* requests(): AsyncGenerator<BatchRequest> {
    for (const { id, aspects } of asked)
      for (const { aspect, content } of batch.questions(texts.get(id)!))
        if (aspects.includes(aspect)) yield { id: nextId(work, id, aspect), body: batch.body(content) };
  }
  return {
    files: await writeRequests(path, requests(), limits),
    texts: asked.length,
    where: batch.where,
    left: first < 0 ? undefined : { texts: open.length - first, why: purse.usedUp() },
  };
}

/** Lines of which there are so many, and what the first of them says. */
export interface LinesOf {
  readonly lines: number;
  readonly first: string;
}

export interface BatchRead {
  readonly lines: number;
  /** of which something was kept now, or before */
  readonly kept: number;
  readonly before: number;
  /** paid, and to be asked again */
  readonly again: LinesOf | undefined;
  /** nothing came, nor was anything paid */
  readonly failed: LinesOf | undefined;
  /** of no question of this study as it is now */
  readonly foreign: LinesOf | undefined;
  /** texts that have a verdict now and had none */
  readonly graded: number;
  /** texts that have none yet, and the questions on them */
  readonly outstanding: { readonly texts: number; readonly questions: number };
}

/** Counts lines, and keeps what the first says. */
function counter() {
  let found: LinesOf | undefined;
  return {
    add(where: string, why: string) {
      found = { lines: (found?.lines ?? 0) + 1, first: found?.first ?? `${where}: ${inOneLine(why)}` };
    },
    found: () => found,
  };
}

/** Entries that are written at once. */
const entriesAtOnce = 500;

/** Keeps what the lines say, those of answers first: they show what the server takes. */
async function takeLines({ file, key, batch, texts }: BatchWork, paths: readonly string[]) {
  const byShortText = new Map([...texts.keys()].map((id) => [shortText(id), id]));
  const [again, failed, foreign] = [counter(), counter(), counter()];
  const waiting = new Map<string, Entry>();
  let [lines, kept, before] = [0, 0, 0];

  async function keep(): Promise<void> {
    const entries = [...waiting.values()];
    await file.append(entries);
    waiting.clear();
  }
  async function take({ where, id, response, error }: BatchResult): Promise<void> {
    lines++;
    const entry = entryId(id);
    const named = questionNamed(id);
    if (named === undefined) return foreign.add(where, `custom_id ${quoted(id)} is none of culprit's`);
    if (file.records.has(entry) || waiting.has(entry)) {
      before++;
      return;
    }
    if (named.judge !== shortJudge(key))
      return foreign.add(where, "the question was another judge's, or had another rubric or template");
    const text = byShortText.get(named.text);
    if (text === undefined)
      return foreign.add(where, 'the completion is not in the study, or has another text');
    if (response === undefined) return failed.add(where, error ?? '');
    const { content } = batch.questions(texts.get(text)!).find(({ aspect }) => aspect === named.aspect)!;
    const taken = batch.taken(response);
    if (taken.kind === 'failed') return failed.add(where, taken.why);
    if (taken.kind === 'again') again.add(where, taken.why);
    else kept++;
    const isOf = taken.kind === 'heard' && verdictIn(file, text) === undefined;
    waiting.set(
      entry,
      isOf ? heardEntry(entry, text, content, taken.heard) : lostRecord(entry, costOf(taken)),
    );
    if (waiting.size === entriesAtOnce) await keep();
  }

  for (const wanted of [true, false])
    for (const path of paths)
      for await (const result of readResults(path)) if (isAnswer(result) === wanted) await take(result);
  const manner = batch.learnt();
  if (manner !== undefined) waiting.set(mannerId, mannerEntry(manner));
  await keep();
  return { lines, kept, before, again: again.found(), failed: failed.found(), foreign: foreign.found() };
}

const isAnswer = ({ response }: BatchResult) => response !== undefined && response.status < 300;
const costOf = (taken: Extract<Taken, { kind: 'heard' | 'again' }>) =>
  taken.kind === 'heard' ? taken.heard.cost : taken.cost;

/** Gives verdicts where all questions are answered. Throws InputError as the judge does. */
async function grade(study: OpenStudy): Promise<Pick<BatchRead, 'graded' | 'outstanding'>> {
  const { file, heard, batch, texts } = await batchWork(study);
  const complete = new Map<string, JudgeItem>();
  const outstanding = { texts: 0, questions: 0 };
  for await (const { id, item, questions } of withoutVerdict({ file, batch, texts })) {
    if (questions.length === 0) complete.set(id, item);
    else outstanding.texts++;
    outstanding.questions += questions.length;
  }
  let graded = 0;
  const verdicts = () =>
    batch.judge.grade([...complete.values()], async (item, verdict) => {
      const id = textId(item);
      await file.append([entryOf(id, verdict), ...heard.settled(id)]);
      complete.delete(id);
      graded++;
    });
  await verdicts().catch(async (error: unknown) => {
    for (const [id, item] of complete) {
      if (!(await batch.isRefused(item))) continue;
      complete.delete(id);
      await file.append(heard.inVain(id));
    }
    await verdicts();
    throw error;
  });
  return { graded, outstanding };
}

/** Reads files of results, and of errors, and grades what is answered. */
export async function readBatch(study: OpenStudy, paths: readonly string[]): Promise<BatchRead> {
  const taken = await takeLines(await batchWork(study), paths);
  if (taken.lines === 0)
    throw new NothingToWorkOn(`${paths.join(', ')}: expected lines of results, found none`);
  return { ...taken, ...(await grade(study)) };
}
