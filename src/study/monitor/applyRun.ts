/** A kept monitor on transcripts of any kind, one after another: scores, and the tokens that make them. */
import { resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { decision, type Linear } from '../../methods/judging/logistic.ts';
import { probabilityOf } from '../../methods/monitoring/detectors.ts';
import type { TextRows } from '../../methods/site/textRows.ts';
import { checkSite } from '../../models/passes.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import type { MonitorDetector, MonitorRecord, Prompt } from '../../results.ts';
import { fromMessages, isChatRow } from '../open/chatRow.ts';
import { type FieldRow, fieldOf, fieldRows, idOf, promptIn, textIn } from '../open/fieldRows.ts';
import { type Machine, openRuntime } from '../open/machine.ts';
import { type OpenModel, openModel } from '../open/openModel.ts';
import { type Progress, silent } from '../open/progress.ts';
import { heldFiles } from '../store/heldFiles.ts';
import { systemClock } from '../store/runRecord.ts';
import { meanOfRows, textReader } from './meanResiduals.ts';
import { readMonitor } from './monitorFiles.ts';

export interface ApplyRequest extends Machine {
  /** monitor.json, or the folder that it is in */
  readonly monitor: string;
  /** JSONL or CSV: prompt and completion, or messages that end with the assistant's */
  readonly transcripts: string;
  /** default the model that the monitor was fitted on */
  readonly model?: string | undefined;
  readonly adapter?: string | undefined;
  /** for chat templates that print the date; default the monitor's */
  readonly date?: Date | undefined;
  /** whose strongest tokens are told; default the first detector */
  readonly detector?: string | undefined;
  /** how many of them; default 5 */
  readonly strongest?: number | undefined;
  readonly progress?: Progress | undefined;
}

export interface StrongToken {
  readonly token: string;
  readonly position: number;
  /** its own score: the mean over all tokens is the text's */
  readonly score: number;
}

export interface DetectorScore {
  readonly detector: string;
  readonly score: number;
  readonly probability: number;
  /** above the threshold */
  readonly flagged: boolean;
}

export interface ScoredTranscript {
  readonly id: string;
  /** tokens read; no scores for none */
  readonly tokens: number;
  /** of each detector, in the order of the monitor */
  readonly scores: readonly DetectorScore[];
  /** highest first, of the detector that was asked for */
  readonly strongest: readonly StrongToken[];
}

export interface AppliedMonitor {
  readonly record: MonitorRecord;
  /** the detector whose tokens are told */
  readonly detector: string;
  readonly model: string;
  /** Throws InputError `file:line: ...` for a row that is none, once those before it are given. */
  readonly rows: AsyncIterable<ScoredTranscript>;
  close(): Promise<void>;
}

export const strongestDefault = 5;

interface Transcript {
  readonly id: string;
  readonly where: string;
  readonly prompt: Prompt;
  readonly completion: string;
}

/** Throws InputError for a row without a prompt, or without a completion where that is read. */
function transcriptOf(row: FieldRow, tokens: MonitorRecord['tokens']): Transcript {
  const about = { id: idOf(row), where: row.where };
  const found = isChatRow(row)
    ? fromMessages(row)
    : {
        prompt: promptIn(row, fieldOf(row, ['prompt']), 'as it stands'),
        completion: tokens === 'prompt' ? '' : textIn(row, fieldOf(row, ['completion'])),
      };
  if (tokens !== 'prompt' && found.completion.trim() === '')
    throw new InputError(`${row.where}: expected a completion, found none but white space`);
  return { ...about, ...found };
}

function strongestOf(
  linear: Linear,
  { rows, tokens }: TextRows,
  codec: OpenModel['codec'],
  count: number,
): StrongToken[] {
  const d = linear.weights.length;
  return tokens
    .map(({ id, position }, t) => ({
      token: codec.tokenizer.decode([id]),
      position,
      score: decision(linear, rows.subarray(t * d, (t + 1) * d)),
    }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

function scoresOf(
  detectors: readonly MonitorDetector[],
  linears: readonly Linear[],
  rows: TextRows,
): DetectorScore[] {
  const mean = meanOfRows(rows);
  return detectors.map((one, k) => {
    const score = decision(linears[k]!, mean);
    return {
      detector: one.name,
      score,
      probability: probabilityOf(one, score),
      flagged: score > one.threshold,
    };
  });
}

/** Throws InputError where the model recorded is no longer what the monitor was fitted on. */
async function checkSameModel({ model, adapter, inputs }: MonitorRecord, monitor: string): Promise<void> {
  const held = heldFiles();
  for (const [name, path] of Object.entries({ model, modelAdapter: adapter }))
    if (path !== null && (await held.hash(path)) !== inputs[name]?.sha256)
      throw new InputError(
        `${path}: was changed since ${monitor} was fitted on it: fit it again, or name a model with --model`,
      );
}

/**
 * Opens monitor and model; rows are read and scored as they are asked for. Throws InputError where a file is missing
 * or damaged, or the model's residuals are others than the monitor's.
 */
export async function applyMonitor(request: ApplyRequest): Promise<AppliedMonitor> {
  const { monitor, transcripts, strongest = strongestDefault, progress = silent } = request;
  const { record, linears } = await readMonitor(monitor);
  const { detectors, layer, width, tokens } = record;
  const name = request.detector ?? detectors[0]!.name;
  const told = detectors.findIndex((one) => one.name === name);
  if (told < 0)
    throw new InputError(
      `--detector ${name}: expected one of ${detectors.map((one) => one.name).join(', ')}`,
    );
  if (request.model === undefined) await checkSameModel(record, monitor);
  const path = request.model ?? record.model;
  const adapter =
    request.adapter ?? (request.model === undefined ? (record.adapter ?? undefined) : undefined);
  const now = request.date ?? (record.date === null ? systemClock() : new Date(record.date));
  const opened = await openModel(path, { ...request, adapter, progress, now });
  const { model, codec } = opened;
  if (model.decoder.width !== width)
    throw new InputError(
      `model ${path}: expected a width of ${width}, which ${monitor} reads, found ${model.decoder.width}`,
    );
  checkSite(model, layer);
  const runtime = openRuntime(request);
  const reader = await textReader({ runtime, model, codec, layer, tokens });

  async function scored({ id, where, prompt, completion }: Transcript): Promise<ScoredTranscript> {
    const [rows] = await reader.read(prompt, [completion]).catch((error: unknown) => {
      throw error instanceof InputError
        ? new InputError(`${where}: ${error.message}`, { cause: error })
        : error;
    });
    if (rows === undefined) return { id, tokens: 0, scores: [], strongest: [] };
    return {
      id,
      tokens: rows.tokens.length,
      scores: scoresOf(detectors, linears, rows),
      strongest: strongestOf(linears[told]!, rows, codec, strongest),
    };
  }

  async function* transcriptsOf() {
    for await (const row of fieldRows(transcripts)) yield transcriptOf(row, tokens);
  }

  return {
    record,
    detector: name,
    model: resolve(path),
    rows: inGroups(transcriptsOf(), passesAtOnce(runtime, model), scored),
    async close() {
      await reader.release();
      await runtime.close();
    },
  };
}
