/**
 * The files of an attribution in a folder: latents.parquet, attribution.safetensors and, written last,
 * manifest.json.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../../files/safetensors.ts';
import { type Attribution, agreement, ranking } from '../../methods/attribution/attribute.ts';
import { meanContrastiveGradient } from '../../methods/attribution/selectors/gradientCosine.ts';
import type { ContrastRows } from '../../methods/site/contrast.ts';
import { encodeLatents, type LatentRow, type Manifest, resultFiles } from '../../results.ts';
import { i64, tensor, toFloat32 } from '../../tensor.ts';

/** Every latent, first rank first. `signs`: σ [N]. */
export function latentRows({ delta, perContrast }: Attribution, signs: Int8Array): LatentRow[] {
  return Array.from(ranking(delta), (latent, i) => {
    const { sameSign, standardError } = agreement(perContrast, delta.length, latent);
    return {
      latent,
      delta: delta[latent]!,
      rank: i + 1,
      standard_error: standardError,
      same_sign: sameSign,
      sign: signs[latent] === -1 ? -1 : 1,
    };
  });
}

/**
 * attribution.safetensors. Rows of delta_per_token are described by token_pair, token_position,
 * token_branch and token_id; losses, in nats, by loss_pair: of each pair its positives', then its
 * negatives'.
 */
async function writeArrays(
  path: string,
  result: Attribution,
  rows: readonly ContrastRows[],
  baseline: Float32Array,
): Promise<void> {
  const latents = result.delta.length;
  const d = Math.sqrt(result.m.length);
  const about = rows.flatMap(({ tokens }, pair) => tokens.map((t) => ({ ...t, pair })));
  const column = (f: (t: (typeof about)[number]) => number) => i64([about.length], about.map(f));
  const perToken = new Float32Array(about.length * result.top.length);
  let at = 0;
  for (const part of result.perToken) {
    perToken.set(part, at);
    at += part.length;
  }
  const losses = rows.flatMap((row) => row.losses);
  const lossPair = rows.flatMap((row, pair) => row.losses.map(() => pair));
  await writeSafetensors(path, {
    M: tensor('f32', [d, d], result.m),
    gradient: tensor('f32', [d], meanContrastiveGradient(rows, d)),
    baseline: tensor('f32', [d], baseline),
    delta: tensor('f32', [latents], result.delta),
    delta_per_pair: tensor('f32', [rows.length, latents], result.perContrast),
    top: i64([result.top.length], result.top),
    delta_per_token: tensor('f32', [about.length, result.top.length], perToken),
    token_pair: column((t) => t.pair),
    token_position: column((t) => t.position),
    token_branch: column((t) => t.branch),
    token_id: column((t) => t.id),
    losses: tensor('f32', [losses.length], Float32Array.from(losses)),
    loss_pair: i64([losses.length], lossPair),
  });
}

/** Writes the arrays and the table. */
export async function writeAttribution(
  folder: string,
  result: Attribution,
  latents: readonly LatentRow[],
  rows: readonly ContrastRows[],
  baseline: Float32Array,
): Promise<void> {
  await writeArrays(join(folder, resultFiles.attribution), result, rows, baseline);
  await replaceFile(join(folder, resultFiles.latents), async (file) => {
    await file.writeFile(new Uint8Array(encodeLatents(latents)));
  });
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await replaceFile(join(folder, resultFiles.manifest), async (file) => {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
  });
}

/** What a causal test takes from an attribution. d: residual width. */
export interface AttributionArrays {
  /** M [d, d]: Δ_i = −d_iᵀ M d_i */
  readonly m: Float32Array;
  /** the mean contrastive gradient [d] */
  readonly gradient: Float32Array;
  /** ā [d] */
  readonly baseline: Float32Array;
}

/** Throws InputError where the folder's file is of before one of them was kept. */
export async function readAttributionArrays(folder: string): Promise<AttributionArrays> {
  const path = join(folder, resultFiles.attribution);
  const { tensors } = await readSafetensorsHeader(path);
  const read = async (name: string) => {
    const found = tensors.get(name);
    if (found === undefined)
      throw new InputError(
        `${path}: expected a tensor named ${name}, found none: \`culprit attribute ${folder}\` makes it anew`,
      );
    return toFloat32(await readTensor(found));
  };
  return { m: await read('M'), gradient: await read('gradient'), baseline: await read('baseline') };
}
