/** What of a study stays in a report under each cut: which latents, pairs and completions. */

import { basename, join } from 'node:path';
import { z } from 'zod';
import { readBytesIfThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { checked } from '../../files/schema.ts';
import {
  byContrast,
  completionRecord,
  decodeSteering,
  latentPageSchema,
  type PairRecord,
  resultFiles,
  type ServedFile,
} from '../../results.ts';
import { readPairRecords } from '../open/records.ts';
import type { Cut } from './cuts.ts';
import { isPage } from './studyFolder.ts';
import type { Shown } from './trims.ts';

/** What was compared as one: a pair, or all pairs of a prompt. */
interface Contrast {
  readonly id: string;
  readonly pairs: readonly PairRecord[];
}

interface Page {
  readonly latent: number;
  readonly rank: number;
  /** ids of the contrasts that it leads to, the strongest first */
  readonly leadsTo: readonly string[];
}

/** A contrast's Δ by each of its strongest latents. */
interface Weighed {
  readonly pair: string;
  readonly latents: readonly { readonly latent: number; readonly delta: number }[];
}

interface Facts {
  /** those that are reported */
  readonly latents: ReadonlySet<number>;
  /** those that were steered too */
  readonly steered: ReadonlySet<number>;
  /** by rank */
  readonly pages: readonly Page[];
  /** the strongest of the first latents first */
  readonly contrasts: readonly Contrast[];
  /** place of each completion among those of its prompt */
  readonly places: ReadonlyMap<string, number>;
}

async function pagesIn(folder: string, files: readonly ServedFile[]): Promise<Page[]> {
  const pages: Page[] = [];
  for (const { path } of files.filter((file) => isPage(file.path))) {
    const place = join(folder, path);
    const { rank, pairs } = checked(latentPageSchema, await readJson(place), place);
    const latent = Number.parseInt(basename(path), 10);
    pages.push({ latent, rank, leadsTo: pairs.map(({ pair }) => pair) });
  }
  return pages.sort((a, b) => a.rank - b.rank);
}

async function steeredLatents(folder: string): Promise<{ all: Set<number>; candidates: Set<number> }> {
  const bytes = await readBytesIfThere(join(folder, resultFiles.steering));
  const rows = bytes === undefined ? [] : await decodeSteering(Uint8Array.from(bytes).buffer);
  const of = (some: typeof rows) => new Set(some.flatMap(({ latent }) => latent ?? []));
  return { all: of(rows), candidates: of(rows.filter(({ role }) => role === 'candidate')) };
}

const weighedLine = z.looseObject({
  pair: z.string(),
  latents: z.array(z.looseObject({ latent: z.int(), delta: z.number() })),
});

async function weighedIn(folder: string): Promise<Weighed[]> {
  const weighed: Weighed[] = [];
  for await (const { value } of readJsonl(join(folder, resultFiles.pairTokens), weighedLine))
    weighed.push({
      pair: value.pair,
      latents: value.latents.map(({ latent, delta }) => ({ latent, delta })),
    });
  return weighed;
}

/** The strongest of the first latent, of the second, ..., then the second of each; those of no latent last. */
function strongestFirst(contrasts: Contrast[], pages: readonly Page[], weighed: readonly Weighed[]) {
  const first = new Map<string, number>();
  for (const { latent } of pages) {
    const deltaOf = ({ latents }: Weighed) => latents.find((one) => one.latent === latent)?.delta;
    weighed
      .flatMap((one) => {
        const delta = deltaOf(one);
        return delta === undefined ? [] : [{ pair: one.pair, size: Math.abs(delta) }];
      })
      .sort((a, b) => b.size - a.size)
      .forEach(({ pair }, place) => {
        first.set(pair, Math.min(place, first.get(pair) ?? place));
      });
  }
  const placeOf = ({ id }: Contrast) => first.get(id) ?? Number.MAX_SAFE_INTEGER;
  return contrasts.sort((a, b) => placeOf(a) - placeOf(b));
}

async function placesIn(folder: string): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  const perPrompt = new Map<string, number>();
  for await (const { value } of readJsonl(join(folder, resultFiles.completions), completionRecord)) {
    const place = perPrompt.get(value.prompt_id) ?? 0;
    perPrompt.set(value.prompt_id, place + 1);
    places.set(value.id, place);
  }
  return places;
}

async function factsOf(folder: string, files: readonly ServedFile[]): Promise<Facts> {
  const there = (name: string) => files.some(({ path }) => path === name);
  const pairs = there(resultFiles.pairs) ? await readPairRecords(folder) : [];
  const weighed = there(resultFiles.pairTokens) ? await weighedIn(folder) : [];
  const pages = await pagesIn(folder, files);
  const steered = await steeredLatents(folder);
  const named = new Set([...pages.flatMap(({ leadsTo }) => leadsTo), ...weighed.map(({ pair }) => pair)]);
  const contrasts = Array.from(byContrast(pairs, named), ([id, own]) => ({ id, pairs: own }));
  // before there are pages, those that were steered are what is reported
  const latents = pages.length > 0 ? new Set(pages.map(({ latent }) => latent)) : steered.candidates;
  return {
    latents,
    steered: new Set([...latents, ...steered.all]),
    pages,
    contrasts: strongestFirst(contrasts, pages, weighed),
    places: there(resultFiles.completions) ? await placesIn(folder) : new Map(),
  };
}

function shownUnder({ latents, steered, pages, contrasts, places }: Facts, cut: Cut): Shown {
  const led = new Set(pages.flatMap(({ leadsTo }) => leadsTo.slice(0, cut.pagePairs)));
  const rest = contrasts.filter(({ id }) => !led.has(id)).slice(0, Math.max(0, cut.contrasts - led.size));
  const kept = [...contrasts.filter(({ id }) => led.has(id)), ...rest];
  const pairs = kept.flatMap((contrast) => contrast.pairs);
  const ids = new Set([...kept.map(({ id }) => id), ...pairs.map(({ id }) => id)]);
  const paired = new Set(pairs.flatMap(({ positive_id, negative_id }) => [positive_id, negative_id]));
  return {
    latents,
    steered,
    unit: contrasts.some((one) => one.pairs.length > 1) ? 'prompt' : 'pair',
    keepsPair: (id) => ids.has(id),
    keepsCompletion: (id) => paired.has(id) || (places.get(id) ?? 0) < cut.completions,
  };
}

/** Reads the study once, and says what stays of it under a cut. */
export async function shownOf(folder: string, files: readonly ServedFile[]): Promise<(cut: Cut) => Shown> {
  const facts = await factsOf(folder, files);
  return (cut) => shownUnder(facts, cut);
}
