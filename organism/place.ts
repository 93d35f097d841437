/**
 * Where in the model the persona lives: the length of its direction at the last token of the prompt, block
 * by block. Knows no dictionary.
 */
import { join } from 'node:path';
import { residualPass } from '../src/methods/site/residuals.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { bundleFiles } from '../src/study/demo/bundle.ts';
import { openModel } from '../src/study/open/openModel.ts';
import { directionOf, lastResiduals } from './truth.ts';

/**
 * Prints, for each site of the base model in `folder`, the direction's length as a part of the residual's
 * mean norm.
 */
export async function place(folder: string, seed: number): Promise<void> {
  const { model, codec } = await openModel(join(folder, bundleFiles.model));
  const runtime = nodeRuntime();
  try {
    for (let layer = 0; layer < model.decoder.blocks; layer++) {
      const residuals = await residualPass(runtime, model, layer);
      const encode = (text: string) => codec.encodePrompt(text);
      const pairs = await lastResiduals(residuals, model.decoder.width, encode, seed, 'character');
      const norms = pairs.flatMap(({ present, absent }) => [Math.hypot(...present), Math.hypot(...absent)]);
      const mean = norms.reduce((sum, x) => sum + x, 0) / norms.length;
      const share = Math.hypot(...directionOf(pairs)) / mean;
      process.stdout.write(`resid_post ${layer}: ${share.toFixed(2)}\n`);
      await residuals.release();
    }
  } finally {
    await runtime.close();
  }
}
