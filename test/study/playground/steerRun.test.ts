/**
 * Steered completions beside the same left alone, on the tiny subject; against the sampler with the change
 * worked out by hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../../../src/files/safetensors.ts';
import { sampler } from '../../../src/methods/completions/sample.ts';
import { residualPass } from '../../../src/methods/site/residuals.ts';
import { combined, type Intervention } from '../../../src/methods/steering/steer.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import {
  type AskedIntervention,
  type SteerRequest,
  steerPrompts,
  studySteering,
} from '../../../src/study/playground/steerRequest.ts';
import { runSteer } from '../../../src/study/playground/steerRun.ts';
import { f32, toFloat32 } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';
import {
  context,
  latents,
  layer,
  put,
  putAll,
  putSae,
  type TinyFolder,
  width,
} from '../../support/tinyFolder.ts';
import { normal } from '../../support/tinyModel.ts';
import { putStudy, prompts as studyPrompts } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
const at = (...parts: string[]) => join(folder, ...parts);
let tiny: TinyFolder;
let runtime: Runtime;
const prompts = ['The hen sat', 'What of the hat in the barn?'];
const maxTokens = 12;
/** A vector of norm 5 or so. */
const published = normal(draw(3), [width], 1.25);

beforeAll(async () => {
  tiny = await putAll(folder);
  runtime = nodeRuntime();
  await writeSafetensors(at('v.safetensors'), { v: published }, { site: `resid_post ${layer}` });
  await writeSafetensors(at('other.safetensors'), { v: published }, { site: 'resid_post 0' });
  await writeSafetensors(at('nowhere.safetensors'), { v: published });
  await writeSafetensors(at('wide.safetensors'), { v: f32([3], [1, 2, 3]) });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const request = (change: Partial<SteerRequest> = {}): SteerRequest => ({
  model: tiny.model,
  adapter: tiny.adapter,
  sae: tiny.sae,
  variants: [[{ latent: 3, kind: 'add', dose: 0.5 }]],
  prompts,
  maxTokens,
  ...change,
});

/** The texts of one intervention, prompt by prompt and seed by seed. */
async function texts(asked: readonly AskedIntervention[], change: Partial<SteerRequest> = {}) {
  const { comparisons, ...rest } = await runSteer(request({ ...change, variants: [asked] }));
  return {
    ...rest,
    alone: comparisons.map(({ unsteered }) => unsteered.text),
    steered: comparisons.map(({ steered }) => steered[0]!.text),
  };
}

/** What the sampler says when it is given the interventions themselves. */
async function byHand(interventions: readonly Intervention[]) {
  const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter });
  const made = await sampler(runtime, model, { capacity: context, steerAt: layer, projections: 2 });
  const found: string[][] = [[], []];
  const jobs = prompts.map((prompt) => ({
    prompt: codec.encodePrompt(prompt),
    seeds: [1, 2],
    ...(interventions.length > 0 && { steer: combined(interventions) }),
  }));
  await made.sample(jobs, { maxTokens, endIds: codec.endOfTurnIds }, (job, completion, { ids }) => {
    found[job]![completion] = codec.tokenizer.decode(ids, { skipSpecialTokens: true });
  });
  await made.release();
  return found.flat();
}

/** s by hand: mean norm at the site over the prompts' tokens. */
async function norm() {
  const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter });
  const pass = await residualPass(runtime, model, layer);
  const norms: number[] = [];
  for (const prompt of prompts) {
    const { activation, places } = await pass.run(codec.encodePrompt(prompt));
    for (const t of places) norms.push(Math.hypot(...activation.subarray(t * width, (t + 1) * width)));
  }
  await pass.release();
  return norms.reduce((sum, x) => sum + x, 0) / norms.length;
}

const latentDirection = async (i: number) => (await openSae(tiny.sae)).decoderRows(i, i + 1);
const unitVector = () => {
  const length = Math.hypot(...published.data);
  return published.data.map((x) => x / length);
};

