/** A text of one's own on the tiny reference, against a slow model in float64 and finite differences. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OwnTextRead } from '../../../src/results.ts';
import { readBaseline } from '../../../src/study/attribution/attributeRun.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { type Playground, playground } from '../../../src/study/playground/served.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { tiny as base, latents, layer, putAll, type TinyFolder, width } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-own-text-'));
const never = new AbortController().signal;
const asked = {
  latent: 5,
  prompt: 'What of this?',
  completion: ' A hen, I say.',
  model: 'reference',
} as const;
let tiny: TinyFolder;
let study: string;
let open: Playground;

beforeAll(async () => {
  tiny = await putAll(folder);
  study = putStudy(join(folder, 'study'), tiny, { reference: { model: tiny.model } });
  await runStudy({ study, cacheDir: tiny.cache, stages: ['sample', 'grade', 'pair', 'attribute'] });
  open = playground(study, { cacheDir: tiny.cache });
});
afterAll(async () => {
  await open.close();
  rmSync(folder, { recursive: true, force: true });
});

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

describe('a text of one’s own', () => {
  let found: OwnTextRead;
  beforeAll(async () => {
    found = await open.read(asked, never);
  });

  it('has δ by finite differences of its own loss, at every token of prompt and completion', async () => {
    const ids = [...found.prompt.ids, ...found.completion.ids];
    const start = found.prompt.ids.length;
    const residuals = slowResiduals(base, ids)[layer]!;
    const meanLoss = (rows: readonly (readonly number[])[]) => {
      const losses = slowLosses(
        slowHead(
          base,
          layer,
          rows.map((row) => [...row]),
        ),
        ids,
        start,
      );
      return losses.reduce((sum, x) => sum + x, 0) / losses.length;
    };
    expect(found.loss).toBeCloseTo(meanLoss(residuals), 5);
    const sae = await openSae(tiny.sae);
    const d = await sae.decoderRows(asked.latent, asked.latent + 1);
    const baseline = await readBaseline(join(study, 'attribution.safetensors'), width, layer);
    const told = [...found.prompt.delta, ...found.completion.delta];
    const step = 1e-4;
    let compared = 0;
    for (const [t, row] of residuals.entries()) {
      if (told[t] === null) continue;
      const moved = (by: number) =>
        residuals.map((own, at) => (at === t ? own.map((x, j) => x + by * d[j]!) : own));
      const slope = (meanLoss(moved(step)) - meanLoss(moved(-step))) / (2 * step);
      const projection = dot(row, d) - dot(baseline, d);
      expect(told[t]!).toBeCloseTo(-slope * projection, 5);
      compared++;
    }
    expect(compared).toBeGreaterThan(ids.length / 2);
    expect(Math.max(...told.map((x) => Math.abs(x ?? 0)))).toBeGreaterThan(1e-4);
  });

  it('has texts that come to what was given, and an activation where it is no sink', () => {
    expect(found.prompt.tokens.join('')).toContain(asked.prompt);
    expect(found.completion.tokens.join('')).toBe(asked.completion);
    for (const { activations, delta } of [found.prompt, found.completion])
      expect(activations.map((x) => x === null)).toEqual(delta.map((x) => x === null));
    const all = [...found.prompt.activations, ...found.completion.activations];
    expect(Math.max(...all.map((x) => x ?? 0))).toBeGreaterThan(0);
  });

  it('is another under the subject', async () => {
    const subject = await open.read({ ...asked, model: 'subject' }, never);
    expect(subject.prompt.ids).toEqual(found.prompt.ids);
    expect(subject.loss).not.toBeCloseTo(found.loss, 4);
  });
});

describe('refuses in one line', () => {
  it('a latent that the dictionary does not have', async () => {
    await expect(open.read({ ...asked, latent: latents }, never)).rejects.toThrow(
      `read: expected a latent below ${latents}, found ${latents}`,
    );
  });

  it('a text that is longer than the model takes', async () => {
    await expect(open.read({ ...asked, prompt: 'x '.repeat(400) }, never)).rejects.toThrow(
      /^read: expected at most the 256 tokens that the model takes, found \d+$/,
    );
  });

  it('a study that was not attributed', async () => {
    const early = playground(putStudy(join(folder, 'early'), tiny), { cacheDir: tiny.cache });
    try {
      await expect(early.read({ ...asked, model: 'subject' }, never)).rejects.toThrow(
        /^read: expected a study that has a baseline/,
      );
    } finally {
      await early.close();
    }
  });
});
