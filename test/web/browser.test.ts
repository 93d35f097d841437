/**
 * The built app in a browser, from a file: what a user does with it, on any screen, with hostile text in the
 * study.
 */
import { readFileSync } from 'node:fs';
import { DOMParser } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figureOf } from '../../src/figure/figureOf.ts';
import { encodeLatents, encodeSteering } from '../../src/results.ts';
import { steeringSvg } from '../../src/study/steering/figureSvg.ts';
import { hasBrowser, wrongInAnyLook } from './support/chromium.ts';
import { type OpenedReport, openReport } from './support/openedReport.ts';
import {
  confirmed,
  latentRow,
  manifest,
  other,
  removed,
  stage,
  steered,
  suggestive,
  summary,
} from './support/studyParts.ts';

const hostile = '<img src=x onerror=alert(1)></script><script>alert(2)</script>';
const latents = 20_000;

const asRandom = { role: 'random', ranks: {}, verdict: null } as const;
const rows = [
  ...removed(7, -0.32, confirmed),
  ...steered(7, -0.34, 0.2),
  ...removed(8, -0.2, { ...suggestive, sign: -1 }),
  ...steered(8, -0.2, 0.05),
  ...steered(9, null, null),
  ...[20, 21, 22, 23].flatMap((latent) => [
    ...removed(latent, 0.03, asRandom),
    ...steered(latent, 0.02, 0.01, asRandom),
  ]),
  ...other('probe', 'comparison', [...removed(0, -0.1), ...steered(0, -0.1, 0.1)]),
  ...other('latent 7 + 8', 'group', removed(0, -0.4)),
];
const study = {
  'study.yaml': `behaviour: { name: "${hostile}" }\n`,
  'latents.parquet': encodeLatents(Array.from({ length: latents }, (_, i) => latentRow(i + 7, i + 1))),
  'steering.parquet': encodeSteering(rows),
  'steering.json': JSON.stringify(summary({ behaviour: hostile })),
  'manifest.json': JSON.stringify(
    manifest({
      sample: stage({ prompts: 10, completions: 120, ended: 110 }),
      attribute: stage({ pairs: 40, latents }, { inputs: { sae: { path: 'sae', sha256: 'a'.repeat(64) } } }),
      steer: stage({}, { options: { note: hostile.repeat(20) } }),
    }),
  ),
};
const second = { ...study, 'latents.parquet': encodeLatents([latentRow(8, 1), latentRow(7, 2)]) };

const routes = [
  '/',
  '/latents',
  '/latent/7',
  '/pairs',
  '/transcripts',
  '/playground',
  '/methods',
  '/compare',
  '/?study=empty',
];

