/**
 * The log-odds of a direction added or removed, and their estimate to first order: against the formulas' own
 * forward pass, at all tokens, the prompt's alone or the completion's, attention sinks left out of removal.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contrast } from '../../../src/methods/site/contrast.ts';
import type { SteeredTokens } from '../../../src/methods/steering/steer.ts';
import type { ForcedRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { type OpenModel, openModel } from '../../../src/study/open/openModel.ts';
import { forcedEffects } from '../../../src/study/steering/forcedEffects.ts';
import type { SteeringWork } from '../../../src/study/steering/work.ts';
import { slowHead, slowLosses, slowResiduals } from '../../support/slowLlama.ts';
import { layer, putAll, putModel, withSink } from '../../support/tinyFolder.ts';
import { held, latentsAs, madeWork, memoryJournal, norm, openTiny, options, signFor } from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-forced-'));
const model = withSink();
/** The token that is an attention sink. */
const sink = 'Q'.charCodeAt(0);
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
let withSinks: OpenModel;
let contrasts: Contrast[];
beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
  withSinks = await openModel(await putModel(join(folder, 'sink'), model));
  const [first, second] = opened.contrasts as [Contrast, Contrast];
  contrasts = [
    { ...first, prompt: first.prompt.toSpliced(3, 0, sink) },
    { ...second, positives: [[sink, ...second.positives[0]!]] },
  ];
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Both sides are the model with the sink, so that each operation can be held against the same formulas. */
function work(over: Partial<SteeringWork> = {}): SteeringWork {
  const made = madeWork(runtime, opened);
  const of = (s: number) => ({ opened: withSinks, norm: s });
  return { ...made, contrasts, sides: { away: of(norm.away), toward: of(norm.toward) }, ...over };
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

const residuals = new Map<string, number[][]>();
function residualOf(ids: readonly number[]): number[][] {
  const found = residuals.get(ids.join()) ?? slowResiduals(model, [...ids])[layer]!;
  residuals.set(ids.join(), found);
  return found;
}

const latents = [1, 21, 8];
const tokenSets = ['all', 'prompt', 'completion'] as const;

const covered = (tokens: SteeredTokens, place: number, prompt: number) =>
  tokens === 'all' || place < prompt === (tokens === 'prompt');

/** What `size` times an operation does to the row at a place; undefined where it has no part. */
type Move = (row: readonly number[], id: number) => ArrayLike<number> | undefined;

/** Log-odds gained by `size` times a move at the covered places, over all contrasts. */
function slowLogOdds(move: Move, tokens: SteeredTokens, size: number): number {
  const loss = (prompt: readonly number[], completion: readonly number[], by: number) => {
    const ids = [...prompt, ...completion];
    const moved = residualOf(ids).map((row, place) => {
      const way = covered(tokens, place, prompt.length) ? move(row, ids[place]!) : undefined;
      return way ? row.map((x, i) => x + by * way[i]!) : row;
    });
    return mean(slowLosses(slowHead(model, layer, moved), ids, prompt.length));
  };
  const gap = ({ prompt, positives, negatives }: Contrast, by: number) =>
    mean(positives.map((one) => loss(prompt, one, by))) - mean(negatives.map((one) => loss(prompt, one, by)));
  return mean(contrasts.map((contrast) => gap(contrast, 0) - gap(contrast, size)));
}

const unitOf = async (latent: number) => opened.dictionary.decoderRows(latent, latent + 1);

/** +α s σ d of a latent on the reference. */
async function adding(latent: number): Promise<Move> {
  const amount = options.gateDose * norm.toward * signFor(latent);
  const vector = (await unitOf(latent)).map((x) => amount * x);
  return () => vector;
}

/** −((a − ā)·d) d, at sinks nothing. */
async function removing(latent: number, sinks = false): Promise<Move> {
  const unit = await unitOf(latent);
  return (row, id) => {
    if (id === sink && !sinks) return undefined;
    const apart = dot(row, unit) - dot(held.baseline, unit);
    return unit.map((x) => -apart * x);
  };
}

it('the sink is one, and the only one', () => {
  for (const { prompt, positives, negatives } of contrasts)
    for (const completion of [...positives, ...negatives]) {
      const ids = [...prompt, ...completion];
      const norms = residualOf(ids).map((row) => Math.hypot(...row));
      const limit = 10 * norms.toSorted((a, b) => a - b)[(norms.length - 1) >> 1]!;
      expect(norms.map((one) => one > limit)).toEqual(ids.map((id) => id === sink));
    }
});

describe.each([
  ['add', 'toward', adding],
  ['remove', 'away', removing],
] as const)('%s', (operation, side, moveOf) => {
  const known = new Map<SteeredTokens, Promise<ForcedRecord[]>>();
  const measure = async (tokens: SteeredTokens) => {
    const made = work({ options: { ...options, tokens, heldTokens: tokens } });
    const directions = latentsAs('candidate', latents, opened.dictionary);
    const found = await forcedEffects(made, directions);
    return directions.map((one) => found.of(side, operation, one)!);
  };
  const measured = (tokens: SteeredTokens) => {
    const found = known.get(tokens) ?? measure(tokens);
    known.set(tokens, found);
    return found;
  };

  it.each(tokenSets)('%s: log-odds by running, and their slope', async (tokens) => {
    const found = await measured(tokens);
    for (const [n, latent] of latents.entries()) {
      const by = (size: number, move: Move) => slowLogOdds(move, tokens, size);
      const move = await moveOf(latent);
      const { log_odds, estimate, dose } = found[n]!;
      expect(dose).toBe(operation === 'add' ? options.gateDose : 0);
      expect(Math.abs(log_odds - by(1, move))).toBeLessThan(1e-5);
      expect(Math.abs(estimate - (by(1e-3, move) - by(-1e-3, move)) / 2e-3)).toBeLessThan(1e-4);
    }
    const apart = tokenSets.filter((one) => one !== tokens);
    for (const other of apart) {
      const others = await measured(other);
      found.forEach(({ log_odds, estimate }, n) => {
        expect(Math.abs(log_odds - others[n]!.log_odds)).toBeGreaterThan(1e-5);
        expect(Math.abs(estimate - others[n]!.estimate)).toBeGreaterThan(1e-5);
      });
    }
  });

  it('the estimate errs as the square of the step', async () => {
    const found = await measured('all');
    const errors = [0, 0];
    for (const [n, latent] of latents.entries()) {
      const move = await moveOf(latent);
      [0.2, 0.1].forEach((size, k) => {
        errors[k]! += Math.abs(slowLogOdds(move, 'all', size) - size * found[n]!.estimate);
      });
    }
    expect(errors[0]! / errors[1]!).toBeGreaterThan(3.2);
    expect(errors[0]! / errors[1]!).toBeLessThan(4.8);
  });
});

it('removal would come to something else with the sinks', async () => {
  for (const latent of latents) {
    const [without, sinks] = [await removing(latent), await removing(latent, true)];
    expect(Math.abs(slowLogOdds(without, 'all', 1) - slowLogOdds(sinks, 'all', 1))).toBeGreaterThan(1e-3);
  }
});

describe('the journal', () => {
  it('keeps what each operation is made of: of other tokens, means or signs it is measured anew', async () => {
    const journal = memoryJournal();
    const of = async (over: Partial<SteeringWork>, sign: 1 | -1 = 1) => {
      const [one] = latentsAs('candidate', [1], opened.dictionary);
      const found = await forcedEffects(work({ journal, ...over }), [{ ...one!, sign }]);
      return [found.of('away', 'add', one!)!.log_odds, found.of('away', 'remove', one!)!.log_odds] as const;
    };
    const [added, removed] = await of({});
    const size = journal.records.size;
    expect(size).toBe(3);
    const tokens = await of({ options: { ...options, tokens: 'completion' } });
    expect(tokens[0]).not.toBe(added);
    expect(tokens[1]).toBe(removed);
    const means = await of({ held: { ...held, baseline: held.subject, hash: 'other' } });
    expect(means[0]).toBe(added);
    expect(means[1]).not.toBe(removed);
    const sign = await of({}, -1);
    expect(Math.sign(sign[0])).toBe(-Math.sign(added));
    expect(sign[1]).toBe(removed);
    expect(await of({})).toEqual([added, removed]);
    expect(journal.records.size).toBe(size);
  });
});
