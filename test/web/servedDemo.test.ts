/** The demonstration's own results in a browser: served, and as a report from a file. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readJsonlAll } from '../../src/files/jsonl.ts';
import { type PairRecord, pairRecord, pairTokens } from '../../src/results.ts';
import { runReport } from '../../src/study/report/reportRun.ts';
import { startView, type View } from '../../src/study/view/viewServer.ts';
import { nats } from '../../src/web/parts/nats.ts';
import { demonstration } from '../support/demoFolder.ts';

import { hasBrowser, wrongInAnyLook } from './support/chromium.ts';
import { builtApp, hashIn, type OpenedApp, openApp } from './support/servedPage.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-served-'));
const bugs: unknown[] = [];
let cases: string[];
let first: number;
/** the first pair of the first case */
let pair: PairRecord;
/** a token of its positive completion, and δ of the first latent there */
const place = 3;
let delta: number;

/** What is said of the token pointed at. */
const told = (page: Page) => page.locator('.floating').textContent();

async function showsLatent(page: Page) {
  await page.locator('h1', { hasText: `Latent ${first}` }).waitFor();
  await page.locator('h2', { hasText: 'Its strongest prompts' }).waitFor();
  const likelier = page.locator('table.lens', { hasText: 'made likelier' }).locator('tbody tr');
  expect(await likelier.count()).toBeGreaterThan(4);
  expect(await page.locator('.passages > li .token').count()).toBeGreaterThan(20);
  expect(await page.locator('.two-columns .side .token').count()).toBeGreaterThan(10);
}

/** Points at a token of the positive completion, which then says its δ. */
async function showsDelta(page: Page, delta = '[+−]\\d') {
  await page.locator('.side').first().locator('.token').nth(place).hover();
  expect(await told(page)).toMatch(new RegExp(`δ, nats\\s*${delta}`));
}

