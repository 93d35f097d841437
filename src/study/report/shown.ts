/** What of a study stays in a report under each cut: which latents, pairs and completions. */

import { basename, join } from 'node:path';
import { readBytesIfThere } from '../../files/ifThere.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { completionRecord, decodeSteering, resultFiles, type ServedFile } from '../../results.ts';
import { readPairRecords } from '../open/records.ts';
import type { Cut } from './cuts.ts';
import { isPage } from './studyFolder.ts';
import type { Shown } from './trims.ts';

interface Facts {
  readonly latents: ReadonlySet<number>;
  readonly pairs: readonly { readonly ids: readonly string[]; readonly completions: readonly string[] }[];
  /** place of each completion among those of its prompt */
  readonly places: ReadonlyMap<string, number>;
}

/** Those that have a page; before there are pages, those that were steered. */
async function reported(folder: string, files: readonly ServedFile[]): Promise<Set<number>> {
  const pages = files.filter(({ path }) => isPage(path));
  if (pages.length > 0) return new Set(pages.map(({ path }) => Number.parseInt(basename(path), 10)));
  const steering = await readBytesIfThere(join(folder, resultFiles.steering));
  if (steering === undefined) return new Set();
  const rows = await decodeSteering(Uint8Array.from(steering).buffer);
  return new Set(rows.filter(({ role }) => role === 'candidate').flatMap(({ latent }) => latent ?? []));
}

async function factsOf(folder: string, files: readonly ServedFile[]): Promise<Facts> {
  const there = (name: string) => files.some(({ path }) => path === name);
  const pairs = there(resultFiles.pairs) ? await readPairRecords(folder) : [];
  const places = new Map<string, number>();
  const perPrompt = new Map<string, number>();
  if (there(resultFiles.completions))
    for await (const { value } of readJsonl(join(folder, resultFiles.completions), completionRecord)) {
      const place = perPrompt.get(value.prompt_id) ?? 0;
      perPrompt.set(value.prompt_id, place + 1);
      places.set(value.id, place);
    }
  return {
    latents: await reported(folder, files),
    // All positives of a prompt against all its negatives go by the prompt's name.
    pairs: pairs.map(({ id, prompt_id, positive_id, negative_id }) => ({
      ids: [id, prompt_id],
      completions: [positive_id, negative_id],
    })),
    places,
  };
}

function shownUnder({ latents, pairs, places }: Facts, cut: Cut): Shown {
  const kept = pairs.slice(0, cut.pairs);
  const pairIds = new Set(kept.flatMap(({ ids }) => ids));
  const paired = new Set(kept.flatMap((pair) => pair.completions));
  return {
    latents,
    keepsPair: (id) => pairIds.has(id),
    keepsCompletion: (id) => paired.has(id) || (places.get(id) ?? 0) < cut.completions,
  };
}

/** Reads the study once, and says what stays of it under a cut. */
export async function shownOf(folder: string, files: readonly ServedFile[]): Promise<(cut: Cut) => Shown> {
  const facts = await factsOf(folder, files);
  return (cut) => shownUnder(facts, cut);
}
