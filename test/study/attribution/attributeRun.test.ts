/**
 * The run from files to files on a model that the test writes: its results against the library's parts, and
 * when it runs at all.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { encodePair, readPairs } from '../../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../../src/files/safetensors.ts';
import { attribute, ranking } from '../../../src/methods/attribution/attribute.ts';
import { contrastRows, type TokenSet, tokenSets } from '../../../src/methods/site/contrast.ts';
import { sitePass } from '../../../src/methods/site/siteGradient.ts';
import { decodeLatents, manifestSchema } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { type AttributeRequest, runAttribute } from '../../../src/study/attribution/attributeRun.ts';
import { runBaseline } from '../../../src/study/attribution/baselineRun.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import type { Progress } from '../../../src/study/open/progress.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { expectClose } from '../../support/close.ts';
import {
  latents,
  layer,
  manyPairs,
  pairs,
  put,
  putAll,
  putModel,
  putSae,
  type TinyFolder,
  width,
  withSink,
} from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
const newOut = () => join(folder, `out${runs++}`);

/** The plainest request, changed. */
function request(change: Partial<AttributeRequest> = {}): AttributeRequest {
  const { model, sae, pairs, baseline, cache } = tiny;
  return { model, sae, pairs, baseline, cacheDir: cache, out: newOut(), ...change };
}

async function arraysIn(out: string): Promise<Record<string, Float32Array | BigInt64Array>> {
  const found: Record<string, Float32Array | BigInt64Array> = {};
  for (const [name, stored] of await openSafetensors(join(out, 'attribution.safetensors')))
    found[name] = (await readTensor(stored)).data as Float32Array | BigInt64Array;
  return found;
}

async function deltaOf(change: Partial<AttributeRequest>): Promise<Float32Array> {
  const asked = request(change);
  await runAttribute(asked);
  return (await arraysIn(asked.out)).delta as Float32Array;
}

/** A progress that counts what it is told. */
function counting() {
  const told = { stages: [] as string[], advanced: 0, notes: [] as string[] };
  const progress: Progress = {
    stage(label) {
      told.stages.push(label);
      return {
        advance(units = 1) {
          told.advanced += units;
        },
        end() {},
      };
    },
    note: (line) => void told.notes.push(line),
  };
  return { told, progress };
}

