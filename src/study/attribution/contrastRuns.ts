/**
 * The rows of many contrasts, one after another, those that are stored already not again. One contrast is
 * the unit of work.
 */
import { InputError } from '../../errors.ts';
import {
  type Contrast,
  type ContrastRows,
  contrastRows,
  type LossKind,
  type TokenSet,
} from '../../methods/site/contrast.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import type { Model } from '../../models/decoder.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Progress } from '../open/progress.ts';
import type { RowStore } from '../store/rowStore.ts';

/** Throws InputError where a contrast's prompt with its longest completion exceeds what the model takes. */
export function checkLength(
  { id, prompt, positives, negatives }: Contrast,
  { decoder }: Model,
  file: string,
): void {
  const longest = prompt.length + Math.max(...[...positives, ...negatives].map((ids) => ids.length));
  if (longest > decoder.context)
    throw new InputError(
      `${file}: pair ${id}: ${longest} tokens, the model takes ${decoder.context} at most`,
    );
}

export interface ContrastWork {
  readonly model: Model;
  /** L of resid_post L */
  readonly layer: number;
  readonly contrasts: readonly Contrast[];
  /** ā [d] */
  readonly baseline: Float32Array;
  readonly tokens: TokenSet;
  readonly loss: LossKind;
}

/** Every contrast's rows, from the store where they are finished. */
export async function allRows(
  runtime: Runtime,
  { model, layer, contrasts, baseline, tokens, loss }: ContrastWork,
  store: RowStore,
  progress: Progress,
): Promise<ContrastRows[]> {
  const before: (ContrastRows | undefined)[] = [];
  for (const n of contrasts.keys()) before.push(await store.read(n));
  const done = before.filter((rows) => rows !== undefined).length;
  if (done > 0)
    progress.note(`Continuing a run that was stopped: ${done} of ${before.length} pairs are done`);
  const pass = done < before.length ? await sitePass(runtime, model, layer) : undefined;
  store.begin();
  const stage = progress.stage('Pairs', contrasts.length, done);
  const missing = [...before.keys()].filter((n) => before[n] === undefined);
  const make = async (n: number) => ({
    n,
    rows: await contrastRows(pass!, contrasts[n]!, { baseline, tokenSet: tokens, loss }),
  });
  try {
    const all = [...before];
    for await (const { n, rows } of inGroups(missing, passesAtOnce(runtime, model), make)) {
      await store.save(n, rows);
      stage.advance();
      all[n] = rows;
    }
    await pass?.release();
    return all as ContrastRows[];
  } finally {
    stage.end();
  }
}

/** What a manifest tells of an attribution's size. */
export function rowCounts(
  rows: readonly ContrastRows[],
  contrasts: readonly Contrast[],
  { latents }: { readonly latents: number },
): Record<string, number> {
  const total = (f: (r: ContrastRows) => number) => rows.reduce((sum, r) => sum + f(r), 0);
  return {
    pairs: rows.length,
    latents,
    tokens: total((r) => r.packed),
    prompt_tokens: contrasts.reduce((sum, c) => sum + c.prompt.length, 0),
    sinks: total((r) => r.sinks),
    tokens_in_set: total((r) => r.tokens.length),
  };
}