describe.skipIf(!hasBrowser)('the demonstration', () => {
  let view: View;
  let app: OpenedApp;
  let appFolder: string;
  beforeAll(async () => {
    const folder = join(root, 'demo');
    await demonstration(folder);
    appFolder = await builtApp();
    cases = ['validation', 'harm'].map((name) => join(folder, name));
    const [validation] = cases as [string];
    first = JSON.parse(readFileSync(join(validation, 'steering.json'), 'utf8')).first.latent;
    [pair] = (await readJsonlAll(join(validation, 'pairs.jsonl'), pairRecord)) as [PairRecord];
    const tokens = await readJsonlAll(join(validation, 'pair-tokens.jsonl'), pairTokens);
    // all completions of a prompt stand together
    const { completions, latents } = tokens.find((one) => one.pair === pair.prompt_id)!;
    const at = completions.findIndex(({ id }) => id === pair.positive_id);
    delta = latents.find(({ latent }) => latent === first)!.completions[at]![place]!;
    view = await startView({ studies: cases, appFolder, onBug: (error) => bugs.push(error) });
    app = await openApp(view.url, `http://127.0.0.1:${view.port}/`);
  }, 1_200_000);
  afterEach(() => {
    expect(app.troubles.splice(0)).toEqual([]);
    expect(bugs).toEqual([]);
  });
  afterAll(async () => {
    await app?.close();
    await view?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('names the latent that was confirmed first, soon', async () => {
    const page = await app.open('/');
    expect(await page.locator('h1').textContent()).toMatch(
      new RegExp(
        `^(Removing|Steering the subject away from) latent ${first} .* that show false beliefs confirmed from`,
      ),
    );
    await page.locator('.drawing svg').waitFor();
    const painted = await page.evaluate(
      () =>
        new Promise<number>((resolve) =>
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries() as (PerformanceEntry & { element?: Element })[])
              if (entry.element?.closest('.answer')) resolve(entry.startTime);
          }).observe({ type: 'largest-contentful-paint', buffered: true }),
        ),
    );
    expect(painted).toBeGreaterThan(0);
    expect(painted).toBeLessThan(5000);
  });

  it('is walked through by keys and mouse; back leads back', async () => {
    const page = await app.open('/');
    await page.locator('h1 a').focus();
    await page.keyboard.press('Enter');
    await showsLatent(page);
    expect(hashIn(page)).toMatch(`#/latent/${first}`);
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('.pair-list tbody a').first().click();
    await page.locator('h1', { hasText: `Prompt ${pair.prompt_id}` }).waitFor();
    for (const title of ['Pairs', `Latent ${first}`, 'that show false beliefs confirmed']) {
      await page.goBack();
      await page.locator('h1', { hasText: title }).waitFor();
    }
    expect(hashIn(page)).toBe('#/');
    // tabs in their order, reached by keys alone
    await page.locator('a.brand').focus();
    const reached: string[] = [];
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement!.textContent));
    }
    expect(reached.slice(1)).toEqual([
      'Overview',
      'Latents',
      'Pairs',
      'Transcripts',
      'Playground',
      'Methods',
      'Compare',
    ]);
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'Compare' }).waitFor();
  });

  it('a link to a latent opens it, with what it says, where it is active, and its pairs', async () => {
    await showsLatent(await app.open(`/latent/${first}`));
  });

  it('a link to a pair opens it; a token pointed at or walked to says its δ', async () => {
    const page = await app.open(`/pairs/${encodeURIComponent(pair.id)}?latent=${first}`);
    const text = await page.locator('.side').first().locator('.tokens').textContent();
    expect(text!.replaceAll(/\s/g, '')).toContain(pair.positive.replaceAll(/\s/g, ''));
    await showsDelta(page, nats(delta).replace('+', '\\+'));
    const byMouse = await told(page);
    await page.keyboard.press('Escape');
    await page.mouse.move(0, 0);
    await page.locator('.floating').waitFor({ state: 'detached' });
    await page.locator('.side').first().locator('.tokens').focus();
    for (let i = 0; i <= place; i++) await page.keyboard.press('ArrowRight');
    expect(await told(page)).toBe(byMouse);
  });

  it('the order and the choice of latents are in the address, and outlive a reload', async () => {
    const page = await app.open('/latents?of=all');
    const rows = page.locator('.latent-table tbody a');
    const listed = () => page.locator('.filters [role=status]').textContent();
    await rows.first().waitFor();
    expect(await rows.first().textContent()).toBe(`${first}`);
    expect(await listed()).toMatch(/^2,048 latents, \d+ with a meaning$/);
    await page.locator('th button', { hasText: 'same sign' }).click();
    await page
      .locator('.filters label', { hasText: 'proposed by' })
      .locator('select')
      .selectOption('delta-attribution');
    await page.locator('.filters [role=status]', { hasText: /^\d+ of 2,048 latents/ }).waitFor();
    const before = [hashIn(page), await listed(), await rows.allTextContents()];
    expect(before[0]).toBe('#/latents?by=delta-attribution&of=all&sort=-same_sign');
    const shares = (await page.locator('.latent-table tbody td:nth-child(4)').allTextContents()).map(
      Number.parseFloat,
    );
    expect(shares.length).toBeGreaterThan(3);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    await page.reload();
    await rows.first().waitFor();
    expect([hashIn(page), await listed(), await rows.allTextContents()]).toEqual(before);
  });

  it('both cases share their first latent', async () => {
    const page = await app.open('/compare');
    const row = page.locator('main table tbody tr', { has: page.locator(`a:text-is("${first}")`) });
    await row.waitFor();
    const cells = await row.locator('td').allTextContents();
    expect([cells[0], cells[1], cells[4]]).toEqual([`${first}`, '1', '1']);
    const shared = Number(
      /(\d+) of the first 20/.exec((await page.locator('.compare-lead').first().textContent())!)![1],
    );
    expect(shared).toBeGreaterThan(0);
    await page.locator('select.study-name').selectOption({ label: 'harm' });
    await page.locator('nav a', { hasText: 'Overview' }).click();
    await page.locator('h1', { hasText: 'harmful answers' }).waitFor();
    expect(hashIn(page)).toBe('#/?study=harm');
  });

  const routes: Readonly<Record<string, () => string>> = {
    overview: () => '/',
    latents: () => '/latents',
    latent: () => `/latent/${first}`,
    pairs: () => `/pairs?latent=${first}&sort=delta`,
    pair: () => `/pairs/${encodeURIComponent(pair.id)}?latent=${first}`,
    transcripts: () => '/transcripts',
    transcript: () => `/transcripts/${encodeURIComponent(pair.positive_id)}`,
    playground: () => '/playground',
    methods: () => '/methods',
    compare: () => '/compare',
  };

  it.each(Object.keys(routes))('%s breaks no rule of accessibility in any look', async (name) => {
    const page = await app.open(routes[name]!());
    await page.locator('main .quiet', { hasText: 'Loading' }).waitFor({ state: 'detached' });
    expect(await wrongInAnyLook(page)).toEqual([]);
    await page.close();
  });

  it('as a report needs nothing but its file', async () => {
    const out = join(root, 'report.html');
    await runReport({ studies: cases, out, appFolder });
    const address = pathToFileURL(out).href;
    const report = await openApp(address, address);
    try {
      await showsLatent(await report.open(`/latent/${first}`));
      const page = await report.open('/pairs');
      await page.locator('.pair-list tbody a').first().click();
      await page.locator('h1', { hasText: /^Prompt / }).waitFor();
      await showsDelta(page);
      for (const route of ['/', '/transcripts', '/methods'])
        expect(await wrongInAnyLook(await report.open(route))).toEqual([]);
      expect(report.troubles).toEqual([]);
    } finally {
      await report.close();
    }
  });
});