describe('what a run writes', () => {
  it('is what the parts of the library give', async () => {
    const asked = request({ adapter: tiny.adapter, top: 7 });
    const { latents: rows } = await runAttribute(asked);
    const found = await arraysIn(asked.out);

    const runtime = nodeRuntime();
    const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter });
    const sae = await openSae(tiny.sae);
    const pass = await sitePass(runtime, model, layer);
    const baseline = toFloat32(await readTensor((await openSafetensors(tiny.baseline)).get('mean')!));
    const contrasts = [];
    for (const pair of await readPairs(tiny.pairs)) {
      const { promptIds, positiveIds, negativeIds } = encodePair(codec, pair);
      const contrast = { id: pair.id, prompt: promptIds, positives: [positiveIds], negatives: [negativeIds] };
      contrasts.push(await contrastRows(pass, contrast, { baseline }));
    }
    const expected = await attribute(runtime, contrasts, sae, { top: 7 });
    await runtime.close();

    expect(found.delta).toEqual(expected.delta);
    expect(found.M).toEqual(expected.m);
    expect(found.delta_per_pair).toEqual(expected.perContrast);
    expect(Array.from(found.top!, Number)).toEqual(expected.top);
    expect(rows.map((row) => row.latent)).toEqual([...ranking(expected.delta)]);
    const about = contrasts.flatMap(({ tokens }, pair) => tokens.map((token) => ({ pair, ...token })));
    for (const name of ['pair', 'position', 'branch', 'id'] as const)
      expect(Array.from(found[`token_${name}`]!, Number)).toEqual(about.map((token) => token[name]));
    expect(found.losses).toEqual(Float32Array.from(contrasts.flatMap(({ losses }) => losses)));
    expect(Array.from(found.loss_pair!, Number)).toEqual(contrasts.flatMap((_, pair) => [pair, pair]));
  });

  it('holds together: Δ = −dᵀMd, the mean over pairs, and per token a sum', async () => {
    const asked = request({ top: 5 });
    await runAttribute(asked);
    const found = (await arraysIn(asked.out)) as Record<string, Float32Array>;
    const directions = toFloat32(
      await readTensor((await openSafetensors(join(tiny.sae, 'sae_weights.safetensors'))).get('W_dec')!),
    );
    const form = Float32Array.from({ length: latents }, (_, n) => {
      const d = directions.subarray(n * width, (n + 1) * width);
      const norm = Math.hypot(...d);
      let sum = 0;
      for (let i = 0; i < width; i++)
        for (let j = 0; j < width; j++) sum -= (d[i]! / norm) * found.M![i * width + j]! * (d[j]! / norm);
      return sum;
    });
    expectClose(found.delta!, form, 1e-5);
    for (const { latent, sign } of (await runAttribute(asked)).latents) {
      const d = directions.subarray(latent * width, (latent + 1) * width);
      const along = d.reduce((sum, x, j) => sum + x * found.gradient![j]!, 0);
      expect(sign, `σ of ${latent}`).toBe(along > 0 ? -1 : 1);
    }
    const ofPairs = Array.from({ length: pairs.length }, (_, p) =>
      found.delta_per_pair!.subarray(p * latents, (p + 1) * latents),
    );
    expectClose(
      form.map((_, n) => ofPairs.reduce((sum, values) => sum + values[n]!, 0) / pairs.length),
      form,
      1e-5,
    );
    const sums = ofPairs.map(() => new Float32Array(5));
    Array.from(found.token_pair!, Number).forEach((pair, t) => {
      for (let k = 0; k < 5; k++) sums[pair]![k]! += found.delta_per_token![t * 5 + k]!;
    });
    const top = Array.from(found.top!, Number);
    sums.forEach((values, p) => {
      expectClose(
        values,
        Float32Array.from(top, (n) => ofPairs[p]![n]!),
        1e-5,
      );
    });
  });

  it('latents.parquet and attribution.safetensors have the documented columns, types and shapes', async () => {
    const asked = request({ top: 3 });
    const { latents: rows } = await runAttribute(asked);
    expect(readdirSync(asked.out).sort()).toEqual([
      'attribution.safetensors',
      'latents.parquet',
      'manifest.json',
    ]);
    const bytes = Uint8Array.from(readFileSync(join(asked.out, 'latents.parquet'))).buffer;
    const columns = parquetSchema(parquetMetadata(bytes)).children.map(({ element }) => [
      element.name,
      element.type,
    ]);
    expect(columns).toEqual([
      ['latent', 'INT32'],
      ['delta', 'FLOAT'],
      ['rank', 'INT32'],
      ['standard_error', 'FLOAT'],
      ['same_sign', 'FLOAT'],
      ['sign', 'INT32'],
      ['p', 'FLOAT'],
      ['q', 'FLOAT'],
      ['silent_share', 'FLOAT'],
      ['activation_delta', 'FLOAT'],
      ['deflated', 'FLOAT'],
      ['rank_low', 'INT32'],
      ['rank_high', 'INT32'],
    ]);
    const read = await parquetReadObjects({ file: bytes });
    expect(read).toHaveLength(latents);
    const asFloat32 = (x: unknown) => (typeof x === 'number' ? Math.fround(x) : x);
    expect(read).toEqual(
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, x]) => [name, asFloat32(x)]))),
    );
    expect(read.map((row) => row.rank)).toEqual(Array.from({ length: latents }, (_, i) => i + 1));

    const tokens = (await arraysIn(asked.out)).token_id!.length;
    const stored = await openSafetensors(join(asked.out, 'attribution.safetensors'));
    expect(Object.fromEntries([...stored].map(([name, t]) => [name, [t.dtype, ...t.shape]]))).toEqual({
      M: ['f32', width, width],
      gradient: ['f32', width],
      baseline: ['f32', width],
      delta: ['f32', latents],
      delta_per_pair: ['f32', pairs.length, latents],
      top: ['i64', 3],
      delta_per_token: ['f32', tokens, 3],
      token_pair: ['i64', tokens],
      token_position: ['i64', tokens],
      token_branch: ['i64', tokens],
      token_id: ['i64', tokens],
      losses: ['f32', 2 * pairs.length],
      loss_pair: ['i64', 2 * pairs.length],
    });
  });

  it('manifest.json says what was run on what', async () => {
    let now = Date.UTC(2026, 0, 1);
    const clock = () => {
      now += 1000;
      return new Date(now);
    };
    const asked = request({ adapter: tiny.adapter, tokens: 'all', loss: 'sum', clock });
    const { manifest } = await runAttribute(asked);
    expect(manifestSchema.parse(JSON.parse(readFileSync(join(asked.out, 'manifest.json'), 'utf8')))).toEqual(
      manifest,
    );
    const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
    expect(Object.keys(manifest.inputs).sort()).toEqual(['adapter', 'baseline', 'model', 'pairs', 'sae']);
    expect(manifest.inputs.pairs).toEqual({ path: tiny.pairs, sha256: sha256(tiny.pairs) });
    expect(manifest.inputs.baseline).toEqual({ path: tiny.baseline, sha256: sha256(tiny.baseline) });
    expect(manifest.options).toEqual({ site: 'resid_post 1', tokens: 'all', loss: 'sum', top: 100 });
    const { codec } = await openModel(tiny.model);
    const encoded = (await readPairs(tiny.pairs)).map((pair) => encodePair(codec, pair));
    const total = (of: (pair: (typeof encoded)[number]) => number) =>
      encoded.reduce((sum, pair) => sum + of(pair), 0);
    const prompt = total((pair) => pair.promptIds.length);
    const completions = total((pair) => pair.positiveIds.length + pair.negativeIds.length);
    expect(manifest.counts).toEqual({
      pairs: pairs.length,
      latents,
      tokens: prompt + completions,
      prompt_tokens: prompt,
      sinks: 0,
      tokens_in_set: prompt + completions,
      clusters: pairs.length,
      alive: expect.any(Number),
      sign_flips: 2 ** pairs.length,
      q_below_05: 0,
      first_max_p: expect.any(Number),
    });
    // the clock is read as the pairs begin, after each of them, and at the end of each part
    const gradients = pairs.length + 2;
    expect(manifest.seconds).toEqual({ open: 1, baseline: 1, gradients, scores: 1, evidence: 1 });
    expect(manifest.created).toBe(new Date(now).toISOString());
    expect(manifest.versions['onnxruntime-node']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(manifest.command).toBe('attribute');
  });
});

