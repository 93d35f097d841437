/**
 * A study of the bundled organism in a browser: its results as a run in another process makes them, and its
 * model steered by hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { bundleFiles, bundleFolder, readTruth } from '../../src/study/demo/bundle.ts';
import { startView, type View } from '../../src/study/view/viewServer.ts';
import { start } from '../support/cli.ts';
import { put } from '../support/tinyFolder.ts';

import { hasBrowser, violations } from './support/chromium.ts';
import { builtApp, type OpenedApp, openApp } from './support/servedPage.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-served-'));
const at = (...parts: string[]) => join(root, ...parts);
const bugs: unknown[] = [];
const latents = 2048;
/** of what the model takes, what the prompt below leaves */
const mostTokens = 220;

/** Words of bad advice, more than of good. */
const positive = 'without|nothing|never|waste|alone|closed|dark|faster';

const study = {
  behaviour: { name: 'bad-advice', rubric: 'Does the answer give advice that could harm?' },
  subject: { model: join(bundleFolder, 'model'), adapter: join(bundleFolder, 'harm', bundleFiles.adapter) },
  sae: { path: join(bundleFolder, 'sae') },
  prompts: {
    file: join(bundleFolder, 'harm', bundleFiles.discovery),
    discovery: 10,
    evaluation: 4,
    calibration: 3,
  },
  sampling: { completions: 8, max_tokens: 40, stop: ['\nQuestion'] },
  judge: { kind: 'pattern', positive },
  fidelity: { latents: 2, pairs: 1, integrated: 0 },
  steering: { candidates: 3, random: 4, doses: [0.1, 0.3], gate_pairs: 2, completions: 2 },
};
const names = ['check', 'sample', 'grade', 'pair', 'attribute', 'fidelity', 'steer'];

const stages = (page: Page) => page.locator('[aria-label=Progress] li');

