/**
 * 100 latents over a corpus: tokens a second of the scan beside those of the model up to the site alone,
 * passage by passage, in turn so that both meet the same machine.
 */
import { execFileSync } from 'node:child_process';
import { latentScan } from '../src/methods/interpretation/latentScan.ts';
import { PassageFinds } from '../src/methods/interpretation/passages.ts';
import { residualGraph } from '../src/models/passes.ts';
import { sequence, treeFeeds } from '../src/models/tree.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { passageIds } from '../src/study/attribution/baselineRun.ts';
import { inTurn } from '../src/study/open/corpora.ts';
import { openModel } from '../src/study/open/openModel.ts';
import { openSae } from '../src/study/open/openSae.ts';
import { peakMemory } from './machine.ts';

const layer = 15;
const passageTokens = 256;
/** Tokens to read; the aim is told for a million: `BENCH_TOKENS=1000000`. */
const wanted = Number(process.env.BENCH_TOKENS ?? 50_000);

export async function passagesBench(): Promise<void> {
  const { model, codec } = await openModel(execFileSync('../shared/get-model', { encoding: 'utf8' }).trim());
  const sae = await openSae('../shared/saes/smollm2-135m-resid15');
  const latents = Array.from({ length: 100 }, (_, i) => 40 * i);
  const runtime = nodeRuntime();
  const plain = await runtime.load(residualGraph(model, [layer]), model.weights);
  const scan = await latentScan(runtime, model, layer, sae, latents);
  const seen = new PassageFinds(latents.length);
  const corpora = ['chat', 'prose'].map((name) => `../shared/data/corpus/${name}.jsonl`);
  let [tokens, plainMs, scanMs] = [0, 0, 0];
  for await (const { corpus, line, passage } of inTurn(corpora)) {
    if (tokens >= wanted) break;
    const ids = passageIds(passage, codec).slice(0, passageTokens);
    if (ids.length === 0) continue;
    const start = performance.now();
    await plain.run(treeFeeds(sequence(ids)));
    const middle = performance.now();
    seen.add({ corpus, line, ids, z: (await scan.run(ids)).z });
    scanMs += performance.now() - middle;
    plainMs += middle - start;
    tokens += ids.length;
  }
  await runtime.close();
  const rate = (ms: number) => Math.round((1000 * tokens) / ms);
  process.stdout.write(
    `${tokens} tokens, ${latents.length} latents: ${rate(scanMs)} tok/s, ${(plainMs / scanMs).toFixed(2)} of the plain forward to the site (${rate(plainMs)} tok/s); peak memory of both ${peakMemory()?.toFixed(0) ?? '?'} MB\n`,
  );
}
