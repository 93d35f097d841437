/**
 * Pages with explanations: each active latent is explained from some of its passages, and the explanation
 * tried on others. Every reply is kept as soon as it is there, so that none is paid for twice.
 */

import { join } from 'node:path';
import { isThere } from '../../files/ifThere.ts';
import { readJsonlAll } from '../../files/jsonl.ts';
import type {
  AnsweredItem,
  ExplainerEvidence,
  ExplainItem,
  ScoreItem,
  ScoringTask,
} from '../../judges/explainer.ts';
import { scoreOf } from '../../methods/interpretation/explanationScore.ts';
import {
  activeTokens,
  detectionTrials,
  fuzzingTrials,
  type PassageSets,
  passageSets,
  type Trial,
} from '../../methods/interpretation/heldOut.ts';
import { type ExplanationRecord, explanationRecord, type LatentPage, resultFiles } from '../../results.ts';
import type { ExplainerConfig } from '../config/sections/interpret.ts';
import type { OpenStudy } from '../open/study.ts';
import { journalFile } from '../store/folder.ts';
import { type Journal, openJournal, writeInOrder } from '../store/journal.ts';
import type { Stage } from '../store/stageState.ts';
import { askedOf, type KeptAsking, keptExplainer, type Reply } from './keptExplainer.ts';
import { explainerOf } from './openExplainer.ts';

/** Passages that one question is about, and tokens of the logit lens that an explainer is shown. */
const passagesAtOnce = 5;
const likelierTokens = 10;

/** Questions of a latent, at most. */
export const mostQuestions = 16;

export interface ExplainedPages {
  readonly pages: LatentPage[];
  /** Why it ended early, where it did: what is done is kept. */
  readonly stopped?: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Writes every reply that the pages rest on into the study's folder. */
  write(): Promise<void>;
}

interface ScoreQuestion extends ScoreItem {
  readonly trials: readonly Trial[];
}

/** What an explainer is shown of a latent; undefined where it is never active. */
export function evidenceOf({ lens }: LatentPage, { shown }: PassageSets): ExplainerEvidence | undefined {
  if (shown.active.length === 0) return undefined;
  const greatest = Math.max(...shown.active.map(({ activations, peak }) => activations[peak] ?? 0));
  return {
    active: shown.active.map((window) => ({
      tokens: window.tokens,
      marks: activeTokens(window),
      strengths: window.activations.map((value) => (value ?? 0) / greatest),
    })),
    inactive: shown.zero.map(({ tokens }) => ({ tokens, marks: tokens.map(() => false) })),
    likelier: lens.cosine.top.slice(0, likelierTokens).map(({ token }) => token),
  };
}

function explainItems(pages: readonly LatentPage[]): ExplainItem[] {
  return pages.flatMap((page) => {
    const evidence = evidenceOf(page, passageSets(page.passages));
    return evidence ? [{ id: `explain/${page.latent}`, latent: page.latent, evidence }] : [];
  });
}

/** The questions that try an explanation, by task; none where there are too few held-out passages. */
export function scoreQuestions({ latent, passages }: LatentPage, explanation: string): ScoreQuestion[] {
  const sets = passageSets(passages);
  const lists: Record<ScoringTask, Trial[][]> = {
    detection: [detectionTrials(sets, latent)],
    fuzzing: fuzzingTrials(sets, latent),
  };
  return (['detection', 'fuzzing'] as const).flatMap((task) =>
    lists[task].flatMap(inFives).map((trials, n) => ({
      id: `${task}/${latent}/${n}`,
      latent,
      task,
      explanation,
      passages: trials.map(({ window, marks }) => ({ tokens: window.tokens, marks })),
      trials,
    })),
  );
}

const inFives = (trials: readonly Trial[]): Trial[][] =>
  Array.from({ length: Math.ceil(trials.length / passagesAtOnce) }, (_, i) =>
    trials.slice(passagesAtOnce * i, passagesAtOnce * (i + 1)),
  );

function recordOf(
  item: ExplainItem | ScoreQuestion,
  explainer: string,
  { value, why, raw, cost }: AnsweredItem<Reply>,
): ExplanationRecord {
  const { calls, inputTokens, outputTokens, price } = cost;
  const { id, latent } = item;
  const reply = { id, latent, explainer, content: askedOf(item), why, raw };
  const paid = { cost: { calls, input_tokens: inputTokens, output_tokens: outputTokens, price } };
  if ('evidence' in item) return { ...reply, task: 'explain', text: value as string | null, ...paid };
  const { task, trials } = item;
  return {
    ...reply,
    task,
    passages: trials.map(({ window: { corpus, line, start } }) => ({ corpus, line, start })),
    truth: trials.map(({ truth }) => truth),
    answers: [...((value as (boolean | null)[] | null) ?? trials.map(() => null))],
    ...paid,
  };
}

