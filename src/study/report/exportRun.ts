/**
 * A study's pages of latents in the form that others publish: Neuronpedia's batches, or one latent as its
 * API answers. Changes nothing in the study.
 */

import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { quoted } from '../../files/bytes.ts';
import type { LatentPage } from '../../results.ts';
import { pagedLatents, readPage } from '../interpretation/pages.ts';
import { readStudy } from '../run/ownStudy.ts';
import { outFolder } from '../store/outFolder.ts';
import { activationsOf, explanationsOf, featureOf, type NeuronpediaPlace } from './neuronpediaRecords.ts';
import { type Staleness, stalenessOf } from './stale.ts';

export interface ExportRequest {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  /** MODEL/LAYER is made in it */
  readonly out: string;
  /**
   * Neuronpedia's names of the model and of the dictionary at its layer; default the names of the study's
   * own files
   */
  readonly modelId?: string | undefined;
  readonly layer?: string | undefined;
  /** this one alone, as JSON; default all that have a page, as batches */
  readonly latent?: number | undefined;
  /** Neuronpedia's id of the account that the records are of */
  readonly creatorId?: string | undefined;
  readonly cacheDir?: string | undefined;
}

export interface ExportResult {
  readonly files: readonly string[];
  readonly features: number;
  readonly activations: number;
  readonly explanations: number;
  /** whether the pages are of an earlier state of the study */
  readonly staleness: Staleness;
}

/** The account that SAEDashboard's neuronpedia_export.py names where it is told none. */
const defaultCreator = 'clkht01d40000jv08hvalcvly';

/** Features of a batch, as Neuronpedia's own export has them. */
const batchFeatures = 1024;

/** A file's name as Neuronpedia writes names. */
const nameFrom = (path: string) =>
  basename(path)
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.-]+/g, '-');

/** Throws InputError for what is no name; it becomes a folder's. */
function checkName(name: string, flag: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name))
    throw new InputError(
      `export: expected ${flag} of letters, digits, dots, dashes and underscores, found ${quoted(name)}`,
    );
  return name;
}

const lines = (records: readonly object[]) =>
  gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

async function write(path: string, content: Uint8Array | string): Promise<string> {
  await replaceFile(path, (file) => file.writeFile(content));
  return path;
}

/** `scores` stand in a table of their own, which no batch holds. */
const explanationRows = (page: LatentPage, place: NeuronpediaPlace) =>
  explanationsOf(page, place).map(({ scores: _, ...row }) => row);

async function writeBatches(
  folder: string,
  pages: readonly LatentPage[],
  place: NeuronpediaPlace,
): Promise<string[]> {
  const rows = {
    features: (page: LatentPage): object[] => [featureOf(page, place)],
    activations: (page: LatentPage): object[] => activationsOf(page, place),
    explanations: (page: LatentPage): object[] => explanationRows(page, place),
  };
  const files: string[] = [];
  for (const [kind, rowsOf] of Object.entries(rows)) {
    await outFolder(join(folder, kind));
    for (let from = 0; from < pages.length; from += batchFeatures) {
      const found = pages.slice(from, from + batchFeatures).flatMap(rowsOf);
      const path = join(folder, kind, `batch-${from / batchFeatures}.jsonl.gz`);
      if (found.length > 0) files.push(await write(path, lines(found)));
    }
  }
  return files;
}

async function writeOne(folder: string, page: LatentPage, place: NeuronpediaPlace): Promise<string[]> {
  await outFolder(folder);
  const answer = {
    ...featureOf(page, place),
    activations: activationsOf(page, place),
    explanations: explanationsOf(page, place),
  };
  return [await write(join(folder, `${page.latent}.json`), `${JSON.stringify(answer, null, 1)}\n`)];
}

/** Writes them. Throws InputError where the study has no pages, or not that of the latent asked for. */
export async function exportStudy(request: ExportRequest): Promise<ExportResult> {
  const { config, folder: study } = await readStudy(request.study);
  const { latent, creatorId = defaultCreator } = request;
  const latents = latent === undefined ? await pagedLatents(study) : [latent];
  const pages = await Promise.all(latents.map((one) => readPage(study, one)));
  const layerNumber = pages[0]!.site.replace(/^\D+/, '');
  const place: NeuronpediaPlace = {
    modelId: checkName(request.modelId ?? nameFrom(config.subject.model), '--model-id'),
    layer: checkName(request.layer ?? `${layerNumber}-${nameFrom(config.sae.path)}`, '--layer'),
    creatorId,
  };
  const folder = join(request.out, place.modelId, place.layer);
  const files =
    latent === undefined
      ? await writeBatches(folder, pages, place)
      : await writeOne(folder, pages[0]!, place);
  const { stale, ...unchecked } = await stalenessOf(study, request.cacheDir);
  const { interpret } = stale;
  const sum = (count: (page: LatentPage) => number) => pages.reduce((all, page) => all + count(page), 0);
  return {
    files,
    features: pages.length,
    activations: sum((page) => activationsOf(page, place).length),
    explanations: sum((page) => explanationsOf(page, place).length),
    staleness: { stale: interpret === undefined ? {} : { interpret }, ...unchecked },
  };
}
