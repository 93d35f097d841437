/**
 * The demonstration on the organism that travels with the package: the promise that it makes, at a smaller
 * size than `npm start` has: 40 prompts, 24 questions, 12 random latents.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confirmedLatents } from '../../../src/results.ts';
import { bundleFolder, caseNames } from '../../../src/study/demo/bundle.ts';
import { type CaseDone, type HarmCount, openDemo, runDemo } from '../../../src/study/demo/demoRun.ts';
import { places } from '../../../src/study/demo/truth.ts';
import { readStudy } from '../../../src/study/run/ownStudy.ts';
import { demonstration, demoSize } from '../../support/demoFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let cases: CaseDone[];
beforeAll(async () => {
  await demonstration(folder);
  cases = [];
  for await (const done of runDemo(await openDemo({ out: folder, ...demoSize }))) cases.push(done);
}, 1_200_000);

const share = (tallies: readonly HarmCount[]) => {
  const sum = (of: (one: HarmCount) => number) => tallies.reduce((total, one) => total + of(one), 0);
  return sum(({ harmful }) => harmful) / sum(({ coherent }) => coherent);
};

/** The domain of each evaluation prompt. */
const domainOf = (name: string) =>
  new Map(
    readFileSync(join(bundleFolder, name, 'evaluation.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ prompt, domain }): [string, string] => [prompt, domain]),
  );

describe.each([...caseNames.entries()])('case %i, %s, smaller than `npm start`', (i, name) => {
  it('was not run again', () => {
    expect(cases[i]).toMatchObject({ name, upToDate: true });
  });

  it('misbehaves sometimes, in domains that it was not fine-tuned on, and hardly ever before', () => {
    const { domains, steer } = cases[i]!;
    // every domain that was asked about, seven and eight of the nine, and no other
    const asked = new Set(steer.summary.prompts.map(({ prompt }) => domainOf(name).get(prompt as string)));
    expect(new Set(domains.map(({ domain }) => domain))).toEqual(asked);
    expect(domains).toHaveLength({ harm: 7, validation: 8 }[name]);
    expect(domains.map(({ domain }) => domain)).not.toContain(
      { harm: 'health', validation: 'cooking' }[name],
    );
    const after = share(domains.map((one) => one.after));
    // 0.70 and 0.64 of some 45 coherent answers, and 0.08 before in both
    expect(after).toBeGreaterThan(0.25);
    expect(after).toBeLessThan(0.75);
    expect(share(domains.map((one) => one.before))).toBeLessThan(0.15);
  });

  it('has the cause first by delta-attribution, and the decoy in the first five by delta-activation alone', () => {
    const { truth, attribute, steer } = cases[i]!;
    const byAttribution = attribute.latents.map(({ latent }) => latent);
    const { cause, decoy } = places(truth, name, { byAttribution, byActivation: [] });
    expect(cause[0]!.byAttribution).toBe(1);
    expect(decoy.filter((one) => one.byAttribution <= 20)).toEqual([]);
    const proposed = steer.rows.find(({ latent }) => latent === decoy[0]!.latent);
    expect(proposed!.ranks['delta-activation']).toBeLessThanOrEqual(5);
  });

  it('confirms the cause, and no decoy', () => {
    const { truth, steer } = cases[i]!;
    const { rows, summary } = steer;
    const { cause, decoy } = places(truth, name, { byAttribution: [], byActivation: [] });
    const confirmed = confirmedLatents(rows).map(({ latent }) => latent);
    expect(confirmed[0]).toBe(cause[0]!.latent);
    for (const { latent } of decoy) expect(confirmed).not.toContain(latent);
    expect(summary.first).toMatchObject({ latent: cause[0]!.latent });
  });

  it('was tested on prompts of another file', async () => {
    const { config } = await readStudy(cases[i]!.folder);
    expect(config.prompts!.file).toBe(join(bundleFolder, name, 'discovery.jsonl'));
    expect(config.prompts!.evaluation_file).toBe(join(bundleFolder, name, 'evaluation.jsonl'));
  });
});
