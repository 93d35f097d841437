/** From a folder to an SAE, in whichever published format it lies. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { readJson } from '../../files/jsonFile.ts';
import { openSafetensors, readTensor } from '../../files/safetensors.ts';
import type { SaeFormat } from '../../saes/formats/format.ts';
import { saelens } from '../../saes/formats/saelens.ts';
import { assertWidth, type Sae } from '../../saes/sae.ts';

const formats: readonly SaeFormat[] = [saelens];

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (s) => s.isFile(),
    () => false,
  );
}

/** Opens an SAE folder. Throws InputError where it is in no known format or damaged. */
export async function openSae(folder: string): Promise<Sae> {
  for (const format of formats) {
    const config = join(folder, format.configFile);
    if (!(await isFile(config))) continue;
    const parsed = await readJson(config);
    const tensors = await openSafetensors(join(folder, format.weightsFile));
    return format.open({ config: parsed, tensors, where: folder, read: readTensor });
  }
  const expected = formats.map((f) => `${f.configFile} (${f.name})`).join(', ');
  throw new InputError(`SAE ${folder}: expected a folder with ${expected}`);
}

/** The layer whose resid_post the SAE says that it was trained on. */
export function trainedLayer({ trainedOn: { site } }: Sae): number | undefined {
  return site && (site.kind === 'resid_pre' ? site.layer - 1 : site.layer);
}

/**
 * The layer to work at: the one asked for, else the SAE's own. Throws InputError where neither says, where they differ, or where the SAE's width
 * is not the model's.
 */
export function siteFor(sae: Sae, asked: number | undefined, width: number): number {
  assertWidth(sae, width);
  const own = trainedLayer(sae);
  const layer = asked ?? own;
  if (layer === undefined)
    throw new InputError(`SAE ${sae.where} does not say its site: name the layer with --site`);
  if (own !== undefined && own !== layer)
    throw new InputError(
      `--site ${layer}: the SAE ${sae.where} was trained on resid_post ${own} (${sae.trainedOn.hook})`,
    );
  return layer;
}
