/**
 * The main job against PyTorch: `runAttribute` on the real model, adapter, SAE and pairs. Needs ../shared.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { ranking } from '../../src/methods/attribution/attribute.ts';
import type { TokenSet } from '../../src/methods/site/contrast.ts';
import type * as site from '../../src/methods/site/siteGradient.ts';
import type { Model } from '../../src/models/decoder.ts';
import type { Tree } from '../../src/models/tree.ts';
import type { Runtime, Session } from '../../src/runtime/runtime.ts';
import { type AttributeRequest, runAttribute } from '../../src/study/attribution/attributeRun.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { expectClose, greatest } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

/** Of the greatest |delta|: float32 over 30 blocks and 42 pairs. */
const tolerance = 1e-3;

/**
 * The two top lists hold the same latents, but for those whose golden value is within the tolerance of the
 * last's.
 */
function expectSameTop(found: Float32Array, golden: Float32Array, count = 100): void {
  const [a, b] = [ranking(found).subarray(0, count), ranking(golden).subarray(0, count)];
  const tie = tolerance * greatest(golden);
  const last = golden[b[count - 1]!]!;
  const differing = [
    ...a.filter((latent) => !b.includes(latent)),
    ...b.filter((latent) => !a.includes(latent)),
  ];
  for (const latent of differing) expect(Math.abs(golden[latent]! - last)).toBeLessThan(tie);
}

/**
 * A pass over all pairs takes half a minute on two idle cores. What lies below the site does not depend on
 * the token set: its activations are kept. On a completion's own tokens the gradient is that of its own
 * loss, so that the pass for the set `prompt`, whose completions have other weights, gives it for the set
 * `completion` too: w'_b / w_b times it. At the prompt's tokens, which that set leaves out, it is nothing.
 */
