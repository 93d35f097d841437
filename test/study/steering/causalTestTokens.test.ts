/**
 * The log-odds where only the prompt's tokens are steered, or only the completion's: against the formulas'
 * own forward pass.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Contrast } from '../../../src/methods/site/contrast.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { forcedEffects } from '../../../src/study/steering/forcedEffects.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { layer, putAll, tiny } from '../../support/tinyFolder.ts';
import { madeWork, memoryJournal, norm, openTiny, options } from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-tokens-'));
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Log-odds gained by `size` times the vector at the covered places. */
function slowLogOdds(
  { prompt, positives, negatives }: Contrast,
  vector: ArrayLike<number>,
  size: number,
  covers: (place: number, prompt: number) => boolean,
): number {
  const loss = (completion: readonly number[], by: number) => {
    const ids = [...prompt, ...completion];
    const moved = slowResiduals(tiny, ids)[layer]!.map((a, place) =>
      a.map((x, i) => x + (covers(place, prompt.length) ? by * vector[i]! : 0)),
    );
    return mean(slowLosses(slowHead(tiny, layer, moved), ids, prompt.length));
  };
  const gap = (by: number) =>
    mean(positives.map((one) => loss(one, by))) - mean(negatives.map((one) => loss(one, by)));
  return gap(0) - gap(size);
}

it.each([
  ['prompt', (place: number, prompt: number) => place < prompt],
  ['completion', (place: number, prompt: number) => place >= prompt],
] as const)('the %s’s alone: effect, and its estimate to first order', async (tokens, covers) => {
  const latents = [1, 8, 33];
  const steer = { options: { ...options, tokens }, journal: memoryJournal() };
  const found = await forcedEffects(madeWork(runtime, opened, steer), 'toward', latents);
  const everywhere = await forcedEffects(madeWork(runtime, opened), 'toward', latents);
  for (const latent of latents) {
    const unit = await opened.dictionary.decoderRows(latent, latent + 1);
    const vector = unit.map((x) => options.gateDose * norm.toward * x);
    const by = (size: number) =>
      mean(opened.contrasts.map((contrast) => slowLogOdds(contrast, vector, size, covers)));
    const { log_odds, estimate } = found.get(latent)!;
    expect(Math.abs(log_odds - by(1))).toBeLessThan(1e-5);
    expect(Math.abs(estimate - (by(1e-3) - by(-1e-3)) / 2e-3)).toBeLessThan(1e-4);
    expect(Math.abs(log_odds - everywhere.get(latent)!.log_odds)).toBeGreaterThan(1e-4);
    expect(Math.abs(estimate - everywhere.get(latent)!.estimate)).toBeGreaterThan(1e-4);
  }
});

it('log-odds of other tokens are not taken from the journal', async () => {
  const journal = memoryJournal();
  const of = async (tokens: typeof options.tokens) =>
    (
      await forcedEffects(
        madeWork(runtime, opened, { journal, options: { ...options, tokens } }),
        'away',
        [1],
      )
    ).get(1)!.log_odds;
  const all = await of('all');
  expect(await of('completion')).not.toBe(all);
  expect(await of('all')).toBe(all);
});
