/**
 * Removal at further token sets, removal by the encoder and a system message, in a whole causal test on the tiny
 * subject: completions against a sampler that is told the change directly, rows against the records by hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleJob, sampler } from '../../../src/methods/completions/sample.ts';
import { latentSubtracted, projectionsHeldAt, type Steering } from '../../../src/methods/steering/steer.ts';
import { directionEffects, type Operation, type TrialRecord, verdictOf } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { type CausalTest, testCausally } from '../../../src/study/steering/causalTest.ts';
import { latentDirection } from '../../../src/study/steering/direction.ts';
import { sinkNorms } from '../../../src/study/steering/sinkNorms.ts';
import { steeringRows, zonesOf } from '../../../src/study/steering/steeringResult.ts';
import { steeringSummary } from '../../../src/study/steering/steeringSummary.ts';
import { withSystem } from '../../../src/study/steering/systemMessage.ts';
import type { SteeringPrompt, SteeringWork } from '../../../src/study/steering/work.ts';
import { layer, putAll } from '../../support/tinyFolder.ts';
import {
  held,
  latentsAs,
  madeWork,
  memoryJournal,
  openTiny,
  options,
  seedOf,
  unitDirection,
} from './madeWork.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-further-'));
const candidates = [1, 5, 8];
const controls = [2, 3, 11, 17];
const message = 'Be brief.';
let runtime: Runtime;
let opened: Awaited<ReturnType<typeof openTiny>>;
let work: SteeringWork;
let test: CausalTest;

const further = { ...options, heldTokens: 'completion', furtherHeld: ['prompt', 'all'] } as const;

beforeAll(async () => {
  runtime = nodeRuntime({ threads: 1 });
  opened = await openTiny(await putAll(folder));
  const { codec } = opened.subject;
  const ids = new Map(
    opened.prompts.evaluation.map(({ id, prompt }) => [id, codec.encodePrompt(withSystem(prompt, message))]),
  );
  work = madeWork(runtime, opened, {
    candidates: latentsAs('candidate', candidates, opened.dictionary),
    controls: latentsAs('random', controls, opened.dictionary),
    others: [unitDirection('probe', 'comparison', 2)],
    encoder: opened.dictionary,
    system: { text: message, ids },
    options: further,
    journal: memoryJournal(),
  });
  test = await testCausally(work);
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const trialOf = (operation: Operation, direction: string): TrialRecord =>
  test.trials.find(
    (one) => one.operation === operation && one.direction === direction && one.part === 'evaluation',
  )!;

/** The texts of the evaluation prompts (the first three of five: the rest are kept aside), sampled directly. */
async function textsOf(
  idsOf: (prompt: SteeringPrompt) => readonly number[],
  steering: Steering | undefined,
): Promise<string[]> {
  const norms = sinkNorms(work, 'away');
  const prompts = work.prompts.evaluation.slice(0, 3);
  const jobs = await Promise.all(
    prompts.map(
      async (prompt): Promise<SampleJob> => ({
        prompt: idsOf(prompt),
        seeds: Array.from({ length: options.completions }, (_, index) =>
          seedOf(options.seed, prompt.id, index),
        ),
        steer: steering && { ...steering, sinkNorm: await norms.of(prompt.ids) },
      }),
    ),
  );
  const { model, codec } = opened.subject;
  const own = await sampler(runtime, model, {
    rows: 5,
    capacity: 80,
    steerAt: layer,
    projections: 1,
    subtractable: { sae: opened.dictionary, latents: [5] },
  });
  const found: string[] = [];
  const { temperature, maxTokens } = options.sampling;
  await own.sample(jobs, { temperature, maxTokens, endIds: codec.endOfTurnIds }, (job, index, { ids }) => {
    found[job * options.completions + index] = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
  });
  await own.release();
  await norms.release();
  return found;
}

const saidUnder = (operation: Operation, direction: string) =>
  trialOf(operation, direction).completions.map(({ text }) => text);