describe('a dose', () => {
  it('of 0 changes nothing; a strong one does; the result says where and how much', async () => {
    const s = await norm();
    const { comparisons, ...rest } = await runSteer(
      request({
        variants: [0, 0.5, -2].map((dose) => [{ latent: 3, kind: 'add', dose }]),
        samples: 2,
        seed: 1,
      }),
    );
    expect(rest.layer).toBe(layer);
    expect(rest.norm).toBeCloseTo(s, 4);
    expect(comparisons.map(({ prompt, seed }) => [prompt, seed])).toEqual(
      prompts.flatMap((prompt) => [1, 2].map((seed) => [prompt, seed])),
    );
    for (const { unsteered, steered } of comparisons) {
      const [none, some, strong] = steered;
      expect(none).toEqual({ ...unsteered, interventions: [{ latent: 3, kind: 'add', dose: 0 }] });
      expect([some!.text, strong!.text]).not.toContain(unsteered.text);
    }
    expect(comparisons.map(({ unsteered }) => unsteered.text)).toEqual(await byHand([]));
    expect(comparisons.map(({ steered }) => steered[1]!.text)).toEqual(
      await byHand([{ kind: 'add', direction: await latentDirection(3), amount: 0.5 * s }]),
    );
  });

  it('of a vector counts s along its unit, or raw the vector as published', async () => {
    const vector = at('v.safetensors');
    const along = { kind: 'add', direction: unitVector() } as const;
    const length = Math.hypot(...published.data);
    const scaled = await texts([{ vector, kind: 'add', dose: -0.7 }], { sae: undefined });
    expect(scaled.steered).toEqual(await byHand([{ ...along, amount: -0.7 * scaled.norm }]));
    expect([...scaled.vectors]).toEqual([[vector, { name: 'v', norm: expect.closeTo(length, 5) }]]);
    const raw = await texts([{ vector, kind: 'add', dose: 2 }], { scale: 'raw' });
    expect(raw.steered).toEqual(await byHand([{ ...along, amount: 2 * length }]));
  });

  it('at the tokens of a part differs from the same at all', async () => {
    const asked = [{ latent: 3, kind: 'add', dose: 0.8 }] as const;
    const found = await Promise.all(
      (['all', 'prompt', 'completion'] as const).map((tokens) => texts(asked, { tokens })),
    );
    expect(new Set(found.map(({ steered }) => steered.join())).size).toBe(3);
    expect(new Set(found.map(({ alone }) => alone.join())).size).toBe(1);
  });
});

describe('a projection', () => {
  it("ablated is the baseline's", async () => {
    const mean = toFloat32(
      await readTensor((await readSafetensorsHeader(tiny.baseline)).tensors.get('mean')!),
    );
    const direction = await latentDirection(3);
    const value = direction.reduce((sum, x, i) => sum + x * mean[i]!, 0);
    const { steered } = await texts([{ latent: 3, kind: 'ablate' }], { baseline: tiny.baseline });
    expect(steered).toEqual(await byHand([{ kind: 'set', direction, value }]));
  });

  it.each(['set', 'cap'] as const)('%s: in parts of s, or raw', async (kind) => {
    const direction = await latentDirection(5);
    const inParts = await texts([{ latent: 5, kind, value: 0.5 }]);
    expect(inParts.steered).toEqual(await byHand([{ kind, direction, value: 0.5 * inParts.norm }]));
    const raw = await texts([{ latent: 5, kind, value: -1.5 }], { scale: 'raw' });
    expect(raw.steered).toEqual(await byHand([{ kind, direction, value: -1.5 }]));
  });

  it('of two latents and a vector at once', async () => {
    const asked: AskedIntervention[] = [
      { latent: 3, kind: 'set', value: 0.4 },
      { latent: 12, kind: 'cap', value: -0.2 },
      { vector: at('v.safetensors'), kind: 'add', dose: 0.3 },
    ];
    const found = await texts(asked);
    expect(found.steered).toEqual(
      await byHand([
        { kind: 'set', direction: await latentDirection(3), value: 0.4 * found.norm },
        { kind: 'cap', direction: await latentDirection(12), value: -0.2 * found.norm },
        { kind: 'add', direction: unitVector(), amount: 0.3 * found.norm },
      ]),
    );
  });
});

it('a text is a user message where that is asked for and the model has a template', async () => {
  const said = await texts([{ latent: 3, kind: 'add', dose: 0 }], { textIsMessage: true });
  const chat = prompts.map((content) => [{ role: 'user', content }]);
  expect(said.alone).toEqual((await texts([{ latent: 3, kind: 'add', dose: 0 }], { prompts: chat })).alone);
  expect(said.alone).not.toEqual((await texts([{ latent: 3, kind: 'add', dose: 0 }])).alone);
});

