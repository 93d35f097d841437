/** A text of the reader's own: where a latent is active in it, and what of its loss comes from where. */
import { InputError } from '../../errors.ts';
import { directionsOf } from '../../methods/attribution/score.ts';
import { tokenDeltas } from '../../methods/attribution/tokenDeltas.ts';
import { sitePass } from '../../methods/site/siteGradient.ts';
import { checkSite } from '../../models/passes.ts';
import type { OwnTextRead, ReadBody } from '../../results.ts';
import { openLatents } from '../../saes/encoder.ts';
import { readBaseline } from '../attribution/attributeRun.ts';
import { latentTokens } from '../interpretation/latentPairs.ts';
import { openChosenSae } from '../open/openSae.ts';
import type { SamplingEngine } from './samplingEngine.ts';
import type { StudySteering } from './steerRequest.ts';
import { typedPrompt } from './typedPrompt.ts';

/**
 * δ_t = −(g_t · d)((a_t − ā) · d) in nats, g the gradient of the completion's own mean loss, on prompt and completion;
 * null at attention sinks. The prompt is one user message where the model has a chat template. Throws InputError for
 * a study without a dictionary, site or baseline, a latent that is not there, and texts that have no token or too many.
 */
export async function readOwnText(
  engine: SamplingEngine,
  { sae: path, saeSaid, site, baseline: file }: StudySteering,
  { latent, prompt, completion }: ReadBody,
): Promise<OwnTextRead> {
  if (path === undefined || site === undefined)
    throw new InputError('read: expected a study whose dictionary says its site');
  if (file === undefined)
    throw new InputError('read: expected a study that has a baseline: `culprit run` measures it');
  const { model, codec } = await engine.model();
  checkSite(model, site);
  const { width, context } = model.decoder;
  const sae = await openChosenSae({ path, ...saeSaid });
  if (latent >= sae.latents)
    throw new InputError(`read: expected a latent below ${sae.latents}, found ${latent}`);
  const asked = typedPrompt(codec, prompt);
  const ids = { prompt: codec.encodePrompt(asked), completion: codec.encodeCompletion(asked, completion) };
  for (const [part, own] of Object.entries(ids))
    if (own.length === 0) throw new InputError(`read: ${part}: the vocabulary has no token of it`);
  const tokens = ids.prompt.length + ids.completion.length;
  if (tokens > context)
    throw new InputError(
      `read: expected at most the ${context} tokens that the model takes, found ${tokens}`,
    );
  const baseline = await readBaseline(file, width, site);
  const contrast = { id: 'read', prompt: ids.prompt, positives: [ids.completion], negatives: [] };
  const pass = await sitePass(engine.runtime, model, site);
  try {
    const found = await tokenDeltas(pass, contrast, await directionsOf(sae, [latent]), { baseline });
    const encoder = await openLatents(engine.runtime, sae, [latent]);
    try {
      const seen = { ...found, z: await encoder.encode(found.activation) };
      const at = (from: number, to: number) => latentTokens(seen, [from, to], { i: 0, n: 1 }, codec);
      const { start, end } = found.tree.branches[0]!;
      const losses = found.nll[0]!;
      return {
        kind: 'read',
        prompt: at(0, found.tree.prompt),
        completion: at(start, end),
        loss: losses.reduce((sum, x) => sum + x, 0) / losses.length,
      };
    } finally {
      await encoder.release();
    }
  } finally {
    await pass.release();
  }
}
