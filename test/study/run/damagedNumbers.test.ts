/**
 * NaN and infinity in what a study is made from end the run in one line: before anything is sampled where a file
 * holds them, at the first token where the model comes to them.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { openSafetensors, readTensor, writeSafetensors } from '../../../src/files/safetensors.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import type { Tensor } from '../../../src/tensor.ts';
import { putAll, type TinyFolder } from '../../support/tinyFolder.ts';
import { putStudy } from '../../support/tinyStudy.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-damaged-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;

/** A copy of a folder, each value of the tensors whose names match changed. */
async function damaged(
  source: string,
  file: string,
  names: RegExp,
  change: (x: number, i: number) => number,
): Promise<string> {
  const path = join(folder, `damaged${copies++}`);
  cpSync(source, path, { recursive: true });
  const tensors = new Map<string, Tensor>();
  for (const [name, stored] of await openSafetensors(join(path, file))) {
    const t = await readTensor(stored);
    tensors.set(
      name,
      names.test(name) ? ({ ...t, data: (t.data as Float32Array).map(change) } as Tensor) : t,
    );
  }
  await writeSafetensors(join(path, file), tensors);
  return path;
}

const oneNaN = (x: number, i: number) => (i === 3 ? Number.NaN : x);
const huge = (x: number) => x * 1e30;

it.each<[string, () => Promise<object>, RegExp]>([
  [
    'the model',
    async () => ({
      subject: { model: await damaged(tiny.model, 'model.safetensors', /2\.mlp\.up_proj/, oneNaN) },
    }),
    /^model \S+: tensor "model\.layers\.2\.mlp\.up_proj\.weight": expected finite values, found NaN or infinity at \[0,3\]$/,
  ],
  [
    'the adapter',
    async () => ({
      subject: {
        model: tiny.model,
        adapter: await damaged(tiny.adapter, 'adapter_model.safetensors', /0\.mlp\.up_proj\.lora_B/, oneNaN),
      },
    }),
    /^adapter \S+: tensor "\S+lora_B\.weight": expected finite values, found NaN/,
  ],
  [
    'the encoder',
    async () => ({ sae: { path: await damaged(tiny.sae, 'sae_weights.safetensors', /W_enc/, oneNaN) } }),
    /^SAE \S+: tensor "W_enc": expected finite values, found NaN/,
  ],
  [
    'the model, which comes to them from finite weights',
    async () => ({
      subject: { model: await damaged(tiny.model, 'model.safetensors', /1\.mlp\..*weight/, huge) },
    }),
    /^the model gives (probabilities|activations) that are not finite: are its weights damaged\?$/,
  ],
])('in %s', async (_, over, message) => {
  const study = putStudy(join(folder, `study${copies++}`), tiny, await over());
  const error = await runStudy({ study, cacheDir: tiny.cache }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(message);
  expect(existsSync(join(study, 'completions.jsonl'))).toBe(false);
});
