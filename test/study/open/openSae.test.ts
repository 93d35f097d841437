/** Which dictionaries are opened, and what is told of one that reads another place or is damaged. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/files/safetensors.ts';
import { openChosenSae, openSae, saidOptions, siteFor } from '../../../src/study/open/openSae.ts';
import type { Tensor } from '../../../src/tensor.ts';
import { put, putSae, width } from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const fresh = () => join(folder, `sae${count++}`);
const withHook = async (hook: string) => openSae(await putSae(fresh(), { hook }));

describe('the place of a dictionary', () => {
  it.each([
    ['blocks.1.hook_resid_post', 1],
    ['blocks.2.hook_resid_pre', 1],
    ['blocks.1.hook_out', 1],
    ['model.layers.1', 1],
    ['transformer.h.2', 2],
  ])('%s', async (hook, layer) => {
    expect(siteFor(await withHook(hook), undefined, width)).toBe(layer);
  });

  it('with its layer apart, as the oldest files have it', async () => {
    const path = await putSae(fresh(), { hook: 'blocks.{layer}.hook_resid_post' });
    const config = join(path, 'cfg.json');
    const old = JSON.parse(readFileSync(config, 'utf8'));
    put(config, { ...old, metadata: { ...old.metadata, hook_layer: 2 } });
    expect(siteFor(await openSae(path), undefined, width)).toBe(2);
  });

  it.each([
    'blocks.1.hook_mlp_out',
    'blocks.1.hook_attn_out',
    'blocks.1.hook_resid_mid',
    'blocks.1.attn.hook_q',
    'blocks.1.mlp.hook_post',
    'blocks.1.ln2.hook_normalized',
    'model.layers.1.mlp',
    'ln_final.hook_normalized',
    'something',
  ])('%s is refused, whatever site is asked for', async (hook) => {
    await expect(withHook(hook)).rejects.toThrow(`was trained on "${hook}": expected the residual stream`);
  });
});

describe('what is said of a dictionary', () => {
  it('beside what its files say', async () => {
    const path = await putSae(fresh());
    expect((await openChosenSae({ path, kind: 'relu' })).kind.name).toBe('relu');
    await expect(openChosenSae({ path, kind: 'topk' })).rejects.toThrow(
      `SAE ${path}: expected kind relu, as its files say, found topk`,
    );
    await expect(openChosenSae({ path, k: 3 })).rejects.toThrow(
      `SAE ${path}: expected no k of a dictionary of SAELens, whose files say it, found 3`,
    );
  });

  it('counts in keys, and nothing where nothing is said', () => {
    expect(saidOptions({})).toEqual({});
    expect(saidOptions({ kind: 'topk', k: 3, subtract_bias: false })).toEqual({
      sae_kind: 'topk',
      sae_k: 3,
      sae_subtract_bias: false,
    });
  });
});

it('a dictionary is opened by a file of it as by its folder', async () => {
  const path = await putSae(fresh());
  const sae = await openSae(join(path, 'sae_weights.safetensors'));
  expect([sae.kind.name, sae.width]).toEqual(['relu', width]);
});

describe('a dictionary with a value that is not finite is refused when it is opened', () => {
  it.each(['W_enc', 'b_enc', 'W_dec', 'b_dec'])('in %s', async (name) => {
    const path = await putSae(fresh());
    const file = join(path, 'sae_weights.safetensors');
    const weights = new Map<string, Tensor>();
    for (const [one, stored] of await openSafetensors(file)) weights.set(one, await readTensor(stored));
    (weights.get(name)!.data as Float32Array)[5] = Number.NaN;
    await writeSafetensors(file, weights);
    await expect(openSae(path)).rejects.toThrow(
      `tensor "${name}": expected finite values, found NaN or infinity`,
    );
  });
});
