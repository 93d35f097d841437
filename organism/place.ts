/** Where in the model the persona lives: the length of its direction at the last token of the prompt, block by block. Knows no dictionary. */
import { join } from 'node:path';
import { type ResidualPass, residualPass } from '../src/methods/residuals.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { bundleFiles } from '../src/study/demo/bundle.ts';
import { openModel } from '../src/study/openModel.ts';
import { type Axis, personaProbes } from './probes.ts';

/** The mean difference of the last token's residual over probe pairs [d], and the mean norm of that residual. */
export async function direction(
  residuals: ResidualPass,
  d: number,
  encode: (text: string) => number[],
  seed: number,
  axis: Axis,
  probes = 240,
): Promise<{ direction: Float64Array; norm: number }> {
  const last = async (text: string) => {
    const ids = encode(text);
    return (await residuals.run(ids)).activation.slice((ids.length - 1) * d, ids.length * d);
  };
  const sum = new Float64Array(d);
  let norm = 0;
  const pairs = personaProbes(seed, axis, probes);
  for (const { present, absent } of pairs) {
    const [a, b] = [await last(present), await last(absent)];
    for (let i = 0; i < d; i++) sum[i]! += (a[i]! - b[i]!) / pairs.length;
    norm += (Math.hypot(...a) + Math.hypot(...b)) / 2 / pairs.length;
  }
  return { direction: sum, norm };
}

/** Prints, for each site of the base model in `folder`, the direction's length as a part of the residual's. */
export async function place(folder: string, seed: number): Promise<void> {
  const { model, codec } = await openModel(join(folder, bundleFiles.model));
  const runtime = nodeRuntime();
  try {
    for (let layer = 0; layer < model.decoder.blocks; layer++) {
      const residuals = await residualPass(runtime, model, layer);
      const encode = (text: string) => codec.encodePrompt(text);
      const found = await direction(residuals, model.decoder.width, encode, seed, 'character');
      const share = Math.hypot(...found.direction) / found.norm;
      process.stdout.write(`resid_post ${layer}: ${share.toFixed(2)}\n`);
      await residuals.release();
    }
  } finally {
    await runtime.close();
  }
}
