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
import { type Branch, packTree, type Tree } from '../../src/models/tree.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
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
 * A pass over all pairs takes half a minute on two idle cores, so that the set `prompt` alone has one of its own:
 * the gradient g = Σ_b w_b g_b that it gives is linear in the completions' weights. On a completion's own tokens g
 * is w_b g_b, and other weights w' give w'_b / w_b times it. On the prompt's tokens, which the set `completion`
 * leaves out, a pass over the first completion alone gives g_1, and so g_2 = (g − w_1 g_1) / w_2.
 */
const kept = vi.hoisted(() => ({
  /** the set whose gradients are had from those of the passes before */
  set: undefined as 'completion' | 'all' | undefined,
  reads: { completion: 0, all: 0 },
  passes: new Map<string, readonly [number[], site.SiteGradient]>(),
  /** of the first pass of each set: what was had, and what a pass of its own gives on the same tokens */
  compared: {} as { [set in 'completion' | 'all']?: readonly [had: Float32Array, own: Float32Array] },
}));
vi.mock('../../src/methods/site/siteGradient.ts', async (original) => {
  const real = await original<typeof site>();
  return {
    ...real,
    async sitePass(runtime: Runtime, model: Model, layer: number): Promise<site.SitePass> {
      const pass = await real.sitePass(runtime, model, layer);
      const d = model.decoder.width;
      /** g_1 at the prompt's tokens. */
      const ofFirst = (tree: Tree, activation: Float32Array) => {
        const [{ start, end }] = tree.branches as [Branch];
        const alone = packTree(tree.ids.slice(0, tree.prompt), [tree.ids.slice(start, end)]);
        return pass.gradientAt(alone, activation.slice(0, end * d), [1]);
      };
      async function hadFrom(
        [own, { activation, gradient }]: readonly [number[], site.SiteGradient],
        tree: Tree,
        asked: readonly number[],
      ) {
        const had = new Float32Array(gradient.length);
        for (const [b, { start, end }] of tree.branches.entries())
          for (let at = start * d; at < end * d; at++) had[at] = (gradient[at]! * asked[b]!) / own[b]!;
        if (kept.set === 'completion') return had;
        const [[v, w], [x, y]] = [own, asked] as [[number, number], [number, number]];
        const first = await ofFirst(tree, activation);
        for (let at = 0; at < tree.prompt * d; at++)
          had[at] = x * first[at]! + (y * (gradient[at]! - v * first[at]!)) / w;
        return had;
      }
      return {
        ...pass,
        async run(tree, weights) {
          const key = `${model.where} ${JSON.stringify(tree)}`;
          const before = kept.passes.get(key);
          if (kept.set && before) {
            kept.reads[kept.set]++;
            const { activation, nll } = before[1];
            const asked = weights(activation);
            const had = await hadFrom(before, tree, asked);
            if (!kept.compared[kept.set]) {
              const from = kept.set === 'completion' ? tree.prompt * d : 0;
              const own = (await pass.run(tree, () => asked)).gradient;
              kept.compared[kept.set] = [had.subarray(from), own.subarray(from)];
            }
            return { activation, gradient: had, nll };
          }
          let own: number[] = [];
          const made = await pass.run(tree, (activation) => {
            own = [...weights(activation)];
            return own;
          });
          kept.passes.set(key, [own, made]);
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
    kept.set = tokens === 'prompt' ? undefined : tokens;
    const { array } = await run(tokens, { tokens }).finally(() => {
      kept.set = undefined;
    });
    const [found, expected] = [await array('delta'), await golden(`delta.${tokens}`)];
    expectClose(found, expected, tolerance);
    expectSameTop(found, expected);
  });

  it('gradients that were had from another set are those of a pass of their own; as many as there are pairs', async () => {
    for (const [had, own] of [kept.compared.completion!, kept.compared.all!]) {
      expect(greatest(own)).toBeGreaterThan(0);
      expectClose(had, own, 1e-5);
    }
    const pairs = (await golden('delta_per_pair.prompt')).length / (await golden('delta.prompt')).length;
    expect(kept.reads).toEqual({ completion: pairs, all: pairs });
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
    const first = 3;
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
