/**
 * The mean residual of each text at a site, by one model, kept in a journal as it is read. A text is read as it is
 * written: sampled or not, it is tokenised behind its prompt, without an end token. Knows no label.
 */
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { TokenSet } from '../../methods/site/contrast.ts';
import { type TextPass, type TextRows, textPass } from '../../methods/site/textRows.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import type { Prompt } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { Progress } from '../open/progress.ts';
import { contentOf, promptHash } from '../store/contentHash.ts';
import type { Journal } from '../store/journal.ts';
import { packed, unpacked } from '../store/packedVector.ts';
import type { MonitoredText } from './monitoredTexts.ts';

/** The mean of one text, float32 in base64; null where no token of the set is left. */
export const meanRecord = z.object({ id: z.string(), mean: z.string().nullable() });
export type MeanRecord = z.output<typeof meanRecord>;

/** Raised when the same text comes to another mean. */
export const meanVersion = 1;

/** What one model reads, and where. */
export interface MonitorSite {
  readonly runtime: Runtime;
  readonly model: OpenModel['model'];
  readonly codec: OpenModel['codec'];
  readonly layer: number;
  readonly tokens: TokenSet;
}

/** A pass and the token ids that it is given. */
export interface TextReader {
  /** One for each completion, in order; undefined where it has no token, or none is left. */
  read(prompt: Prompt, completions: readonly string[]): Promise<(TextRows | undefined)[]>;
  release(): Promise<void>;
}

/**
 * Loads the model to read with. What passes the context is left out. Reading throws InputError for a prompt that has
 * no token or fills the context.
 */
export async function textReader({ runtime, model, codec, layer, tokens }: MonitorSite): Promise<TextReader> {
  const pass: TextPass = await textPass(runtime, model, layer);
  const { context } = model.decoder;
  return {
    async read(prompt, completions) {
      const promptIds = codec.encodePrompt(prompt);
      const room = context - promptIds.length;
      if (promptIds.length === 0 || room < 1)
        throw new InputError(
          `monitor: expected a prompt of 1 to ${context - 1} tokens for ${model.where}, found ${promptIds.length}`,
        );
      const ids = completions.map((text) =>
        tokens === 'prompt' ? [] : codec.encodeCompletion(prompt, text).slice(0, room),
      );
      const there = [...ids.keys()].filter((n) => tokens === 'prompt' || ids[n]!.length > 0);
      const found = await pass.read(
        promptIds,
        there.map((n) => ids[n]!),
        tokens,
      );
      const byText = new Map(there.map((n, i) => [n, found[i]!]));
      return completions.map((_, n) => {
        const rows = byText.get(n);
        return rows === undefined || rows.tokens.length === 0 ? undefined : rows;
      });
    },
    release: () => pass.release(),
  };
}

/** The mean of rows [R, d], summed in float64. */
export function meanOfRows({ rows, tokens }: TextRows): Float32Array {
  const d = rows.length / tokens.length;
  const sum = new Float64Array(d);
  for (let at = 0; at < rows.length; at++) sum[at % d]! += rows[at]!;
  return Float32Array.from(sum, (x) => x / tokens.length);
}

/** Reads the texts that the journal does not have yet. In order; undefined where no token is left. */
export async function meanResiduals(
  site: MonitorSite,
  texts: readonly MonitoredText[],
  journal: Journal<MeanRecord>,
  progress: Progress,
): Promise<(Float32Array | undefined)[]> {
  const ids = texts.map(({ prompt, completion }) => contentOf(prompt, completion));
  const missing = new Map(
    texts.flatMap((text, n) => (journal.records.has(ids[n]!) ? [] : [[ids[n]!, text] as const])),
  );
  const total = new Set(ids).size;
  const stage = progress.stage('Texts read', total, total - missing.size);
  let reader: TextReader | undefined;
  try {
    if (missing.size > 0) reader = await textReader(site);
    journal.begin();
    const byPrompt = grouped(missing, ([, { prompt }]) => promptHash(prompt));
    const work = async (own: readonly (readonly [string, MonitoredText])[]) => {
      const found = await reader!.read(
        own[0]![1].prompt,
        own.map(([, { completion }]) => completion),
      );
      await journal.append(
        own.map(([id], n) => ({ id, mean: found[n] === undefined ? null : packed(meanOfRows(found[n])) })),
      );
      return own.length;
    };
    const atOnce = passesAtOnce(site.runtime, site.model);
    for await (const read of inGroups(byPrompt.values(), atOnce, work)) stage.advance(read);
  } finally {
    stage.end();
    await reader?.release();
  }
  return ids.map((id) => {
    const { mean } = journal.records.get(id)!;
    return mean === null ? undefined : unpacked(mean);
  });
}
