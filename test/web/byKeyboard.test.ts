/**
 * What a newcomer does with the demonstration, by keyboard alone: how many keys it takes, and that the focus is seen
 * after each. Served and as a report.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runReport } from '../../src/study/report/reportRun.ts';
import { startView, type View } from '../../src/study/view/viewServer.ts';
import { demonstration } from '../support/demoFolder.ts';
import { hasBrowser } from './support/chromium.ts';
import { type Keyboard, keyboardOf } from './support/keyboard.ts';
import { builtApp, hashIn, type OpenedApp, openApp } from './support/servedPage.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-keyboard-'));
const bugs: unknown[] = [];
let first: number;

/** Over the tabs to one of them. */
async function toTab(keys: Keyboard, page: Page, name: string): Promise<void> {
  await keys.tabTo('header nav a', name);
  await keys.press('Enter');
  await page.locator('h1', { hasText: name }).waitFor();
  await page.locator('main .quiet', { hasText: 'Loading' }).waitFor({ state: 'detached' });
}

/** From the first page to the latent that its answer names. */
async function toFirstLatent(keys: Keyboard, page: Page): Promise<void> {
  await page.locator('.answer h1 a').first().waitFor();
  await keys.press('Tab');
  expect(await keys.here()).toBe('skip to the content');
  await keys.press('Enter');
  await keys.tabTo('h1 a');
  await keys.press('Enter');
  await page.locator('h1', { hasText: `Latent ${first}` }).waitFor();
  await page.locator('h2', { hasText: 'Its strongest prompts' }).waitFor();
}

const fromClipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

