/** What a reader of a served study sees: a server that goes away, a run, and what was steered by hand under which settings. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeLatents, type SteerLine } from '../../src/results.ts';
import { hasBrowser, violations } from './support/chromium.ts';
import { linesOf, pairsOfPrompt, tokensOfPairs } from './support/comparedParts.ts';
import { type FakeView, fakeView } from './support/fakeView.ts';
import { hashIn, type OpenedApp, openApp } from './support/servedPage.ts';
import { latentRow, manifest, stage } from './support/studyParts.ts';

const pairs = ['q0', 'q1'].flatMap((prompt) => pairsOfPrompt(prompt, 1, 1));
const files = {
  'study.yaml': 'behaviour: { name: flattery }\n',
  'latents.parquet': encodeLatents(Array.from({ length: 50 }, (_, i) => latentRow(i + 7, i + 1))),
  'pairs.jsonl': linesOf(pairs),
  'pair-tokens.jsonl': linesOf(pairs.map((pair) => tokensOfPairs([pair], { 7: 0.2 }))),
  'manifest.json': JSON.stringify(manifest({ attribute: stage({ pairs: 2, latents: 50 }) })),
};

const said = (text: string): SteerLine[] =>
  (['alone', 'steered'] as const).flatMap((side, i): SteerLine[] => [
    { kind: 'token', side, id: i, text: `${text} ${side}`, log_probability: -0.5, top: [] },
    { kind: 'end', side, stop: 'end' },
  ]);

describe.skipIf(!hasBrowser)('a reader of a served study', () => {
  let view: FakeView;
  let app: OpenedApp;
  beforeAll(async () => {
    view = await fakeView(files);
    view.steer = ({ seed }) => said(`seed ${seed}`);
    app = await openApp(view.url, view.url.split('?')[0]!);
  });
  afterEach(() => view.comeBack());
  afterAll(async () => {
    await app?.close();
    await view?.leave();
  });

  it('is told that the server went away; tries again, and what failed meanwhile is there', async () => {
    const page = await app.open('/');
    const note = page.locator('.lost');
    await view.leave();
    await note.waitFor();
    expect(await note.textContent()).toContain('The server does not answer');
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    const alert = page.locator('main [role=alert]');
    await alert.first().waitFor();
    expect(await alert.first().textContent()).toContain('the server does not answer');
    expect(await violations(page)).toEqual([]);
    await view.comeBack();
    await note.locator('button').click();
    await page.locator('.pair-list tbody a').first().waitFor();
    await note.waitFor({ state: 'detached' });
    expect(await alert.count()).toBe(0);
    await page.close();
    // of what the browser itself says of requests that failed
    app.troubles.length = 0;
  });

  it('has a read that failed made again the next time', async () => {
    view.broken.add('pairs.jsonl');
    const page = await app.open('/');
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('main [role=alert]').waitFor();
    view.broken.clear();
    await page.locator('nav a', { hasText: 'Overview' }).click();
    await page.locator('.answer').waitFor();
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('.pair-list tbody a').first().waitFor();
    await page.close();
    app.troubles.length = 0;
  });

  it('is told of a run that it runs, not that it has not been run', async () => {
    const page = await app.open('/');
    await page.locator('h1', { hasText: 'Steering has not been run, so nothing is confirmed.' }).waitFor();
    const running = { name: 'steer', state: 'running', done: 3, units: 9, seconds_left: null } as const;
    view.progress = { stages: [running], running: true };
    view.tell();
    await page.locator('h1', { hasText: 'The study is running, and nothing is confirmed yet.' }).waitFor();
    const text = (await page.locator('main').textContent())!;
    expect(text).not.toContain('has not been run');
    expect(text).not.toContain('culprit run');
    view.progress = { stages: [], running: false };
    view.tell();
    await page.close();
    expect(app.troubles).toEqual([]);
  });

  it('sees under which settings a text was made, dimmed once they change, and kept on the way back', async () => {
    const page = await app.open('/playground');
    const asked = page.locator('.asked');
    const steer = page.locator('.main-button');
    const number = (name: string) => page.locator('.number-field', { hasText: name }).locator('input');
    await steer.click();
    await page.locator('.side', { hasText: 'seed 1 steered' }).waitFor();
    expect(await asked.textContent()).toBe(
      'The subject, steered along latent 7 at −0.20 s; temperature 1.00, seed 1, at most 110 tokens.',
    );
    expect(await page.locator('.outcome .prompt').textContent()).toBe('Question q0?');
    expect(await page.locator('.outcome.old').count()).toBe(0);
    await number('seed').fill('12');
    await page.locator('.outcome.old .note', { hasText: 'The form has changed since' }).waitFor();
    expect(await asked.textContent()).toContain('seed 1,');
    expect(await violations(page)).toEqual([]);
    await page.locator('textarea').fill('Is this kept?');
    await page.locator('button', { hasText: 'add a latent' }).click();
    await number('temperature').fill('0.5');
    await page.locator('.segments button', { hasText: 'reference' }).click();
    await steer.click();
    await page.locator('.side', { hasText: 'seed 12 steered' }).waitFor();
    expect(await page.locator('.outcome.old').count()).toBe(0);
    expect(view.asked.at(-1)).toEqual({
      prompt: 'Is this kept?',
      latents: [
        { latent: 7, dose: -0.2 },
        { latent: 8, dose: 0 },
      ],
      model: 'reference',
      temperature: 0.5,
      max_tokens: 110,
      seed: 12,
    });
    const before = hashIn(page);
    await page.locator('a', { hasText: 'more about it' }).first().click();
    await page.locator('h1', { hasText: 'Latent 7' }).waitFor();
    await page.goBack();
    await steer.waitFor();
    expect(hashIn(page)).toBe(before);
    expect(await page.locator('textarea').inputValue()).toBe('Is this kept?');
    expect(await number('seed').inputValue()).toBe('12');
    expect(await number('temperature').inputValue()).toBe('0.5');
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (text: string) => Object.assign(window, { copied: text }) },
      });
    });
    await page.locator('.copy-link button').click();
    await page.locator('.copy-link', { hasText: 'copied' }).waitFor();
    const copied = await page.evaluate(() => (window as unknown as { copied: string }).copied);
    expect(copied).not.toContain('SECRET');
    expect(copied).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#\/playground\?.*seed=12/);
    await page.close();
    expect(app.troubles).toEqual([]);
  });
});