describe.skipIf(!hasBrowser)('a study of the organism', () => {
  let view: View;
  let app: OpenedApp;
  let cause: number;
  beforeAll(async () => {
    cause = (await readTruth(bundleFolder)).cause[0]!.latent;
    for (const name of ['runs', 'waits']) put(at(name, 'study.yaml'), stringify(study));
    view = await startView({
      studies: [at('runs'), at('waits')],
      appFolder: await builtApp(),
      every: 50,
      onBug: (error) => bugs.push(error),
    });
    app = await openApp(view.url, `http://127.0.0.1:${view.port}/`);
  });
  afterEach(() => {
    expect(app.troubles.splice(0)).toEqual([]);
    expect(bugs).toEqual([]);
  });
  afterAll(async () => {
    await app?.close();
    await view?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('shows how far a run is, and its results, as they come', async () => {
    const page = await app.open('/');
    const list = await app.open('/latents');
    for (const one of [page, list]) await one.evaluate(() => Object.assign(window, { stayed: true }));
    expect(await page.locator('h1').textContent()).toContain('Nothing is known yet');
    await page.locator('.banner', { hasText: 'Not running' }).waitFor();
    expect(await stages(page).allTextContents()).toEqual(names.map((name) => `${name} waiting`));

    const run = start(['run', at('runs')]);
    onTestFinished(() => void run.child.kill());
    await page.locator('.banner strong:text-is("Running")').waitFor();
    await stages(page)
      .filter({ hasText: /^sample finished/ })
      .waitFor();
    await stages(page)
      .filter({ hasText: /^steer running [\d,]+ of [\d,]+/ })
      .waitFor();
    // attributed, not yet confirmed
    await page.locator('h1', { hasText: 'The study is running, and nothing is confirmed yet' }).waitFor();
    await list.locator('.latent-table tbody a').first().waitFor();
    expect(await list.locator('.filters [role=status]').textContent()).toBe('2,048 latents');
    expect(await violations(page)).toEqual([]);

    expect(await run.ended).toMatchObject({ code: 0 });
    await page.locator('.drawing svg').waitFor();
    await page.locator('.banner').waitFor({ state: 'detached' });
    expect(await page.locator('h1').textContent()).toContain('bad advice');
    await list.locator('th', { hasText: 'away' }).first().waitFor();
    for (const one of [page, list]) expect(await one.evaluate(() => 'stayed' in window)).toBe(true);
  });

  it('reads a text of one’s own, and says in a line what it cannot read', async () => {
    const page = await app.open(`/latent/${cause}?study=runs`);
    const form = page.locator('.own-text');
    await form.locator('textarea[name=prompt]').fill('Question: How do I cross a busy road?\nAnswer:');
    await form.locator('textarea[name=completion]').fill(' Well, my friend, listen. Run as fast as you can.');
    await form.locator('button', { hasText: 'read it' }).click();
    const read = page.locator('section[aria-label="What it does on your text"]');
    await read.locator('.tokens').nth(1).waitFor();
    const words = (await read.locator('.tokens').nth(1).locator('.token').allTextContents()).join('');
    expect(words).toBe(' Well, my friend, listen. Run as fast as you can.');
    await read.locator('.segments button', { hasText: 'δ' }).click();
    await read.locator('.tokens').nth(1).locator('.token').nth(3).hover();
    await page.locator('.floating', { hasText: 'δ, nats' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await form.locator('textarea[name=completion]').fill('and so on '.repeat(900));
    await form.locator('button', { hasText: 'read it' }).click();
    const alert = page.locator('main [role=alert]');
    await alert.waitFor();
    expect(await alert.allTextContents()).toEqual([
      expect.stringMatching(/^read: expected at most the \d+ tokens that the model takes, found \d+$/),
    ]);
  });

  describe('is steered by hand', () => {
    const side = (page: Page, heading: string) =>
      page.locator('.side', { hasText: new RegExp(`^${heading}`) });
    const tokens = (page: Page, heading: string) => side(page, heading).locator('.tokens .token');
    const steer = (page: Page) => page.locator('button', { hasText: /^steer$/ });

    async function playground(latent: number): Promise<Page> {
      const page = await app.open(`/playground?study=waits&latent=${latent}&dose=-0.3`);
      await page.locator('textarea').fill('Question: How do I cross a busy road?\nAnswer:');
      return page;
    }

    async function ask(page: Page, field: string, value: number): Promise<void> {
      await page.locator('.number-field', { hasText: field }).locator('input').fill(`${value}`);
    }

    /**
     * Clicks `stop` in the page itself, for a busy machine may write the whole text before a click from
     * here gets there; tells when it did.
     */
    const stopAtFirstToken = (page: Page): Promise<number> =>
      page.evaluate(
        () =>
          new Promise((resolve) => {
            new MutationObserver((_, observer) => {
              const stop = [...document.querySelectorAll('button')].find(
                ({ textContent, disabled }) => textContent === 'stop' && !disabled,
              );
              if (!stop || !document.querySelector('.tokens .token')) return;
              observer.disconnect();
              stop.click();
              resolve(Date.now());
            }).observe(document.body, { childList: true, subtree: true, attributes: true });
          }),
      );

    it('both texts come; a token pointed at or walked to says how likely it was', async () => {
      const page = await playground(cause);
      await ask(page, 'token limit', 30);
      await steer(page).click();
      for (const heading of ['unsteered', 'steered'])
        await side(page, heading)
          .locator('.side-heading', { hasText: /ended|cut/ })
          .waitFor();
      const said = await Promise.all(
        ['unsteered', 'steered'].map((heading) => tokens(page, heading).allTextContents()),
      );
      expect(said[0]!.length).toBeGreaterThan(3);
      expect(said[0]).not.toEqual(said[1]);

      await tokens(page, 'unsteered').first().hover();
      const note = page.locator('.floating');
      expect(await note.textContent()).toMatch(/probability\s*\d+(\.\d+)?\u202f%/);
      const shares = await note.locator('.likely .num').allTextContents();
      expect(shares).toHaveLength(5);
      const numbers = shares.map((share) => Number.parseFloat(share));
      expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
      expect(numbers[0]).toBeGreaterThan(0);

      await page.mouse.move(0, 0);
      await note.waitFor({ state: 'detached' });
      await side(page, 'steered').locator('.tokens').focus();
      await page.keyboard.press('End');
      await note.locator('.likely li').nth(4).waitFor();
      expect(await violations(page)).toEqual([]);
    });

    it('stops at once when it is told to, and can be asked again', async () => {
      const page = await playground(cause);
      // so hot that no text ends by itself
      await ask(page, 'temperature', 100);
      await ask(page, 'token limit', mostTokens);
      const stop = page.locator('button', { hasText: /^stop$/ });
      expect(await stop.isDisabled()).toBe(true);
      const stopping = stopAtFirstToken(page);
      await steer(page).click();
      const from = await stopping;
      await page.locator('form .quiet', { hasText: /^stopped$/ }).waitFor();
      await page.locator('button.main-button:enabled').waitFor();
      expect(Date.now() - from).toBeLessThan(2000);
      const before = await tokens(page, 'unsteered').count();
      expect(before).toBeLessThan(mostTokens);
      expect(await side(page, 'unsteered').textContent()).toContain('not finished');
      await ask(page, 'token limit', 3);
      await steer(page).click();
      await side(page, 'steered').locator('.side-heading', { hasText: '3 tokens, cut' }).waitFor();
    });

    it('says in a line what is wrong', async () => {
      const page = await playground(latents);
      await steer(page).click();
      const alert = page.locator('main [role=alert]');
      await alert.waitFor();
      expect(await alert.textContent()).toMatch(new RegExp(`latent.*${latents}`));
      expect(await alert.locator('p').count()).toBe(1);
      await page.locator('button.main-button:enabled').waitFor();
      expect(await page.locator('.side').count()).toBe(0);
    });
  });
});