describe('options', () => {
  it('each token set takes its own tokens, and its own Δ', async () => {
    const counted: Partial<Record<TokenSet, number>> = {};
    const deltas: Float32Array[] = [];
    for (const tokens of tokenSets) {
      const asked = request({ tokens });
      const { manifest } = await runAttribute(asked);
      counted[tokens] = manifest.counts.tokens_in_set!;
      const { delta, token_branch } = await arraysIn(asked.out);
      const branches = new Set(Array.from(token_branch!, Number));
      expect(branches).toEqual(new Set({ prompt: [-1], completion: [0, 1], all: [-1, 0, 1] }[tokens]));
      deltas.push(delta as Float32Array);
    }
    expect(counted.all).toBe(counted.prompt! + counted.completion!);
    expect(deltas[0]).not.toEqual(deltas[1]);
    expect(deltas[1]).not.toEqual(deltas[2]);
  });

  it('loss sum is loss mean times the tokens of the completion', async () => {
    const [mean, sum] = [request({ loss: 'mean' }), request({ loss: 'sum' })];
    await runAttribute(mean);
    await runAttribute(sum);
    const { codec } = await openModel(tiny.model);
    const lengths = (await readPairs(tiny.pairs)).flatMap((pair) => {
      const { positiveIds, negativeIds } = encodePair(codec, pair);
      return [positiveIds.length, negativeIds.length];
    });
    const means = (await arraysIn(mean.out)).losses as Float32Array;
    const sums = (await arraysIn(sum.out)).losses as Float32Array;
    expectClose(
      sums,
      means.map((x, i) => x * lengths[i]!),
      1e-6,
    );
    expect((await arraysIn(sum.out)).delta).not.toEqual((await arraysIn(mean.out)).delta);
  });

  it('a corpus as the baseline is the same as its baseline in a file', async () => {
    const out = join(folder, 'mean.safetensors');
    await runBaseline({ model: tiny.model, adapter: tiny.adapter, site: layer, corpus: tiny.corpus, out });
    const { adapter, corpus: baselineCorpus } = tiny;
    const fromCorpus = await deltaOf({ adapter, baseline: undefined, baselineCorpus });
    expect(await deltaOf({ adapter, baseline: out })).toEqual(fromCorpus);
    expect(await deltaOf({ adapter })).not.toEqual(fromCorpus);
  });

  it('attention sinks are left out of the set, and counted', async () => {
    const model = await putModel(join(folder, 'sinks'), withSink());
    const texts = pairs.map(({ prompt, ...rest }) => ({
      ...rest,
      prompt: typeof prompt === 'string' ? `Q${prompt}` : prompt,
    }));
    const asked = request({ model, pairs: put(join(folder, 'sinks.jsonl'), texts) });
    const { counts } = (await runAttribute(asked)).manifest;
    expect(counts.sinks).toBe(2);
    expect(counts.tokens_in_set).toBe(counts.prompt_tokens! - 2);
    const { token_id } = await arraysIn(asked.out);
    expect(Array.from(token_id!, Number)).not.toContain('Q'.charCodeAt(0));
  });

  it('a baseline that says that it is of another site is refused', async () => {
    const out = join(folder, 'mean0.safetensors');
    await runBaseline({ model: tiny.model, site: 0, corpus: tiny.corpus, out });
    await expect(runAttribute(request({ baseline: out }))).rejects.toThrow(
      `baseline ${out}: taken at resid_post 0, the run is at resid_post 1`,
    );
  });

  it('the GGUF alone gives the Δ of the folder with the same weights', async () => {
    expect(await deltaOf({ model: tiny.gguf })).toEqual(await deltaOf({}));
    expect(await deltaOf({ model: tiny.gguf, adapter: tiny.adapter })).toEqual(
      await deltaOf({ adapter: tiny.adapter }),
    );
  });

  it('the site is the one that the SAE was trained at, unless it does not say', async () => {
    const unnamed = await putSae(join(folder, 'sae-unnamed'), { hook: null });
    const before = await putSae(join(folder, 'sae-pre'), { hook: 'blocks.2.hook_resid_pre' });
    const delta = await deltaOf({});
    expect(await deltaOf({ site: layer })).toEqual(delta);
    expect(await deltaOf({ sae: unnamed, site: layer })).toEqual(delta);
    expect(await deltaOf({ sae: before })).toEqual(delta);
    expect(await deltaOf({ sae: unnamed, site: 0 })).not.toEqual(delta);
    await expect(runAttribute(request({ sae: unnamed }))).rejects.toThrow(/does not say its site/);
    await expect(runAttribute(request({ site: 2 }))).rejects.toThrow(
      `--site 2: the SAE ${tiny.sae} was trained on resid_post 1 (blocks.1.hook_resid_post)`,
    );
  });
});