const kept = vi.hoisted(() => ({
  /** whether gradients are had from those of the passes before */
  read: false,
  reads: 0,
  passes: new Map<string, readonly [number[], site.SiteGradient]>(),
  below: new Map<string, Awaited<ReturnType<Session['run']>>>(),
  belowReads: 0,
  /** of the first pass that was read: what was had, and what a pass of its own gives on the same tokens */
  compared: undefined as readonly [had: Float32Array, own: Float32Array] | undefined,
}));
vi.mock('../../src/methods/site/siteGradient.ts', async (original) => {
  const real = await original<typeof site>();
  /** Keeps what the first session that is loaded gives, by the key of the time. */
  const keeping = (runtime: Runtime, key: () => string): Runtime => {
    let loads = 0;
    return {
      ...runtime,
      async load(...of) {
        const session = await runtime.load(...of);
        if (loads++ > 0) return session;
        return {
          ...session,
          async run(feeds) {
            const before = kept.below.get(key());
            if (before) kept.belowReads++;
            const found = before ?? (await session.run(feeds));
            kept.below.set(key(), found);
            return found;
          },
        };
      },
    };
  };
  return {
    ...real,
    async sitePass(runtime: Runtime, model: Model, layer: number): Promise<site.SitePass> {
      let key = '';
      const pass = await real.sitePass(
        keeping(runtime, () => key),
        model,
        layer,
      );
      const d = model.decoder.width;
      /** The rows of the completions alone, each times its completion's number. */
      const ofCompletions = ({ branches }: Tree, gradient: Float32Array, times: (b: number) => number) => {
        const rows = new Float32Array(gradient.length);
        for (const [b, { start, end }] of branches.entries())
          for (let at = start * d; at < end * d; at++) rows[at] = gradient[at]! * times(b);
        return rows;
      };
      return {
        ...pass,
        async run(tree, weights) {
          key = `${model.where} ${JSON.stringify(tree)}`;
          const before = kept.read ? kept.passes.get(key) : undefined;
          if (before) {
            kept.reads++;
            const [own, { activation, gradient, nll }] = before;
            const asked = weights(activation);
            const had = ofCompletions(tree, gradient, (b) => asked[b]! / own[b]!);
            kept.compared ??= [
              had,
              ofCompletions(tree, (await pass.run(tree, () => asked)).gradient, () => 1),
            ];
            return { activation, gradient: had, nll };
          }
          let own: number[] = [];
          const made = await pass.run(tree, (activation) => {
            own = [...weights(activation)];
            return own;
          });
          if (!kept.passes.has(key)) kept.passes.set(key, [own, made]);
          return made;
        },
      };
    },
  };
});

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(!shared)('needs ../shared: attribution equals PyTorch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-golden-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function run(name: string, change: Partial<AttributeRequest>) {
    const out = join(folder, name);
    const request: AttributeRequest = {
      model: realModel(),
      adapter: inShared('organisms/health-advice'),
      sae: inShared('saes/smollm2-135m-resid15'),
      site: 15,
      pairs: inShared('golden/pairs.jsonl'),
      baseline: inShared('golden/mean15.safetensors'),
      out,
      ...change,
    };
    const result = await runAttribute(request);
    const arrays = await openSafetensors(join(out, 'attribution.safetensors'));
    return {
      request,
      result,
      out,
      array: async (tensor: string) => toFloat32(await readTensor(arrays.get(tensor)!)),
    };
  }

  async function golden(name: string): Promise<Float32Array> {
    return toFloat32(
      await readTensor((await openSafetensors(inShared('golden/attribution.safetensors'))).get(name)!),
    );
  }

  it.each<TokenSet>(['prompt', 'completion', 'all'])('delta over the tokens of set %s', async (tokens) => {
    kept.read = tokens === 'completion';
    const { array } = await run(tokens, { tokens }).finally(() => {
      kept.read = false;
    });
    const [found, expected] = [await array('delta'), await golden(`delta.${tokens}`)];
    expectClose(found, expected, tolerance);
    expectSameTop(found, expected);
  });

  it('gradients that were had from another set are those of a pass of their own; as many as there are pairs', async () => {
    const [had, own] = kept.compared!;
    expect(greatest(own)).toBeGreaterThan(0);
    expectClose(had, own, 1e-5);
    const pairs = (await golden('delta_per_pair.prompt')).length / (await golden('delta.prompt')).length;
    // once below the site for the comparison, and for each pair of the set `all`
    expect([kept.reads, kept.belowReads]).toEqual([pairs, pairs + 1]);
  });

  it('M, delta per pair, and what is written', async () => {
    const { request, result, out, array } = await run('prompt', {});
    expect(result.upToDate).toBe(true);
    expectClose(await array('delta_per_pair'), await golden('delta_per_pair.prompt'), tolerance);
    expectClose(await array('M'), await golden('M.prompt'), tolerance);
    expect(readdirSync(out).sort()).toEqual(['attribution.safetensors', 'latents.parquet', 'manifest.json']);
    const delta = await array('delta');
    expect(result.latents).toHaveLength(delta.length);
    expect(result.latents.map((row) => row.latent)).toEqual([...ranking(delta)]);
    expect(result.latents.every((row, i) => row.rank === i + 1 && row.delta === delta[row.latent])).toBe(
      true,
    );
    await expect(runAttribute({ ...request, loss: 'sum' })).rejects.toThrow(/results of another run/);
  });

  it('the GGUF file alone gives the same', async () => {
    const gguf = readdirSync(realModel()).find((name) => name.endsWith('.gguf'))!;
    const first = 6;
    const pairs = join(folder, 'first-pairs.jsonl');
    const lines = readFileSync(inShared('golden/pairs.jsonl'), 'utf8').split('\n').slice(0, first);
    writeFileSync(pairs, `${lines.join('\n')}\n`);
    const { array } = await run('gguf', { model: join(realModel(), gguf), pairs });
    const found = await array('delta_per_pair');
    const expected = (await golden('delta_per_pair.prompt')).subarray(0, found.length);
    expect(found).toHaveLength(first * (await golden('delta.prompt')).length);
    expectClose(found, expected, tolerance);
  });
});