describe.skipIf(!hasBrowser)('by keyboard alone', () => {
  let view: View;
  let served: OpenedApp;
  let report: OpenedApp;
  beforeAll(async () => {
    const folder = join(root, 'demo');
    await demonstration(folder);
    const studies = ['validation', 'harm'].map((name) => join(folder, name));
    first = JSON.parse(readFileSync(join(studies[0]!, 'steering.json'), 'utf8')).first.latent;
    const appFolder = await builtApp();
    view = await startView({ studies, appFolder, onBug: (error) => bugs.push(error) });
    served = await openApp(view.url, `http://127.0.0.1:${view.port}/`);
    const out = join(root, 'report.html');
    await runReport({ studies, out, appFolder });
    report = await openApp(pathToFileURL(out).href, pathToFileURL(out).href);
  }, 1_200_000);
  afterAll(async () => {
    await Promise.all([served?.close(), report?.close()]);
    await view?.close();
    rmSync(root, { recursive: true, force: true });
    expect(bugs).toEqual([]);
  });

  describe.each(['served', 'report'] as const)('%s', (kind) => {
    const app = () => ({ served, report })[kind];

    /** A page at a route, and one who reads it; what they did took at most so many presses. */
    async function reader(route: string, most: number, does: (keys: Keyboard, page: Page) => Promise<void>) {
      const page = await app().open(route);
      const keys = keyboardOf(page);
      await does(keys, page);
      expect(keys.presses).toBeLessThanOrEqual(most);
      expect(app().troubles).toEqual([]);
      await page.context().close();
    }

    it('who did it and how sure, and the strongest pair of that latent', () =>
      reader('/', 20, async (keys, page) => {
        expect(await page.locator('.answer .evidence').textContent()).toMatch(/family-wise p/);
        await toFirstLatent(keys, page);
        expect(keys.presses).toBeLessThanOrEqual(4);
        await keys.tabTo('.on-this-page button', 'Its strongest prompts');
        await keys.press('Enter');
        expect(await keys.here()).toBe('Its strongest prompts');
        await keys.tabTo('details[open] a', 'all its completions');
        await keys.press('Enter');
        await page.locator('h1', { hasText: /^Prompt / }).waitFor();
        expect(hashIn(page)).toContain(`latent=${first}`);
        expect(await page.locator('.chips [aria-current]').textContent()).toContain(`${first}`);
      }));

    it('the table sorted by the effect away, its first row, and back to it as it was left', () =>
      reader('/', 30, async (keys, page) => {
        await toTab(keys, page, 'Latents');
        await page.locator('.latent-table tbody a').first().waitFor();
        await keys.tabTo('th button', 'away');
        await keys.press('Enter');
        await page.locator('th[aria-sort=ascending]', { hasText: 'away' }).waitFor();
        expect(await keys.here()).toContain('away');
        await keys.press('ArrowDown');
        await page.waitForFunction(() => document.activeElement!.matches('tbody a'));
        await keys.press('ArrowDown');
        const [hash, row] = [hashIn(page), await keys.here()];
        expect(row).toBe(await page.locator('.latent-table tbody a').nth(1).textContent());
        await keys.press('Enter');
        await page.locator('h1', { hasText: `Latent ${row}` }).waitFor();
        await page.goBack();
        await page.waitForFunction((text) => document.activeElement!.textContent === text, row);
        expect(await page.evaluate(() => document.activeElement!.matches('.latent-table tbody a'))).toBe(
          true,
        );
        expect(hashIn(page)).toBe(hash);
      }));

    it('figure and table as files', () =>
      reader('/', 60, async (keys, page) => {
        await page.locator('.drawing svg').waitFor();
        await keys.press('Tab');
        await keys.press('Enter');
        await keys.tabTo('figcaption button', 'SVG');
        const [figure] = await Promise.all([page.waitForEvent('download'), keys.press('Enter')]);
        expect(figure.suggestedFilename()).toBe('validation-causal-test.svg');
        await page.reload();
        await page.locator('main h1').waitFor();
        await toTab(keys, page, 'Latents');
        await keys.tabTo('.filters button', 'CSV');
        const [table] = await Promise.all([page.waitForEvent('download'), keys.press('Space')]);
        expect(table.suggestedFilename()).toBe('validation-latents.csv');
      }));

    it('two studies compared', () =>
      reader('/', 25, async (keys, page) => {
        await toTab(keys, page, 'Compare');
        await page.locator('.compare-lead', { hasText: 'of the first 20' }).waitFor();
        await keys.tabTo('main select', /10/);
        await keys.press('ArrowUp');
        await page.locator('.compare-lead', { hasText: 'of the first 10' }).waitFor();
        await keys.tabTo('.compare-lead a');
      }));

    it('a link copied, and opened by someone else', () =>
      reader('/', 10, async (keys, page) => {
        await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
        await toFirstLatent(keys, page);
        await keys.tabTo('button', 'copy link');
        await keys.press('Enter');
        await page.locator('.copy-link', { hasText: 'copied' }).first().waitFor();
        const link = await fromClipboard(page);
        expect(link).not.toContain('token');
        await page.goto('about:blank');
        await page.goto(link);
        await page.locator('h1', { hasText: `Latent ${first}` }).waitFor();
      }));
  });

  it('two directions steered, stopped, and another prompt', async () => {
    const page = await served.open('/');
    const keys = keyboardOf(page);
    await toTab(keys, page, 'Playground');
    await page.locator('textarea').waitFor();
    const prompt = await page.locator('textarea').inputValue();
    await keys.tabTo('button', 'add a latent');
    await keys.press('Enter');
    // the focus is where the new latent is named
    await keys.tabTo('input[type=range]');
    await keys.press('ArrowLeft', 4);
    await page.waitForFunction(() => /dose=[^&]*%2C-0.2/.test(window.location.hash));
    await keys.press('Tab');
    // a number's Enter sends the form
    await keys.press('Enter');
    await page.locator('.side', { hasText: /^steered/ }).waitFor();
    await page.locator('.main-button:enabled').waitFor();
    expect(await page.locator('.asked').textContent()).toMatch(
      /along latent \d+ at .* and latent \d+ at −0.20 s/,
    );
    await keys.tabTo('button', 'steer');
    // Enter leads from the button that is off now to the one that is on
    await keys.press('Enter');
    await page.waitForFunction(() => document.activeElement!.matches('button:enabled'));
    if ((await keys.here()) === 'stop') await keys.press('Enter');
    await page.locator('.main-button:enabled').waitFor();
    expect(await keys.here()).toBe('steer');
    await keys.tabTo('button', 'another prompt', 'Shift+Tab');
    await keys.press('Enter');
    expect(await page.locator('textarea').inputValue()).not.toBe(prompt);
    expect(keys.presses).toBeLessThanOrEqual(60);
    expect(served.troubles).toEqual([]);
    await page.context().close();
  });
});
