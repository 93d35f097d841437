/** What a reader of a report sees and does: certainty as it is, one meaning for Δ, the way back, touch, paper. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeLatents,
  encodeSteering,
  type SteeredCompletion,
  type TrialRecord,
} from '../../src/results.ts';
import { latentPage } from '../support/latentPage.ts';
import { hasBrowser, violations } from './support/chromium.ts';
import { linesOf, pairOnPage, pairsOfPrompt, tokensOfPairs } from './support/comparedParts.ts';
import { checkpointsRecord, traceRecord } from './support/furtherRecords.ts';
import { type OpenedReport, openReport } from './support/openedReport.ts';
import {
  confirmed,
  fixRecord,
  latentRow,
  manifest,
  other,
  removed,
  stage,
  steered,
  steeringRow,
  summary,
} from './support/studyParts.ts';

const prompts = 60;
const contrasts = Array.from({ length: prompts }, (_, p) => pairsOfPrompt(`q${p}`, 2, 3));
/** the strongest of latent 7 is the last but one prompt */
const deltaOf = (p: number) => (p === 58 ? 0.5 : p / 1000);
const tokens = contrasts.map((pairs, p) => tokensOfPairs(pairs, { 7: deltaOf(p) }));

const completion = (index: number): SteeredCompletion => ({
  prompt_id: 'e0',
  index,
  text: `answer ${index}`,
  tokens: 3,
  stop: 'end',
  score: 0,
  coherence: 1,
  reason: '',
  log_probability: null,
  repetition: null,
  judged: true,
  label: index < 40 ? 'positive' : 'negative',
  coherent: index < 102,
});
const trial = (id: string, more: Partial<TrialRecord>): TrialRecord => ({
  kind: 'trial',
  id,
  side: 'away',
  direction: 'latent 7',
  latent: 7,
  operation: 'add',
  dose: -0.2,
  part: 'evaluation',
  content: 'c',
  completions: Array.from({ length: 180 }, (_, i) => completion(i)),
  cost: { calls: 0, price: 0 },
  ...more,
});

const asRandom = { role: 'random', ranks: {}, verdict: null } as const;
const zone = summary().zone;
const rows = [
  ...removed(7, -0.32, { ...confirmed, coherent: 57, positives: 10, alone_coherent: 69 }),
  // its interval ends just beside the gray zone
  steeringRow(7, 'away', -0.3, { high: -0.1129 }),
  steeringRow(7, 'toward', 0.2),
  ...removed(8, -0.2),
  ...[20, 21, 22, 23].flatMap((latent) => [
    ...removed(latent, 0.03, asRandom),
    ...steered(latent, 0.02, 0.01, asRandom),
  ]),
];
const study = {
  'study.yaml': 'behaviour: { name: flattery }\n',
  'latents.parquet': encodeLatents(Array.from({ length: 500 }, (_, i) => latentRow(i + 7, i + 1))),
  'latents/7.json': JSON.stringify(latentPage(7, { rank: 1, pairs: [pairOnPage(tokens[58]!, 0.5)] })),
  'pairs.jsonl': linesOf(contrasts.flat()),
  'pair-tokens.jsonl': linesOf(tokens),
  'steering.parquet': encodeSteering(rows),
  'steering.json': JSON.stringify(summary({ zone: { ...zone, away: { ...zone.away, low: -0.1126 } } })),
  'fix.json': JSON.stringify(fixRecord()),
  'trace.json': JSON.stringify(traceRecord()),
  'checkpoints.json': JSON.stringify(checkpointsRecord()),
  'steered.jsonl': linesOf([
    trial('a', {}),
    trial('b', {
      direction: null,
      latent: null,
      operation: null,
      dose: 0,
      completions: Array.from({ length: 180 }, (_, i) => ({
        ...completion(i),
        label: i < 50 ? ('positive' as const) : ('negative' as const),
      })),
    }),
    trial('r', { operation: 'remove', dose: 0 }),
  ]),
  'manifest.json': JSON.stringify(
    manifest({
      attribute: stage(
        { pairs: prompts, latents: 500 },
        { options: { all_pairs: true }, inputs: { sae: { path: 'sae', sha256: 'a'.repeat(64) } } },
      ),
    }),
  ),
};
/** As much as the demonstration has on its overview. */
const full = {
  ...study,
  'steering.parquet': encodeSteering([
    ...rows,
    ...Array.from({ length: 9 }, (_, i) => [
      ...removed(30 + i, -0.25 + i / 100),
      ...steered(30 + i, -0.2, 0.1),
      ...other(`recipe ${i}`, 'comparison', [...removed(0, -0.4 + i / 50), ...steered(0, -0.1, 0.1)]),
    ]).flat(),
  ]),
};
const worded = {
  ...study,
  'study.yaml': 'behaviour: { name: flattery, positive: flattering, negative: honest }\n',
};
const damaged = {
  ...study,
  'study.yaml': 'behaviour: {',
  'fidelity.json': '{',
  'grades.jsonl': '{"id": 3}\n',
  'latents/7.json': '[]',
};