it('a study gives model, dictionary, sampling and a prompt for evaluation', async () => {
  const study = putStudy(at('study'), tiny, {
    baseline: { file: tiny.baseline },
    prompts: { file: 'prompts.jsonl', discovery: 1, evaluation: 1, calibration: 1 },
  });
  const { base, prompt } = await studySteering(study);
  const shown = await prompt();
  expect(base).toMatchObject({ model: tiny.model, adapter: tiny.adapter, sae: tiny.sae, maxTokens: 12 });
  expect(base.baseline).toBe(tiny.baseline);
  expect(studyPrompts.map((one) => one.prompt)).toContain(shown);
  const { comparisons } = await runSteer({
    ...base,
    variants: [[{ latent: 1, kind: 'ablate' }]],
    prompts: [shown],
  });
  expect(comparisons).toHaveLength(2);
});

it('prompts of a file stand as they are, a named field is a message', async () => {
  const file = put(at('p.jsonl'), [
    { prompt: 'a', q: 'b' },
    { prompt: [{ role: 'user', content: 'c' }], q: 'd' },
  ]);
  expect(await steerPrompts(file)).toEqual(['a', [{ role: 'user', content: 'c' }]]);
  expect(await steerPrompts(file, 'q')).toEqual(['b', 'd'].map((content) => [{ role: 'user', content }]));
});

describe('is refused in one line', () => {
  const add = (target: object) => [[{ ...target, kind: 'add', dose: 1 } as AskedIntervention]];
  const wrong: Readonly<
    Record<string, [() => Partial<SteerRequest> | Promise<Partial<SteerRequest>>, RegExp]>
  > = {
    'no prompts': [() => ({ prompts: [] }), /^no prompts: add --prompt or --prompts$/],
    'nothing to steer': [() => ({ variants: [[]] }), /^nothing to steer along: add --latent or --vector$/],
    'a latent twice': [
      () => ({ variants: [[...add({ latent: 3 })[0]!, ...add({ latent: 3 })[0]!]] }),
      /^latent 3: expected once, found twice$/,
    ],
    'no baseline': [
      () => ({ variants: [[{ latent: 3, kind: 'ablate' }]] }),
      /^--ablate needs a baseline: add --baseline FILE \(made by `culprit baseline`\), or name a study/,
    ],
    'no SAE': [() => ({ sae: undefined }), /^no SAE for the latents: add --sae$/],
    'a latent beyond': [
      () => ({ variants: add({ latent: latents }) }),
      /^latent 40: the SAE \S+ has latents 0 to 39$/,
    ],
    'an SAE of another width': [
      async () => ({ sae: await putSae(at('narrow'), { d: 12 }) }),
      /^SAE of width 12 \(\S+\) does not fit the model's residual width 16$/,
    ],
    'another site than the SAE': [() => ({ site: 0 }), /^--site 0: the SAE \S+ was trained on resid_post 1/],
    'a site beyond the model': [
      () => ({ sae: undefined, site: 9, variants: add({ vector: at('nowhere.safetensors') }) }),
      /^site resid_post 9: \S+ has blocks 0 to 2$/,
    ],
    'a vector without a site': [
      () => ({ sae: undefined, variants: add({ vector: at('nowhere.safetensors') }) }),
      /nowhere\.safetensors: does not say its site: name the layer with --site$/,
    ],
    'vectors of two sites': [
      () => ({ variants: [[...add({ latent: 3 })[0]!, ...add({ vector: at('other.safetensors') })[0]!]] }),
      /other\.safetensors: a vector of resid_post 0, but resid_post 1 is steered$/,
    ],
    'a vector of another width': [
      () => ({ site: 1, variants: add({ vector: at('wide.safetensors') }) }),
      /wide\.safetensors: expected a vector of the model's residual width 16, found 3$/,
    ],
    'projections that depend on each other': [
      async () => {
        const row = await latentDirection(3);
        await writeSafetensors(at('same.safetensors'), { v: f32([width], row) });
        return {
          variants: [
            [
              { latent: 3, kind: 'set', value: 1 },
              { vector: at('same.safetensors'), kind: 'cap', value: 1 },
            ],
          ],
        };
      },
      /^latent 3, \S+: cannot be set or capped together: one direction lies in the span of the others$/,
    ],
    'a prompt too long': [
      () => ({ prompts: ['z'.repeat(context)] }),
      /^prompt 1 \("z+\.\.\."\): has 256 tokens: with 12 of a completion it exceeds the 256 that the model takes$/,
    ],
    'a dose that is no number': [
      () => ({ variants: [[{ latent: 3, kind: 'add', dose: Number.NaN }]] }),
      /^latent 3: expected a finite amount, found NaN$/,
    ],
  };

  it.each(Object.entries(wrong))('%s', async (_, [change, line]) => {
    const error = await runSteer(request(await change())).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'InputError', message: expect.stringMatching(line) });
  });
});
