/**
 * Logit lens, activations and passages on the real model, against PyTorch and direct loops. Needs
 * ../shared.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCorpus } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { latentScan } from '../../src/methods/interpretation/latentScan.ts';
import { logitLens } from '../../src/methods/interpretation/logitLens.ts';
import { PassageFinds } from '../../src/methods/interpretation/passages.ts';
import { residualPass } from '../../src/methods/site/residuals.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Sae } from '../../src/saes/sae.ts';
import { passageIds } from '../../src/study/attribution/baselineRun.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { openSae } from '../../src/study/open/openSae.ts';
import { dataOf, type StoredTensor, toFloat32 } from '../../src/tensor.ts';
import { encode } from '../saes/oracle/oracle.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

describe.skipIf(!shared)('needs ../shared: what latents mean', () => {
  const runtime = nodeRuntime();
  let opened: OpenModel;
  let sae: Sae;
  const latents = [3194, 1884, 2036, 692, 4018, 0, 4095];
  beforeAll(async () => {
    opened = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    sae = await openSae(inShared('saes/smollm2-135m-resid15'));
  });
  afterAll(() => runtime.close());

  it('the lens equals a direct loop over the unembedding', async () => {
    const { decoder, weights } = opened.model;
    const values = async (name: string) => toFloat32(await readTensor(weights.get(name) as StoredTensor));
    const [w, gain] = [await values('model.embed_tokens.weight'), await values('model.norm.weight')];
    const d = decoder.width;
    const wanted = latents.slice(0, 2);
    const lens = await logitLens(runtime, opened.model, sae, wanted, 20);
    for (const [i, latent] of wanted.entries()) {
      const direction = await sae.decoderRows(latent, latent + 1);
      const all = Array.from({ length: decoder.vocabulary }, (_, id) => {
        let [dot, squares] = [0, 0];
        for (let j = 0; j < d; j++) {
          const x = w[id * d + j]! * gain[j]!;
          dot += x * direction[j]!;
          squares += x * x;
        }
        return { id, dot, cosine: squares === 0 ? 0 : dot / Math.sqrt(squares) };
      });
      for (const by of ['cosine', 'dot'] as const)
        for (const end of ['top', 'bottom'] as const) {
          const sign = end === 'top' ? 1 : -1;
          const sorted = [...all].sort((a, b) => sign * (b[by] - a[by])).slice(0, 20);
          lens[i]![by][end].forEach((found, place) => {
            const own = all[found.id]!;
            // float32: 576 terms
            expect(Math.abs(found.cosine - own.cosine)).toBeLessThan(2e-6);
            expect(Math.abs(found.dot - own.dot)).toBeLessThan(2e-5 * (1 + Math.abs(own.dot)));
            expect(Math.abs(own[by] - sorted[place]![by])).toBeLessThan(2e-5 * (1 + Math.abs(own[by])));
          });
        }
    }
  });

  it('activations of pair 0 equal PyTorch’s', async () => {
    const golden = await openSafetensors(inShared('golden/attribution.safetensors'));
    const read = async (name: string) => readTensor(golden.get(name)!);
    const ids = Array.from(dataOf(await read('pair0.ids'), 'i64'), Number);
    const values = toFloat32(await read('pair0.latents'));
    const indices = dataOf(await read('pair0.latent_indices'), 'i64');
    const wanted = new Map<string, number>();
    values.forEach((v, at) => {
      wanted.set(`${indices[at]} ${indices[values.length + at]}`, v);
    });
    // every latent that is active somewhere in it
    const active = [...new Set(Array.from(values, (_, at) => Number(indices[values.length + at])))];
    const scan = await latentScan(runtime, opened.model, 15, sae, active);
    const { z, sinks } = await scan.run(ids);
    await scan.release();
    expect(sinks).toBeGreaterThan(0);
    const norms = await sae.decoderNorms();
    let compared = 0;
    ids.forEach((_, t) => {
      if (Number.isNaN(z[t * active.length]!)) return;
      const row = active.map((latent) => wanted.get(`${t} ${latent}`) ?? 0);
      const greatest = Math.max(...row);
      const least = Math.min(...row.filter((x) => x > 0));
      row.forEach((x, i) => {
        const own = z[t * active.length + i]! / norms[active[i]!]!;
        // At the edge of the top k one of two near-equal values is kept.
        if (own > 0 !== x > 0) expect(Math.max(own, x)).toBeLessThan(least + 1e-4 * greatest);
        else expect(Math.abs(own - x)).toBeLessThan(1e-4 * greatest);
        compared += Number(x > 0);
      });
    });
    expect(compared).toBeGreaterThan(3000);
  });

  it('top passages equal a loop over residuals and the plain encoder', async () => {
    const passages: number[][] = [];
    for await (const { value } of readCorpus(inShared('data/corpus/chat.jsonl'))) {
      passages.push(passageIds(value, opened.codec).slice(0, 64));
      if (passages.length === 12) break;
    }
    const scan = await latentScan(runtime, opened.model, 15, sae, latents);
    const seen = new PassageFinds(latents.length, { top: 3 });
    for (const [line, ids] of passages.entries())
      seen.add({ corpus: 0, line, ids, z: (await scan.run(ids)).z });
    await scan.release();
    const pass = await residualPass(runtime, opened.model, 15);
    const peaks = latents.map((): { line: number; value: number }[] => []);
    const active = latents.map(() => 0);
    for (const [line, ids] of passages.entries()) {
      const { activation, places } = await pass.run(ids);
      const { z } = await encode(sae, activation);
      latents.forEach((latent, i) => {
        const values = places.map((t) => z[t * sae.latents + latent]!);
        active[i]! += values.filter((x) => x > 0).length;
        peaks[i]!.push({ line, value: Math.max(...values) });
      });
    }
    await pass.release();
    const found = seen.results((id) => opened.codec.tokenizer.tokenText(id));
    expect(active.some((count) => count > 0)).toBe(true);
    found.forEach((one, i) => {
      const sorted = peaks[i]!.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
      expect(one.top.map(({ line }) => line)).toEqual(sorted.slice(0, 3).map(({ line }) => line));
      one.top.forEach(({ activations, peak }, k) => {
        expect(Math.abs(activations[peak]! - sorted[k]!.value)).toBeLessThan(1e-4 * sorted[0]!.value);
      });
      // at the edge of the top k rounding may turn one on or off
      expect(Math.abs(one.active - active[i]!)).toBeLessThanOrEqual(1);
    });
  });
});