/** The journal, with what a finished run has of the same explainer. */
async function openReplies(
  { folder, clock, progress, recorder }: OpenStudy,
  stage: Stage,
  key: string,
): Promise<Journal<ExplanationRecord>> {
  const options = { clock, note: progress.note, check: recorder.check };
  const journal = await openJournal(journalFile(folder, stage), explanationRecord, ({ id }) => id, options);
  const path = join(folder, resultFiles.explanations);
  const before = (await isThere(path)) ? await readJsonlAll(path, explanationRecord) : [];
  await journal.append(
    before.filter(({ id, explainer }) => explainer === key && !journal.records.has(id)),
    'before',
  );
  return journal;
}

function spentIn(records: Iterable<ExplanationRecord>) {
  const spent = { calls: 0, input_tokens: 0, output_tokens: 0, price: 0 };
  for (const { cost } of records)
    for (const part of Object.keys(spent) as (keyof typeof spent)[]) spent[part] += cost[part];
  return spent;
}

/** Null where not every reply to it is there. */
function explanationOf(
  page: LatentPage,
  by: string,
  replies: ReadonlyMap<string, ExplanationRecord>,
): LatentPage['explanation'] {
  const explained = replies.get(`explain/${page.latent}`);
  if (explained?.task !== 'explain') return null;
  const { text } = explained;
  if (text === null) return { text, by, detection: null, fuzzing: null };
  const questions = scoreQuestions(page, text);
  if (!questions.every(({ id }) => replies.has(id))) return null;
  const score = (task: ScoringTask) => {
    const own = questions.filter((question) => question.task === task);
    const answered = own.flatMap(({ id, trials }) => {
      const record = replies.get(id)!;
      const given = record.task === 'explain' ? [] : record.answers;
      return trials.map(({ truth }, i) => ({ truth, answer: given[i] ?? null }));
    });
    return scoreOf(answered);
  };
  return { text, by, detection: score('detection'), fuzzing: score('fuzzing') };
}

/** Those that pages rest on first; then what was paid for latents that are reported no more. */
function writeReplies(
  folder: string,
  journal: Journal<ExplanationRecord>,
  used: readonly string[],
): Promise<void> {
  const others = [...journal.records.keys()].filter((id) => !used.includes(id)).sort();
  return writeInOrder(journal, [...used, ...others], join(folder, resultFiles.explanations));
}

/** Explains, or goes on with it. Rejects with InputError where the explainer cannot work. */
export async function explainPages(
  study: OpenStudy,
  stage: Stage,
  config: ExplainerConfig,
  pages: readonly LatentPage[],
): Promise<ExplainedPages> {
  const from = explainerOf(study, config);
  const { key } = await from.fingerprint();
  const journal = await openReplies(study, stage, key);
  const explainer = await keptExplainer(study, from, {
    key,
    replies: journal.records.values(),
    onBegin: () => journal.begin(),
  });
  /** The replies to these very items. */
  const repliesTo = (items: readonly (ExplainItem | ScoreItem)[]) =>
    items.flatMap((item) => {
      const record = journal.records.get(item.id);
      return record?.content === askedOf(item) ? [record] : [];
    });
  async function ask<I extends ExplainItem | ScoreItem, T extends Reply>(
    label: string,
    items: readonly (I & (ExplainItem | ScoreQuestion))[],
    asking: KeptAsking<I, T>,
  ): Promise<string | undefined> {
    const done = new Set(repliesTo(items).map(({ id }) => id));
    const missing = new Map(items.filter(({ id }) => !done.has(id)).map((item) => [item.id, item]));
    if (missing.size === 0) return undefined;
    const told = study.progress.stage(label, items.length, done.size);
    try {
      const { stopped } = await asking([...missing.values()], async ({ id }, answer, made) => {
        await journal.append([recordOf(missing.get(id)!, key, answer)], made);
        told.advance();
      });
      return stopped;
    } finally {
      told.end();
    }
  }
  try {
    const explain = explainItems(pages);
    let stopped = await ask('Explaining latents', explain, explainer.explain);
    const texts = new Map(
      repliesTo(explain).map((record) => [record.latent, record.task === 'explain' ? record.text : null]),
    );
    const score = pages.flatMap((page) => {
      const text = texts.get(page.latent);
      return typeof text === 'string' ? scoreQuestions(page, text) : [];
    });
    stopped ??= await ask('Testing explanations', score, explainer.score);
    const replies = new Map(repliesTo([...explain, ...score]).map((record) => [record.id, record]));
    const { calls, price } = spentIn(replies.values());
    const explained = pages.map((page) => ({
      ...page,
      explanation: explanationOf(page, from.name, replies),
    }));
    return {
      pages: explained,
      ...(stopped !== undefined && { stopped }),
      counts: { explained: explained.filter(({ explanation }) => explanation?.text).length, calls, price },
      seconds: journal.seconds,
      write: () => writeReplies(study.folder, journal, [...replies.keys()]),
    };
  } finally {
    await explainer.close();
  }
}