describe('what is said', () => {
  it('by the encoder: with z_5 d_5 subtracted at the first token set', async () => {
    const [direction] = await latentDirection(opened.dictionary, 5, { role: 'candidate', sign: 1 }).vectors();
    const expected = await textsOf(({ ids }) => ids, latentSubtracted(5, direction!, 'completion'));
    expect(saidUnder('subtract', 'latent 5')).toEqual(expected);
  });

  it.each([
    ['remove', 'completion'],
    ['remove_prompt', 'prompt'],
    ['remove_all', 'all'],
  ] as const)('under %s: with the projection held at tokens %s', async (operation, tokens) => {
    const [direction] = await latentDirection(opened.dictionary, 5, { role: 'candidate', sign: 1 }).vectors();
    const expected = await textsOf(
      ({ ids }) => ids,
      projectionsHeldAt([direction!], held.baseline, { tokens }),
    );
    expect(saidUnder(operation, 'latent 5')).toEqual(expected);
  });

  it('with a system message: as from the prompts that begin with it', async () => {
    const expected = await textsOf(({ id }) => work.system!.ids.get(id)!, undefined);
    expect(saidUnder('system', 'system message')).toEqual(expected);
    expect(expected).not.toEqual(await textsOf(({ ids }) => ids, undefined));
  });
});

const rows = () =>
  steeringRows({ test, zones: zonesOf(test, 1), ranks: new Map(), options: { ...options, ...further } });

describe('rows', () => {
  it('each stands apart, with the tokens at which it acts', () => {
    const all = rows();
    const tokens = (direction: string) =>
      Object.fromEntries(
        all
          .filter((row) => row.direction === direction && row.side === 'away')
          .map((row) => [row.operation, row.tokens]),
      );
    const removals = { remove: 'completion', remove_prompt: 'prompt', remove_all: 'all' };
    expect(tokens('latent 8')).toEqual({ ...removals, subtract: 'completion', add: 'all' });
    expect(tokens('probe')).toEqual({ ...removals, add: 'all' });
    expect(tokens('latent 1 + 5')).toEqual(removals);
    expect(tokens('system message')).toEqual({ system: null });
  });

  it('effects are of their own completions, and of a control group of their own', () => {
    const all = rows();
    for (const operation of ['subtract', 'remove_prompt', 'remove_all'] as const) {
      const random = all.filter((row) => row.operation === operation && row.role === 'random');
      expect(random).toHaveLength(controls.length);
      const effects = random.map(({ effect }) => effect!);
      const mean = effects.reduce((a, b) => a + b) / effects.length;
      const row = all.find((one) => one.operation === operation && one.latent === 5)!;
      const { completions } = trialOf(operation, 'latent 5');
      const coherent = completions.filter((one) => one.coherent);
      const positives = coherent.filter(({ label }) => label === 'positive').length;
      expect([row.n, row.coherent, row.positives]).toEqual([completions.length, coherent.length, positives]);
      expect(row.effect).toBeCloseTo(
        positives / coherent.length - row.alone_positives / row.alone_coherent,
        10,
      );
      expect(row.effect_minus_random).toBeCloseTo(row.effect! - mean, 10);
      expect(row.verdict).not.toBeNull();
      expect(row.way).not.toBeUndefined();
    }
  });

  it('a system message has an effect and no test', () => {
    const row = rows().find(({ operation }) => operation === 'system')!;
    expect([row.role, row.latent, row.verdict, row.p]).toEqual(['comparison', null, null, null]);
    expect(row.n).toBe(12);
    expect(row.effect).not.toBeNull();
    expect(row.aside_n).toBe(8);
  });

  it('the verdict of a latent is that of removal and steering alone', () => {
    const own = ['remove', 'add'];
    const without = rows().filter(({ operation }) => own.includes(operation));
    const verdicts = (some: typeof without) =>
      directionEffects(some)
        .filter(({ role }) => role === 'candidate')
        .map((one) => verdictOf(one));
    expect(verdicts(rows())).toEqual(verdicts(without));
  });
});

it('the summary has a gray zone of each, and the message', () => {
  const { zone, system } = steeringSummary(test, zonesOf(test, 1), rows(), {
    behaviour: 'made',
    site: `resid_post ${layer}`,
    work,
    candidates: [{ selector: 'made', about: 'made', latents: candidates }],
    comparisons: [],
  });
  expect(system).toBe(message);
  for (const place of ['subtract', 'remove_prompt', 'remove_all'] as const)
    expect(zone[place]!.effects).toBe(controls.length);
  expect(zone.remove_completion).toBeUndefined();
});

it('a message stands before a system message of the prompt, and before a text', () => {
  const user = { role: 'user', content: 'Hello' };
  expect(withSystem([user], message)).toEqual([{ role: 'system', content: message }, user]);
  expect(withSystem([{ role: 'system', content: 'Own.' }, user], message)).toEqual([
    { role: 'system', content: `${message}\n\nOwn.` },
    user,
  ]);
  expect(withSystem('Hello', message)).toBe(`${message}\n\nHello`);
});