describe.skipIf(!hasBrowser)('a reader', () => {
  let report: OpenedReport;
  beforeAll(async () => {
    report = await openReport({ made: study, full, worded, damaged });
  });
  afterAll(() => report.close());

  it('sees edges that nearly meet apart, how much text broke, and what outside means', async () => {
    const page = await report.open('/latent/7');
    const claim = (name: string) => page.locator('.claim', { hasText: name });
    expect(await claim('Subject steered away').textContent()).toMatch(/\[−35, −11\.29\].*\[−11\.26, \+10\]/);
    expect(await claim('Subject steered away').textContent()).toContain('its whole interval too');
    expect(await claim('Removed from the subject').textContent()).toMatch(
      /incoherent: 31\s%\u0020unsteered, 43\s% under it/,
    );
    await page.locator('nav a', { hasText: 'Overview' }).click();
    await page.locator('.answer').waitFor();
    expect(await page.locator('.evidence').textContent()).toMatch(
      /Incoherent answers go from 31\s% to 43\s%/,
    );
    const text = await page.locator('main').textContent();
    expect(text).toContain('outside where its estimate lies beyond an edge of the zone');
    expect(text).toMatch(/−11\.26 to \+10 when the subject is steered away/);
    await page.context().close();
  });

  it('reads of Δ per prompt where all pairs of a prompt are one, and finds its pairs under it', async () => {
    const page = await report.open('/latent/7');
    expect(await page.locator('.claims').textContent()).toContain('the same sign in 45 of 60 prompts');
    await page.locator('summary', { hasText: 'prompt q58: Δ of this prompt alone +0.500 nats' }).waitFor();
    await page.locator('a', { hasText: 'all its completions' }).click();
    await page.locator('h1', { hasText: 'Prompt q58' }).waitFor();
    expect(await page.locator('main').textContent()).toContain('2 positives × 3 negatives = 6 pairs');
    expect(await page.locator('.side').count()).toBe(5);
    await page.locator('a', { hasText: 'all pairs' }).click();
    await page.locator('.pair-list').waitFor();
    expect(await page.locator('main [role=status]').first().textContent()).toBe('60 prompts with 360 pairs');
    expect(await page.locator('.pair-list').textContent()).toContain('per prompt');
    const links = await page.locator('.pair-list tbody a').allTextContents();
    expect(links.slice(0, 2)).toEqual(['Question q58?', 'Question q59?']);
    expect(new Set(links).size).toBe(links.length);
    await page.context().close();
  });

  it('sees what the fix costs: sentences, every set that was tried, what it is compared with', async () => {
    const page = await report.open('/');
    await page.locator('h2', { hasText: 'A fix' }).waitFor();
    const text = (await page.locator('main').textContent())!;
    expect(text).toContain('Latents 7 and 8 removed at all tokens');
    expect(text).toMatch(/eigenvector 1, which needs no latent, does as much or more: −62 points/);
    const figures = page.locator('.fix figure');
    await figures.nth(1).locator('svg').waitFor();
    expect(await figures.locator('figcaption').allTextContents()).toEqual([
      'Searched: 12 calibration prompts',
      'Measured: 24 other prompts',
    ]);
    const marks = (figure: number) =>
      figures.nth(figure).locator('svg g[aria-label=dot] path, svg g[aria-label=dot] circle').count();
    expect([await marks(0), await marks(1)]).toEqual([1 + 4, 1 + 5]);
    const table = page.locator('section[aria-label="The fix beside what it is compared with"] tbody tr');
    expect(await table.count()).toBe(4);
    expect(await table.nth(1).locator('td, th').allTextContents()).toEqual([
      'latents 7 + 8 removed',
      expect.stringMatching(/^11\s%$/),
      '−58 [−70, −41]',
      expect.stringMatching(/^90\s%$/),
      expect.stringMatching(/^21\s%$/),
      '31',
      '3.214',
      expect.stringMatching(/^95\.7\s%$/),
      '0.012',
    ]);
    await page.context().close();
  });

  it('finds a text by its words and verdict, reads it beside what was said without, and sends its address', async () => {
    const page = await report.open('/transcripts');
    const status = page.locator('search [role=status]');
    await status.waitFor();
    expect(await status.textContent()).toBe('540 texts');
    const choice = (name: string) => page.locator('label', { hasText: name }).locator('select');
    expect(await choice('direction').locator('option').allTextContents()).toEqual([
      'all',
      'latent 7 (360)',
      'unsteered (180)',
    ]);
    await choice('direction').selectOption('latent 7');
    await choice('what was done').selectOption('steered −0.20 s');
    await page.locator('input[type=search]').fill('answer 179');
    await page.waitForFunction(() => document.querySelectorAll('.transcript-list tbody tr').length === 1);
    expect(await status.textContent()).toBe('1 of 540 texts');
    await page.locator('.transcript-list tbody a').click();
    await page.locator('h1', { hasText: 'Prompt e0, answer 180' }).waitFor();
    const headings = await page.locator('.side-heading').allTextContents();
    expect(headings).toEqual([
      expect.stringMatching(/^unsteered/),
      expect.stringMatching(/^latent 7 steered −0\.20 s/),
    ]);
    const address = page.url();
    expect(address).toContain('find=answer+179');
    await page.locator('a', { hasText: 'all answers to this prompt' }).click();
    await page.locator('button', { hasText: 'only prompt e0' }).waitFor();
    await page.goto('about:blank');
    await page.goto(address);
    await page.locator('h1', { hasText: 'answer 180' }).waitFor();
    expect(await page.title()).toMatch(/^Transcript .*e0\/179 · made · culprit$/);
    await page.context().close();
  });

  it('is brought to what a link shows: title, focus, and past the tabs by one key', async () => {
    const page = await report.open('/');
    await page.locator('.answer').waitFor();
    expect(await page.title()).toBe('Overview · made · culprit');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const focused = () => page.evaluate(() => document.activeElement?.tagName);
    expect(await focused()).toBe('MAIN');
    await page.locator('nav a', { hasText: 'Latents' }).click();
    await page.locator('.latent-table tbody a').first().waitFor();
    expect(await page.title()).toBe('Latents · made · culprit');
    expect(await focused()).toBe('MAIN');
    await page.locator('.latent-table tbody a').first().click();
    await page.locator('h1', { hasText: 'Latent 7' }).waitFor();
    expect(await page.title()).toBe('Latent 7 · made · culprit');
    expect(await focused()).toBe('MAIN');
    // what narrows a list is not left while it is typed
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('input[type=search]').fill('q5');
    expect(await focused()).toBe('INPUT');
    await page.context().close();
  });

  it('goes from one to the next in the order of the list, and back to where the list was', async () => {
    const page = await report.open('/latents?of=all&sort=-rank');
    const links = page.locator('.latent-table tbody a');
    await links.first().waitFor();
    const top = () => page.locator('.latent-table').evaluate((list) => list.scrollTop);
    await page.locator('.latent-table').evaluate((list) => {
      list.scrollTop = 3000;
    });
    await page.waitForFunction(
      () => Number(document.querySelector('.latent-table tbody a')!.textContent) < 430,
    );
    const link = links.nth(14);
    const latent = Number(await link.textContent());
    const at = await top();
    await link.click();
    await page.locator('h1', { hasText: `Latent ${latent}` }).waitFor();
    const beside = page.locator('nav[aria-label="Latents as listed"] a');
    expect(await beside.allTextContents()).toEqual([`← ${latent + 1}`, 'all latents', `${latent - 1} →`]);
    await page.goBack();
    await links.first().waitFor();
    await page.waitForFunction((wanted) => document.querySelector('.latent-table')!.scrollTop === wanted, at);
    expect(new URL(page.url()).hash).toBe('#/latents?of=all&sort=-rank');
    // the page itself too, and the order of pairs
    await page.goto(`${page.url().split('#')[0]}#/pairs?latent=7&sort=delta`);
    await page.locator('.pair-list').waitFor();
    await page.evaluate(() => window.scrollTo(0, 900));
    await page.waitForFunction(() => window.scrollY === 900);
    await page.locator('.pair-list tbody a').nth(22).click();
    await page.locator('h1', { hasText: 'Prompt q' }).waitFor();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    await page.goBack();
    await page.locator('.pair-list').waitFor();
    await page.waitForFunction(() => window.scrollY === 900);
    await page.locator('.pair-list tbody a').first().click();
    await page.locator('h1', { hasText: 'Prompt q58' }).waitFor();
    await page.locator('a', { hasText: 'next →' }).click();
    await page.locator('h1', { hasText: 'Prompt q59' }).waitFor();
    await page.context().close();
  });

  it('copies a link to one completion, which opens at it', async () => {
    const page = await report.open('/latent/7');
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (text: string) => Object.assign(window, { copied: text }) },
      });
    });
    await page.locator('.segments button', { hasText: /^all$/ }).click();
    await page.locator('button', { hasText: 'show 10 more' }).click();
    await page.locator('.samples > li').nth(15).locator('button').click();
    await page.locator('.samples .copy-link', { hasText: 'copied' }).waitFor();
    const copied = await page.evaluate(() => (window as unknown as { copied: string }).copied);
    expect(copied).toMatch(/^file:\/\/\/.*#\/latent\/7\?completion=e0%2F5&done=removed$/);
    await page.goto('about:blank');
    await page.goto(copied);
    const sought = page.locator('.samples .sought');
    await sought.waitFor();
    expect(await sought.textContent()).toContain('answer 5');
    await page.waitForFunction(() => {
      const { top, bottom } = document.querySelector('.sought')!.getBoundingClientRect();
      return top >= 0 && bottom <= window.innerHeight;
    });
    await page.context().close();
  });

  it('sees all but what rests on a file that is damaged, which is named with its remedy', async () => {
    const page = await report.open('/?study=damaged');
    await page.locator('.drawing svg').waitFor();
    const alert = page.locator('main [role=alert]');
    expect(await alert.allTextContents()).toEqual([
      expect.stringMatching(/^study\.yaml: expected YAML; /),
      expect.stringMatching(/^fidelity\.json: expected JSON.*culprit report STUDY$/),
    ]);
    await page.locator('nav a', { hasText: 'Latents' }).click();
    await page.locator('.latent-table tbody a').first().waitFor();
    expect(await alert.allTextContents()).toEqual([expect.stringContaining('latents/7.json')]);
    await page.locator('.latent-table tbody a').first().click();
    await page.locator('.claim', { hasText: 'Removed from the subject' }).waitFor();
    expect((await alert.allTextContents()).join()).toContain('latents/7.json');
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('.pair-list tbody a').first().click();
    await page.locator('.side .token').first().waitFor();
    expect(await alert.allTextContents()).toEqual([expect.stringContaining('grades.jsonl:1')]);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('taps a token for its numbers, and has the tab of the view in sight on a phone', async () => {
    const page = await report.open('/pairs/q58?latent=7', { width: 390, touch: true });
    await page.locator('.side .token').first().tap();
    await page.locator('.floating', { hasText: 'δ, nats' }).waitFor();
    await page.waitForTimeout(300);
    expect(await page.locator('.floating').textContent()).toContain('+0.500');
    await page.locator('h1').tap();
    await page.locator('.floating').waitFor({ state: 'detached' });
    await page.goto(`${page.url().split('#')[0]}#/compare`);
    await page.locator('h1', { hasText: 'Compare' }).waitFor();
    const [tab, row] = await Promise.all(
      ['header nav a[aria-current]', 'header nav'].map((one) => page.locator(one).boundingBox()),
    );
    expect(tab!.x).toBeGreaterThanOrEqual(row!.x);
    expect(tab!.x + tab!.width).toBeLessThanOrEqual(row!.x + row!.width + 1);
    await page.context().close();
  });

  it('prints an overview of two pages, with shading and without controls', async () => {
    const page = await report.open('/?study=full', { dark: true });
    await page.locator('.drawing svg').waitFor();
    const pdf = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(2);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('header, main button, .screen-only').filter({ visible: true }).count()).toBe(0);
    await page.locator('.print-only', { hasText: 'Not printed' }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      'rgb(255, 255, 255)',
    );
    await page.emulateMedia({ media: 'screen' });
    await page.locator('nav a', { hasText: 'Pairs' }).click();
    await page.locator('.pair-list tbody a').first().click();
    await page.locator('.side .token').first().waitFor();
    await page.emulateMedia({ media: 'print' });
    const style = await page
      .locator('.side .token')
      .first()
      .evaluate((token) => [
        getComputedStyle(token).printColorAdjust,
        getComputedStyle(token).backgroundColor,
      ]);
    expect(style[0]).toBe('exact');
    expect(style[1]).not.toBe('rgba(0, 0, 0, 0)');
    await page.context().close();
  });

  it('sees the answer at a prompt, in the first screen, and goes on from the counts', async () => {
    const page = await report.open('/');
    const card = page.locator('.example');
    await card.locator('h2').waitFor();
    expect(await card.locator('.side-heading').allTextContents()).toEqual([
      'subject, unsteered positive',
      'subject, latent 7 removed negative',
    ]);
    expect(await card.textContent()).toMatch(
      /The first of 10 answers, of 180 on the test prompts and those kept aside, whose verdict turns from positive to negative; 0 turn the other way/,
    );
    const { y, height } = (await card.boundingBox())!;
    expect(y + height).toBeLessThan(page.viewportSize()!.height);
    await page.locator('.funnel a', { hasText: 'confirmed' }).click();
    await page.locator('.latent-table tbody a').first().waitFor();
    expect(await page.locator('.filters [role=status]').textContent()).toBe(
      '1 of 500 latents, 1 with a meaning',
    );
    await page.context().close();
  });

  it('has the sections of a latent in reach, its meaning in the title, and keeps it in a study of one dictionary', async () => {
    const page = await report.open('/latent/7');
    await page.locator('h1', { hasText: 'Latent 7' }).waitFor();
    expect(await page.locator('h1 .latent-name').textContent()).toMatch(/^likelier: |\w/);
    const reach = page.locator('nav[aria-label="On this page"] button');
    const names = await reach.allTextContents();
    expect(names).toContain('Where it is active');
    await reach.filter({ hasText: 'Completions under it' }).click();
    const heading = page.locator('h2', { hasText: 'Completions under it' });
    await page.waitForFunction(() => window.scrollY > 500);
    const [top, bar] = [(await heading.boundingBox())!.y, (await reach.first().boundingBox())!];
    expect(top).toBeGreaterThan(bar.y + bar.height - 1);
    await page.locator('select[aria-label=Study]').selectOption('full');
    await page.waitForFunction(() => window.location.hash === '#/latent/7?study=full');
    await page.context().close();
  });

  it('sees two studies against one another: a verdict, and Δ against Δ', async () => {
    const page = await report.open('/compare?with=full');
    await page.locator('.delta-scatter svg').waitFor();
    expect(await page.locator('.compare-lead').textContent()).toContain(
      'Latent 7 comes first in both and is confirmed in both.',
    );
    await page.context().close();
  });

  it('sees what the training data pushes, and what latents do in other subjects', async () => {
    const page = await report.open('/latent/7');
    const data = page.locator('section', { hasText: 'In the training data' }).last();
    const ids = () => data.locator('.text-list li p .quiet:first-child').allTextContents();
    await data.locator('.text-list li').first().waitFor();
    expect([await ids(), await data.locator('.legend').textContent()]).toEqual([
      ['e1', 'e2'],
      expect.stringContaining('push at each token'),
    ]);
    await data.locator('button', { hasText: 'lie furthest along it' }).click();
    expect(await ids()).toEqual(['e2', 'e1']);
    await page.goto(`${page.url().split('#')[0]}#/`);
    await page
      .locator('p', { hasText: 'takes some of it away from step-1 on (−30 [−40, −20] points' })
      .waitFor();
    await page.locator('button', { hasText: 'latent 8' }).click();
    await page.locator('tr', { hasText: 'step-2' }).filter({ hasText: '−5 [−15, +5]' }).waitFor();
    await page.context().close();
  });

  it('reads the study’s own words for a verdict', async () => {
    const page = await report.open('/transcripts?study=worded');
    await page
      .locator('.transcript-list .verdict', { hasText: /^flattering$/ })
      .first()
      .waitFor();
    const options = await page.locator('label', { hasText: 'verdict' }).locator('option').allTextContents();
    expect(options.map((text) => text.replace(/ \(.*/, ''))).toEqual([
      'all',
      'flattering',
      'honest',
      'incoherent',
    ]);
    await page.goto(`${page.url().split('#')[0]}#/pairs?study=worded`);
    await page.locator('.pair-list th', { hasText: 'flattering completions' }).waitFor();
    await page.goto(`${page.url().split('#')[0]}#/?study=worded`);
    const example = page.locator('.example', { hasText: 'turns from flattering to honest' });
    await example.waitFor();
    await page.context().close();
  });

  it('is told of how many a share is', async () => {
    const page = await report.open('/latent/7');
    const dots = page.locator('.small-multiples figure').first().locator('svg circle');
    await dots.first().waitFor();
    await dots.first().scrollIntoViewIfNeeded();
    const box = (await dots.first().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tip = page.locator('.small-multiples figure').first().locator('g[aria-label=tip]');
    await tip.locator('tspan').first().waitFor();
    expect(await tip.textContent()).toMatch(/39\s%.*40 of 102 coherent, of 180 completions/);
    await page.context().close();
  });
});
