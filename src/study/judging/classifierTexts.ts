/**
 * What the training of a classifier judge computes before its weights: texts that a model writes, and the
 * readings of all texts. Each is kept when it is done, until the judge is trained.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Reading } from '../../methods/judging/reading.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import type { Prompt } from '../../results.ts';
import type { Progress } from '../open/progress.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import type { Clock } from '../store/runRecord.ts';
import type { ClassifierText, PromptTexts } from './classifierExamples.ts';
import type { ReadText } from './classifierTraining.ts';
import type { CompletionReader } from './completionReader.ts';

/** One completion for each prompt, in order, each from the seed beside it. */
export type Writer = (
  prompts: readonly Prompt[],
  seeds: readonly number[],
) => Promise<readonly { readonly prompt: Prompt; readonly completion: string }[]>;

/** Who writes the texts that no file holds. */
export interface Writers {
  /** all that their texts depend on beside prompt and seed, as JSON */
  readonly identity: unknown;
  /** broken texts: by a model steered in random directions, so strongly that it garbles */
  readonly steered: Writer;
  /** the same model left alone: as coherent as it is, is coherent */
  readonly unsteered: Writer;
}

const writtenKinds = ['steered', 'unsteered'] as const;

/** Most texts that each writer is asked for, and how many at a time. */
export const mostWritten = 128;
const writtenAtOnce = 64;
/** Prompts whose texts are read at a time. */
const readAtOnce = 16;

const writtenRecord = z.object({ id: z.string(), completions: z.array(z.string()) });
type Written = z.output<typeof writtenRecord>;

/** Readings of one prompt's texts: of each the mean, then the mean log-probability, as float32 in base64. */
const readingsRecord = z.object({ id: z.string(), readings: z.array(z.base64()) });
type Readings = z.output<typeof readingsRecord>;

/** What is done of one training. */
export interface ClassifierProgress {
  readonly written: Journal<Written>;
  readonly readings: Journal<Readings>;
  readonly progress: Progress;
  remove(): Promise<void>;
}

export async function classifierProgress(
  folder: string,
  key: string,
  on: {
    readonly clock: Clock;
    readonly progress: Progress;
    /** called before anything is kept; where it throws, nothing is */
    readonly check: () => Promise<void>;
  },
): Promise<ClassifierProgress> {
  const { clock, progress, check } = on;
  const path = (what: string) => join(folder, `judge-${what}-${key.slice(0, 12)}.jsonl`);
  const options = { clock, note: progress.note, check };
  const written = await openJournal(path('texts'), writtenRecord, ({ id }) => id, options);
  const readings = await openJournal(path('readings'), readingsRecord, ({ id }) => id, options);
  return {
    written,
    readings,
    progress,
    async remove() {
      await Promise.all([written, readings].map(({ path }) => rm(path, { force: true })));
    },
  };
}

/** The prompts with the texts that the writers write to some of them, drawn by the seed. */
export async function withWritten(
  prompts: readonly PromptTexts[],
  writers: Writers,
  seed: number,
  { written, progress }: ClassifierProgress,
): Promise<PromptTexts[]> {
  const chosen = shuffled(prompts, generatorOf(seed)).slice(0, mostWritten);
  const added = new Map<string, ClassifierText[]>(chosen.map(({ id }) => [id, []]));
  const stage = progress.stage('Texts for the judge', writtenKinds.length * chosen.length);
  try {
    for (const kind of writtenKinds)
      for (let from = 0; from < chosen.length; from += writtenAtOnce) {
        const run = chosen.slice(from, from + writtenAtOnce);
        const id = `${kind}/${from}`;
        if (!written.records.has(id)) {
          const seeds = run.map((_, i) => (Math.imul(seed, 0x9e3779b1) + from + i) | 0);
          const found = await writers[kind](
            run.map(({ prompt }) => prompt),
            seeds,
          );
          await written.append([{ id, completions: found.map(({ completion }) => completion) }]);
        }
        written.records.get(id)!.completions.forEach((text, i) => {
          if (text.trim() !== '') added.get(run[i]!.id)!.push({ kind, text });
        });
        stage.advance(run.length);
      }
  } finally {
    stage.end();
  }
  return prompts.map((one) => ({ ...one, texts: [...one.texts, ...(added.get(one.id) ?? [])] }));
}

const stored = ({ mean, logProbability }: Reading): string =>
  Buffer.from(Float32Array.of(...mean, logProbability).buffer).toString('base64');

function restored(text: string): Reading {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  const values = new Float32Array(bytes.buffer);
  return { mean: values.slice(0, -1), logProbability: values.at(-1)! };
}

/** The readings of all texts, prompt by prompt. */
export async function readTexts(
  prompts: readonly PromptTexts[],
  reader: CompletionReader,
  { readings, progress }: ClassifierProgress,
): Promise<ReadText[]> {
  const stage = progress.stage('Readings for the judge, prompts', prompts.length, readings.records.size);
  try {
    const missing = prompts.filter(({ id }) => !readings.records.has(id));
    for (let from = 0; from < missing.length; from += readAtOnce) {
      const some = missing.slice(from, from + readAtOnce);
      const found = await reader.read(
        some.map(({ prompt, texts }) => ({ prompt, completions: texts.map(({ text }) => text) })),
      );
      await readings.append(some.map(({ id }, i) => ({ id, readings: found[i]!.map(stored) })));
      stage.advance(some.length);
    }
  } finally {
    stage.end();
  }
  return prompts.flatMap(({ id, heldOut, texts }) =>
    texts.map(({ kind }, i) => ({
      kind,
      group: id,
      heldOut,
      reading: restored(readings.records.get(id)!.readings[i]!),
    })),
  );
}
