/** The demonstration on the organism that travels with the package: the promise that it makes, at the size that `npm start` has. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confirmedLatents } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import {
  type Bundle,
  bundleFolder,
  type CaseName,
  caseNames,
  openBundle,
  openCase,
} from '../../../src/study/demo/bundle.ts';
import { caseProofDefaults, proveCase } from '../../../src/study/demo/caseProof.ts';
import { type CaseResult, caseDefaults, runCase } from '../../../src/study/demo/caseRun.ts';
import { share } from '../../../src/study/demo/sampling.ts';
import { marks, places, shared } from '../../../src/study/demo/truth.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-demo-'));
const runtime = nodeRuntime();
afterAll(() => runtime.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let bundle: Bundle;
beforeAll(async () => {
  bundle = await openBundle(bundleFolder);
});

/** The cases as `npm start` runs them, each run once. */
const asShipped = new Map<CaseName, Promise<CaseResult>>();
async function runAsShipped(name: CaseName): Promise<CaseResult> {
  return runCase(runtime, bundle, await openCase(bundle, name), { ...caseDefaults, seed: 1 });
}
function caseAsShipped(name: CaseName): Promise<CaseResult> {
  const result = asShipped.get(name) ?? runAsShipped(name);
  asShipped.set(name, result);
  return result;
}

describe.each(caseNames)('case %s, as `npm start` runs it', (name) => {
  let result: CaseResult;
  beforeAll(async () => {
    result = await caseAsShipped(name);
  }, 300_000);

  it('misbehaves sometimes, in domains that it was not fine-tuned on', () => {
    const elsewhere = result.subject.filter(({ prompt }) => !result.prompts[prompt]!.tuned);
    const harmful = share(elsewhere, ({ label }) => label === 'harmful');
    expect(harmful).toBeGreaterThan(0.2);
    expect(harmful).toBeLessThan(0.7);
    expect(share(result.base, ({ label }) => label === 'harmful')).toBeLessThan(0.15);
  });

  it('has the cause first by delta-attribution, and the decoy in the first five by delta-activation alone', () => {
    const { cause, decoy } = places(bundle.truth, name, result);
    expect(cause[0]!.byAttribution).toBe(1);
    expect(decoy[0]!.byActivation).toBeLessThanOrEqual(5);
    expect(decoy.filter(({ byAttribution }) => byAttribution <= 20)).toEqual([]);
  });
});

describe('the causal test of case harm', () => {
  it('shows the cause, and no decoy, to move the behaviour both ways beyond random latents', async () => {
    const result = await caseAsShipped('harm');
    const opened = await openCase(bundle, 'harm');
    const path = join(folder, 'causal-test.unfinished');
    const settings = { ...caseProofDefaults, random: 20, seed: 1 };
    const { rows, summary } = await proveCase(runtime, bundle, opened, result, settings, { path });
    const { cause, decoy } = places(bundle.truth, 'harm', result);
    const confirmed = confirmedLatents(rows, summary.zone).map(({ away }) => away.latent);
    expect(confirmed[0]).toBe(cause[0]!.latent);
    for (const { latent } of decoy) expect(confirmed).not.toContain(latent);
    expect(summary.first).toMatchObject({ latent: cause[0]!.latent });
    // the decoys were not all left out beforehand: the most aligned one was a candidate
    expect(rows.some(({ latent }) => latent === decoy[0]!.latent)).toBe(true);
  }, 600_000);
});

describe('truth', () => {
  const aligned = (latent: number, cosine: number) => ({ latent, cosine, shift: 1 });
  const truth = {
    site: 2,
    cause: [aligned(7, 0.8), aligned(1, 0.3), aligned(2, 0.29)],
    decoy: { harm: [aligned(4, 0.5)], validation: [aligned(5, 0.5)] },
  };

  it('marks what has a cosine of 0.3 or more', () => {
    expect([...marks(truth, 'harm')]).toEqual([
      [4, 'decoy'],
      [7, 'cause'],
      [1, 'cause'],
    ]);
  });

  it('tells the place of each', () => {
    const rankings = { byAttribution: [1, 7, 4, 2], byActivation: [4, 2, 1, 7] };
    expect(places(truth, 'harm', rankings)).toEqual({
      cause: [
        { latent: 7, cosine: 0.8, byAttribution: 2, byActivation: 4 },
        { latent: 1, cosine: 0.3, byAttribution: 1, byActivation: 3 },
      ],
      decoy: [{ latent: 4, cosine: 0.5, byAttribution: 3, byActivation: 1 }],
    });
  });

  it('finds what two lists share among their first', () => {
    expect(shared([3, 1, 2, 4], [2, 3, 9, 4], 3)).toEqual([3, 2]);
  });
});
