/** A report that holds a part of a study: every link in it leads to something. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeLatents, encodeSteering } from '../../src/results.ts';
import { runReport } from '../../src/study/report/reportRun.ts';
import { latentPage } from '../support/latentPage.ts';
import { put } from '../support/tinyFolder.ts';
import { hasBrowser } from './support/chromium.ts';
import { linesOf, pairOnPage, pairsOfPrompt, tokensOfPairs } from './support/comparedParts.ts';
import { builtApp, type OpenedApp, openApp } from './support/servedPage.ts';
import { confirmed, latentRow, manifest, removed, stage, steered, summary } from './support/studyParts.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-links-'));
const study = join(root, 'study');
/** of them the last lead on the pages of the latents that are reported */
const prompts = 400;
const strongest: Readonly<Record<number, readonly number[]>> = { 7: [390, 371], 8: [371, 395], 9: [388, 12] };
const dictionary = 3000;
/** a latent that was steered, far from the first and the last, without a page */
const far = 1500;

const noise = (seed: number) =>
  Array.from({ length: 30 }, (_, i) => ((seed * 31 + i * i * 17) % 99_991).toString(36)).join(' ');

function putMadeStudy(): void {
  const contrasts = Array.from({ length: prompts }, (_, p) =>
    pairsOfPrompt(`q${p}`, 2, 2).map((pair, i) => ({
      ...pair,
      positive: `${pair.positive} ${noise(4 * p + i)}`,
    })),
  );
  const deltaOf = (latent: number, p: number) => {
    const place = strongest[latent]!.indexOf(p);
    return place < 0 ? 0.001 : 0.5 - 0.1 * place;
  };
  const tokens = contrasts.map((pairs, p) =>
    tokensOfPairs(pairs, { 7: deltaOf(7, p), 8: deltaOf(8, p), 9: deltaOf(9, p) }),
  );
  put(join(study, 'study.yaml'), 'behaviour: { name: flattery }\n');
  put(join(study, 'pairs.jsonl'), linesOf(contrasts.flat()));
  put(join(study, 'pair-tokens.jsonl'), linesOf(tokens));
  for (const [name, places] of Object.entries(strongest)) {
    const latent = Number(name);
    const pairs = places.map((p) => pairOnPage(tokens[p]!, deltaOf(latent, p)));
    put(join(study, 'latents', `${name}.json`), latentPage(latent, { rank: latent - 6, pairs }));
  }
  const rows = Array.from({ length: dictionary }, (_, i) => latentRow(i + 7, i + 1));
  put(join(study, 'latents.parquet'), new Uint8Array(encodeLatents(rows)));
  const effects = [7, far].flatMap((latent) => [
    ...removed(latent, -0.3, confirmed),
    ...steered(latent, -0.3, 0.2),
  ]);
  put(join(study, 'steering.parquet'), new Uint8Array(encodeSteering(effects)));
  put(join(study, 'steering.json'), summary());
  const attribute = stage({ pairs: prompts, latents: dictionary }, { options: { all_pairs: true } });
  put(join(study, 'manifest.json'), manifest({ attribute }));
}

/** Every place that a page leads to within the study. */
const linksIn = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLAnchorElement>('main a[href^="#"]')].map((link) => link.hash.slice(1)),
  );

describe.skipIf(!hasBrowser)('a report that may not be large', () => {
  let report: OpenedApp;
  let written: Awaited<ReturnType<typeof runReport>>;
  const appFolderOf = builtApp;
  let least: number;
  beforeAll(async () => {
    putMadeStudy();
    const appFolder = await appFolderOf();
    const make = (maxBytes: number) =>
      runReport({ studies: [study], out: join(root, 'r.html'), appFolder, maxBytes });
    const refused = await make(200_000).catch((error: Error) => error.message);
    least = Number(/at least (\d+\.\d+) MB/.exec(refused as string)![1]) * 1e6;
    written = await make(least + 30_000);
    const address = pathToFileURL(written.path).href;
    report = await openApp(address, address);
  });
  afterAll(async () => {
    await report?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('leads to nothing that it left out', async () => {
    expect(written.trimmed.study).toMatchObject({
      'pairs.jsonl': expect.stringMatching(/^\d+ of 1,600 pairs, those that latents lead to/),
      'pair-tokens.jsonl': expect.stringMatching(/^\d+ of 400 prompts, /),
      'latents.parquet': expect.stringMatching(/^[\d,]+ of 3,000 latents/),
    });
    const found = new Set<string>();
    for (const route of ['/', '/latent/7', '/latent/8', '/latent/9']) {
      const page = await report.open(route);
      await page.locator('main .quiet', { hasText: 'Loading' }).waitFor({ state: 'detached' });
      for (const link of await linksIn(page)) found.add(link);
    }
    const pairs = [...found].filter((link) => link.startsWith('/pairs/'));
    expect(pairs.length).toBeGreaterThanOrEqual(3);
    expect([...found]).toContain(`/latent/${far}`);
    const page = await report.open('/');
    for (const link of found) {
      await page.evaluate((hash) => {
        window.location.hash = hash;
      }, link);
      const [, name] = /^\/(?:pairs|latent)\/([^?]*)/.exec(link) ?? [];
      const title = page.locator('main h1', { hasText: name ?? '' });
      await title.or(page.locator('main [role=alert]')).first().waitFor();
      await page.locator('main .quiet', { hasText: 'Loading' }).waitFor({ state: 'detached' });
      expect([link, await page.locator('[role=alert]').allTextContents()]).toEqual([link, []]);
    }
    expect(report.troubles).toEqual([]);
  });

  it('spends most of what it may weigh', async () => {
    const appFolder = await appFolderOf();
    const { bytes } = await runReport({ studies: [study], out: join(root, 'whole.html'), appFolder });
    const middle = least + 0.6 * (bytes - least);
    const some = await runReport({
      studies: [study],
      out: join(root, 'some.html'),
      appFolder,
      maxBytes: middle,
    });
    expect((some.bytes - least) / (middle - least)).toBeGreaterThan(0.5);
  });
});
