/**
 * Readings of the real model's own completions against PyTorch: mean residual and mean log-probability.
 * Needs ../shared.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { encodePair, readPairs } from '../../src/files/pairs.ts';
import { openSafetensors, readTensor } from '../../src/files/safetensors.ts';
import { readingPass } from '../../src/methods/judging/reading.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { openModel } from '../../src/study/open/openModel.ts';
import { toFloat32 } from '../../src/tensor.ts';
import { expectClose } from '../support/close.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

describe.skipIf(!shared)('needs ../shared: readings equal PyTorch', () => {
  const runtime = nodeRuntime();
  afterAll(() => runtime.close());

  it('of the first pairs, both completions in one run', async () => {
    const { model, codec } = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    const about = JSON.parse(readFileSync(inShared('golden/attribution.json'), 'utf8')) as {
      losses: [number, number][];
    };
    const golden = await openSafetensors(inShared('golden/attribution.safetensors'));
    const pass = await readingPass(runtime, model, 15);
    const pairs = (await readPairs(inShared('golden/pairs.jsonl'))).slice(0, 4);
    for (const [i, pair] of pairs.entries()) {
      const { promptIds, positiveIds, negativeIds } = encodePair(codec, pair);
      const completions = [positiveIds, negativeIds];
      const readings = (await pass.read([{ prompt: promptIds, completions }]))[0]!;
      readings.forEach(({ logProbability }, side) => {
        expect(Math.abs(logProbability + about.losses[i]![side]!)).toBeLessThan(1e-4);
      });
      if (i > 0) continue;
      const activation = toFloat32(await readTensor(golden.get('pair0.activation')!));
      const d = model.decoder.width;
      const own = Array.from({ length: positiveIds.length }, (_, t) =>
        activation.subarray((promptIds.length + t) * d, (promptIds.length + t + 1) * d),
      );
      const mean = Float32Array.from(
        { length: d },
        (_, k) => own.reduce((sum, row) => sum + row[k]!, 0) / own.length,
      );
      expectClose(readings[0]!.mean, mean, 1e-4);
    }
  });
});