describe.skipIf(!hasBrowser)('in a browser', () => {
  let report: OpenedReport;
  beforeAll(async () => {
    report = await openReport({ first: study, other: second, empty: {} });
  });
  afterAll(() => report.close());

  it.each(routes)(
    '%s: nothing is asked of the network, nothing fails, no rule of accessibility is broken',
    async (route) => {
      const page = await report.open(route);
      await page.locator('main .quiet', { hasText: 'Loading' }).waitFor({ state: 'detached' });
      expect(await wrongInAnyLook(page)).toEqual([]);
      expect(report.troubles).toEqual([]);
      await page.context().close();
    },
  );

  it('says the answer first, with hostile text as text; its latent is a link, and back leads back', async () => {
    const page = await report.open('/');
    expect(await page.locator('h1').textContent()).toContain(
      `Removing latent 7 from the subject changes the share of answers that show ${hostile} from`,
    );
    await page.locator('h1 a').click();
    expect(new URL(page.url()).hash).toBe('#/latent/7');
    await page.goBack();
    await page.locator('.drawing svg').waitFor();
    expect(new URL(page.url()).hash).toBe('#/');
    expect(report.troubles).toEqual([]);
    await page.context().close();
  });

  /** The words of a figure's legend, ticks and dots, in no lines. */
  function wordsOf(svg: string) {
    const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    const all = (selector: string) =>
      [...root.querySelectorAll(selector)].map(({ textContent }: { textContent: string }) => textContent);
    return { legend: all('.legend text'), caption: all('.caption text').join(' '), dots: all('title') };
  }

  it('the figure, saved from a dark page, says what the file of the study says, on white', async () => {
    const page = await report.open('/', { dark: true });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('figcaption button', { hasText: 'SVG' }).click(),
    ]);
    const saved = readFileSync(await download.path(), 'utf8');
    expect(wordsOf(saved)).toEqual(wordsOf(steeringSvg(figureOf(rows, summary({ behaviour: hostile })))));
    expect(saved).toContain('height="100%" fill="white"');
    expect(download.suggestedFilename()).toBe('first-causal-test.svg');
    expect(saved).not.toMatch(/var\(|light-dark/);
    await page.context().close();
  });

  it('a latent of the figure is found by keys: its numbers stand beside it, and Enter leads to it', async () => {
    const page = await report.open('/');
    await page.locator('.overlay a').first().focus();
    expect(await page.locator('.point-note').textContent()).toMatch(/^latent 7removed−32/);
    await page.keyboard.press('Tab');
    expect(await page.locator('.point-note').textContent()).toMatch(/^latent 8removed−20/);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.location.hash === '#/latent/8');
    await page.context().close();
  });

  it('a row or a dot pointed at says its numbers; the figure can be saved', async () => {
    const page = await report.open('/');
    await page.locator('.overlay g rect').first().hover();
    expect(await page.locator('.point-note').textContent()).toMatch(/^latent 7 \+ 8removed−40/);
    await page.locator('.overlay a circle').last().hover();
    expect(await page.locator('.point-note').textContent()).toMatch(/^random: latent 2\dremoved\+3/);
    await page.mouse.move(0, 0);
    await page.locator('.point-note').waitFor({ state: 'detached' });
    for (const [format, start] of [
      ['SVG', '<svg'],
      ['PNG', '\u0089PNG'],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('figcaption button', { hasText: format }).click(),
      ]);
      const saved = readFileSync(await download.path());
      expect(saved.toString('latin1').startsWith(start)).toBe(true);
      expect(saved.length).toBeGreaterThan(1000);
    }
    await page.context().close();
  });

  it('every latent is listed, few are drawn; keys, search and sort find one, and the address keeps it', async () => {
    const page = await report.open('/latents');
    const links = page.locator('.latent-table tbody a');
    const status = page.locator('.filters [role=status]');
    expect(await status.textContent()).toBe('3 of 20,000 latents');
    await page.locator('.segments button', { hasText: 'all (20,000)' }).click();
    await page.locator('.filters [role=status]', { hasText: /^20,000 latents/ }).waitFor();
    expect(await links.count()).toBeLessThan(100);
    await page.locator('.latent-table').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.textContent === '8');
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.activeElement?.textContent === '20006');
    await page.locator('th button', { hasText: 'away' }).first().click();
    // what takes most of the behaviour away
    expect(await links.first().textContent()).toBe('7');
    await page.locator('input[type=search]').fill('9, 8');
    await page.waitForFunction(() => document.querySelectorAll('.latent-table tbody a').length === 2);
    const { hash } = new URL(page.url());
    expect(hash).toBe('#/latents?of=all&q=9%2C+8&sort=away');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.filters button', { hasText: 'CSV' }).click(),
    ]);
    expect(
      readFileSync(await download.path(), 'utf8')
        .split('\r\n')
        .map((line) => line.split(',')[0]),
    ).toEqual(['latent', '8', '9', '']);
    await links.first().focus();
    await page.keyboard.press('Enter');
    // with what the list was asked for, for the way from one latent to the next
    await page.waitForFunction(() => window.location.hash === '#/latent/8?of=all&q=9%2C+8&sort=away');
    await page.goBack();
    await links.nth(1).waitFor();
    expect(new URL(page.url()).hash).toBe(hash);
    expect(await page.locator('input[type=search]').inputValue()).toBe('9, 8');
    await page.context().close();
  });

  it('compares the two; another study is chosen by name', async () => {
    const page = await report.open('/compare?with=other&top=10');
    await page.locator('.slopes').waitFor();
    expect(await page.locator('main').textContent()).toMatch('2 of the first 10');
    await page.locator('header select.study-name').selectOption('empty');
    await page.waitForFunction(() => window.location.hash === '#/compare?study=empty');
    await page.locator('.note', { hasText: 'No latents have been ranked yet in empty.' }).waitFor();
    await page.context().close();
  });
});
