/** The bundled organism opened: its base model, its dictionary, and what is known of the truth. */
import { join } from 'node:path';
import type { Sae } from '../../src/saes/sae.ts';
import { bundleFiles, bundleFolder, readTruth, type Truth } from '../../src/study/demo/bundle.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { openSae, siteFor } from '../../src/study/open/openSae.ts';

export interface Organism {
  readonly base: OpenModel;
  readonly sae: Sae;
  /** L of resid_post L */
  readonly layer: number;
  readonly truth: Truth;
}

export async function openOrganism(folder = bundleFolder): Promise<Organism> {
  const base = await openModel(join(folder, bundleFiles.model));
  const sae = await openSae(join(folder, bundleFiles.sae));
  const truth = await readTruth(folder);
  return { base, sae, layer: siteFor(sae, truth.site, base.model.decoder.width), truth };
}