describe('a folder that holds results', () => {
  it('latents of an older form are refused with what to do', async () => {
    const old = parquetWriteBuffer({ columnData: [{ name: 'latent', data: [1], type: 'INT32' }] });
    await expect(decodeLatents(old)).rejects.toThrow(
      'latents.parquet: expected a column delta, found latent: written by an older culprit; run `culprit attribute` again',
    );
  });

  const timesIn = (out: string) => readdirSync(out).map((name) => [name, statSync(join(out, name)).mtimeMs]);

  it('the same run again computes and writes nothing, and gives the same', async () => {
    const asked = request();
    const first = await runAttribute(asked);
    const times = timesIn(asked.out);
    const { told, progress } = counting();
    const second = await runAttribute({ ...asked, progress });
    expect(first.upToDate).toBe(false);
    expect(second.upToDate).toBe(true);
    expect(told).toEqual({ stages: [], advanced: 0, notes: [] });
    expect(timesIn(asked.out)).toEqual(times);
    expect(second.manifest).toEqual(first.manifest);
    expect(second.latents.map(({ latent, delta }) => [latent, delta])).toEqual(
      first.latents.map(({ latent, delta }) => [latent, delta]),
    );
  });

  it.each(['latents.parquet', 'attribution.safetensors'])(
    'a changed %s is not taken for done',
    async (name) => {
      const asked = request();
      await runAttribute(asked);
      const whole = readFileSync(join(asked.out, name));
      const hurt = Buffer.from(whole);
      hurt[hurt.length >> 1] = hurt[hurt.length >> 1]! ^ 1;
      writeFileSync(join(asked.out, name), hurt);
      await expect(runAttribute(asked)).rejects.toThrow(
        `--out ${asked.out}: ${name} was changed after it was made: name another folder, or add --overwrite`,
      );
      expect((await runAttribute({ ...asked, overwrite: true })).upToDate).toBe(false);
      expect(readFileSync(join(asked.out, name))).toEqual(whole);
    },
  );

  it('other options or inputs are refused, and nothing is touched, until told to overwrite', async () => {
    const asked = request();
    await runAttribute(asked);
    const times = timesIn(asked.out);
    const others = [
      { loss: 'sum' as const },
      { adapter: tiny.adapter },
      { pairs: put(join(folder, 'other.jsonl'), manyPairs(2)) },
    ];
    for (const other of others) {
      const attempt = runAttribute({ ...asked, ...other });
      await expect(attempt).rejects.toThrow(InputError);
      await expect(attempt).rejects.toThrow(/holds the results of another run/);
    }
    expect(timesIn(asked.out)).toEqual(times);
    const replaced = await runAttribute({ ...asked, loss: 'sum', overwrite: true });
    expect(replaced.upToDate).toBe(false);
    expect((await runAttribute({ ...asked, loss: 'sum' })).upToDate).toBe(true);
    await expect(runAttribute(asked)).rejects.toThrow(/holds the results of another run/);
  });

  it.each(['latents.parquet', 'attribution.safetensors', 'manifest.json'])(
    'without %s it is made again',
    async (name) => {
      const asked = request();
      await runAttribute(asked);
      const before = readFileSync(join(asked.out, name));
      rmSync(join(asked.out, name));
      expect((await runAttribute(asked)).upToDate).toBe(false);
      if (name !== 'manifest.json') expect(readFileSync(join(asked.out, name))).toEqual(before);
    },
  );

  it('never claims results that are half replaced', async () => {
    const asked = request();
    await runAttribute(asked);
    rmSync(join(asked.out, 'attribution.safetensors'));
    mkdirSync(join(asked.out, 'attribution.safetensors', 'in the way'), { recursive: true });
    await expect(runAttribute({ ...asked, loss: 'sum', overwrite: true })).rejects.toThrow(InputError);
    expect(readdirSync(asked.out)).not.toContain('manifest.json');
  });

  it('leaves what else lies there', async () => {
    const asked = request();
    const mine = ['work/key', 'work/000000.safetensors', 'notes.txt'];
    for (const name of mine) put(join(asked.out, name), 'mine');
    await runAttribute(asked);
    await runAttribute({ ...asked, loss: 'sum', overwrite: true });
    for (const name of mine) expect(readFileSync(join(asked.out, name), 'utf8')).toBe('mine');
  });
});
