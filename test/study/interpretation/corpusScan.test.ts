/**
 * A scan of corpora: stopped at any point it goes on to the same result; what it finds is what the model
 * and the encoder give.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { residualPass } from '../../../src/methods/site/residuals.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { type CorpusScanRequest, corpusScan } from '../../../src/study/interpretation/corpusScan.ts';
import { type OpenModel, openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { silent } from '../../../src/study/open/progress.ts';
import { encode } from '../../saes/oracle/oracle.ts';
import { latents as inDictionary, layer, put, putAll, type TinyFolder } from '../../support/tinyFolder.ts';

const folder = mkdtempSync(join(tmpdir(), 'culprit-scan-'));
const runtime = nodeRuntime({ threads: 1 });
const latents = [5, 0, 39, 12, 20];
const texts = Array.from({ length: 12 }, (_, i) => ({
  text: `Text ${i}: ${'Quite a few words. '.repeat(1 + (i % 3))}`,
}));
const others = [{ text: 'Another corpus, of one passage.' }];
let tiny: TinyFolder;
let opened: OpenModel;
let request: CorpusScanRequest;
const corpora: string[] = [];

beforeAll(async () => {
  tiny = await putAll(folder);
  opened = await openModel(tiny.model);
  corpora.push(put(join(folder, 'a.jsonl'), texts), put(join(folder, 'b.jsonl'), others));
  request = {
    ...opened,
    sae: await openSae(tiny.sae),
    layer,
    latents,
    passages: { corpora },
    tokens: 300,
    passageTokens: 40,
    folder: join(folder, 'scan'),
    key: 'one',
    checkpointS: 0,
    clock: () => new Date(0),
    progress: silent,
  };
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Throws at the n-th text. */
const stoppedAt = (n: number): CorpusScanRequest['progress'] => {
  let seen = 0;
  return {
    ...silent,
    stage: () => ({
      advance() {
        if (++seen === n) throw new Error('stopped');
      },
      end() {},
    }),
  };
};

describe('corpusScan', () => {
  it('finds what a loop over every token finds', async () => {
    const scan = await corpusScan(runtime, request);
    const pass = await residualPass(runtime, opened.model, layer);
    const { codec } = opened;
    const inTurn = [texts[0]!, others[0]!, ...texts.slice(1)];
    const found = { tokens: 0, active: latents.map(() => 0), max: latents.map(() => 0) };
    let left = 300;
    for (const { text } of inTurn) {
      const ids = codec.encodePrompt(text).slice(0, Math.min(40, left));
      left -= ids.length;
      if (ids.length === 0) break;
      const { activation, places } = await pass.run(ids);
      const { z } = await encode(request.sae, activation);
      found.tokens += places.length;
      for (const t of places)
        latents.forEach((latent, i) => {
          const value = z[t * inDictionary + latent]!;
          found.active[i]! += Number(value > 0);
          found.max[i] = Math.max(found.max[i]!, value);
        });
    }
    await pass.release();
    scan.latents.forEach(({ tokens, active, max, top }, i) => {
      expect(tokens).toBe(found.tokens);
      expect(active).toBe(found.active[i]);
      expect(max).toBeCloseTo(found.max[i]!, 4);
      for (const { corpus, line, ids, start } of top) {
        const { text } = [texts, others][corpus]![line - 1]!;
        expect(codec.encodePrompt(text).slice(start, start + ids.length)).toEqual(ids);
      }
    });
    await scan.remove();
    expect(existsSync(request.folder)).toBe(false);
  });

  it.each([1, 2, 5, 7])('stopped after %i texts ends with the same', async (n) => {
    const whole = await corpusScan(runtime, { ...request, folder: join(folder, 'whole') });
    await expect(corpusScan(runtime, { ...request, progress: stoppedAt(n) })).rejects.toThrow('stopped');
    expect(existsSync(join(request.folder, 'scan.json'))).toBe(n > 1);
    const again = await corpusScan(runtime, request);
    expect(JSON.stringify(again)).toBe(JSON.stringify(whole));
    await again.remove();
  });

  it('drops a checkpoint of another key, and one that is damaged', async () => {
    const scan = await corpusScan(runtime, { ...request, tokens: 50 });
    const other = await corpusScan(runtime, { ...request, key: 'two' });
    expect(other.latents[0]!.tokens).toBeGreaterThan(scan.latents[0]!.tokens);
    const path = join(request.folder, 'scan.json');
    put(path, readFileSync(path, 'utf8').replace('"texts"', '"text"'));
    expect(JSON.stringify(await corpusScan(runtime, { ...request, key: 'two' }))).toBe(JSON.stringify(other));
    await other.remove();
  });

  it('takes token ids too, and refuses texts without any', async () => {
    const scan = await corpusScan(runtime, { ...request, passages: { ids: [[7, 8, 9], [], [1, 2]] } });
    expect(scan.latents[0]).toMatchObject({ tokens: 5, passages: 2 });
    await scan.remove();
    const none = corpusScan(runtime, { ...request, passages: { ids: [[]] } });
    await expect(none).rejects.toThrow(InputError);
  });
});
