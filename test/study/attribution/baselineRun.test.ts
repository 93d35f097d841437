/** The mean over a corpus, from files to a file, against the activations of the library's own pass. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSafetensorsHeader, readTensor } from '../../../src/files/safetensors.ts';
import { sitePass } from '../../../src/methods/site/siteGradient.ts';
import { sequence } from '../../../src/models/tree.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { type BaselineRequest, runBaseline } from '../../../src/study/attribution/baselineRun.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { toFloat32 } from '../../../src/tensor.ts';
import { expectClose } from '../../support/close.ts';
import { layer, put, putAll, type TinyFolder, width } from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-'));
let tiny: TinyFolder;
beforeAll(async () => {
  tiny = await putAll(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;

function request(change: Partial<BaselineRequest> = {}): BaselineRequest {
  const out = join(folder, `out${runs++}`, 'mean.safetensors');
  return { model: tiny.model, adapter: tiny.adapter, site: layer, corpus: tiny.corpus, out, ...change };
}

async function written({ out }: BaselineRequest) {
  const { tensors, metadata } = await readSafetensorsHeader(out);
  return { mean: toFloat32(await readTensor(tensors.get('mean')!)), metadata };
}

it('is the mean of the activations of every token, and says where it comes from', async () => {
  const asked = request();
  const baseline = await runBaseline(asked);

  const { model, codec } = await openModel(tiny.model, { adapter: tiny.adapter });
  const chat = codec.chatText(
    [
      { role: 'user', content: 'And then?' },
      { role: 'assistant', content: 'It ate the hat.' },
    ],
    { addGenerationPrompt: false },
  );
  const passages = ['The hen sat in the barn.', chat, "12 hats, the hen's."].map((text) =>
    codec.tokenizer.encode(text),
  );
  const runtime = nodeRuntime();
  const pass = await sitePass(runtime, model, layer);
  const rows: Float32Array[] = [];
  for (const ids of passages) {
    const activation = await pass.activation(sequence(ids));
    for (let t = 0; t < ids.length; t++) rows.push(activation.subarray(t * width, (t + 1) * width));
  }
  await runtime.close();
  const mean = Float32Array.from(
    { length: width },
    (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length,
  );
  const norms = rows.map((row) => Math.hypot(...row));

  const { mean: found, metadata } = await written(asked);
  expectClose(found, mean, 1e-6);
  expect(found).toEqual(baseline.mean);
  expect(metadata.site).toBe('resid_post 1');
  const statistics = JSON.parse(metadata.statistics!);
  expect(statistics).toMatchObject({ tokens: rows.length, sinks: 0, passages: 3 });
  expectClose(
    [statistics.norm.mean, statistics.norm.least, statistics.norm.greatest],
    [norms.reduce((sum, x) => sum + x, 0) / norms.length, Math.min(...norms), Math.max(...norms)],
    1e-6,
  );
  expect(Object.keys(JSON.parse(metadata.inputs!))).toEqual(['model', 'adapter', 'corpus']);
});

it('stops at maxTokens and cuts passages at passageTokens', async () => {
  const corpus = put(join(folder, 'zs.jsonl'), Array(3).fill({ text: 'z'.repeat(10) }));
  const read = async (limits: Partial<BaselineRequest>) => {
    const { tokens, passages } = await runBaseline(request({ corpus, ...limits }));
    return [tokens, passages];
  };
  expect(await read({})).toEqual([30, 3]);
  expect(await read({ maxTokens: 10 })).toEqual([10, 1]);
  expect(await read({ maxTokens: 11 })).toEqual([11, 2]);
  expect(await read({ passageTokens: 4 })).toEqual([12, 3]);
  expect(await read({ passageTokens: 4, maxTokens: 9 })).toEqual([9, 3]);
});

it('a corpus that is damaged behind the tokens that are read does no harm', async () => {
  const corpus = put(join(folder, 'late.jsonl'), '{"text":"abcdefgh"}\nnope\n');
  expect(await runBaseline(request({ corpus, maxTokens: 4 }))).toMatchObject({ tokens: 4 });
  await expect(runBaseline(request({ corpus, maxTokens: 40 }))).rejects.toThrow(`${corpus}:2: not JSON`);
});

it('paragraphs of a text file are passages', async () => {
  const corpus = put(join(folder, 'corpus.txt'), 'zzz\nzz\n\n\nzzzz\n');
  expect(await runBaseline(request({ corpus }))).toMatchObject({ passages: 2, tokens: 10 });
});

it.each([
  ['no corpus', { corpus: 'nowhere.jsonl' }, /^nowhere.jsonl: no such file/],
  ['a site that the model does not have', { site: 3 }, /^site resid_post 3: .*model has blocks 0 to 2$/],
  ['a fraction of a site', { site: 0.5 }, /^site resid_post 0.5: /],
])('%s is refused, and nothing is written', async (_, change, message) => {
  const asked = request(change);
  await expect(runBaseline(asked)).rejects.toThrow(message);
  expect(existsSync(join(asked.out, '..'))).toBe(false);
});

it('a folder in the place of the file is refused before any work', async () => {
  const asked = request();
  mkdirSync(asked.out, { recursive: true });
  let stages = 0;
  const progress = {
    stage() {
      stages++;
      return { advance() {}, end() {} };
    },
    note() {},
  };
  await expect(runBaseline({ ...asked, progress })).rejects.toThrow(
    `--out ${asked.out}: expected a file, found a folder`,
  );
  expect(stages).toBe(0);
});
