/**
 * The files of an attribution in a folder: latents.parquet, attribution.safetensors and, written last,
 * manifest.json.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../../files/safetensors.ts';
import { type Attribution, ranking, sameSign } from '../../methods/attribution/attribute.ts';
import type { LatentEvidence } from '../../methods/attribution/latentEvidence.ts';
import type { ContrastRows } from '../../methods/site/contrast.ts';
import { encodeLatents, type LatentRow, type Manifest, resultFiles } from '../../results.ts';
import { i64, tensor, toFloat32 } from '../../tensor.ts';

/** Every latent, first rank first. */
export function latentRows({ delta, perContrast }: Attribution, evidence: LatentEvidence): LatentRow[] {
  const { signs, standardErrors, flips, q, alive, silentShare, activationDelta, deflated, ranks } = evidence;
  return Array.from(ranking(delta), (latent, i) => {
    const range = ranks?.[i];
    return {
      latent,
      delta: delta[latent]!,
      rank: i + 1,
      standard_error: standardErrors[latent]!,
      same_sign: sameSign(perContrast, delta.length, latent),
      sign: signs[latent] === -1 ? -1 : 1,
      p: flips.p[latent]!,
      q: alive[latent] === 1 ? q[latent]! : null,
      silent_share: silentShare[i] ?? null,
      activation_delta: activationDelta[i] ?? null,
      deflated: deflated[latent]!,
      rank_low: range?.low ?? null,
      rank_high: range?.high ?? null,
    };
  });
}

/** What a manifest tells of how sure a ranking is. */
export function evidenceCounts({
  clusters,
  alive,
  flips,
  q,
  splitHalf,
}: LatentEvidence): Record<string, number> {
  return {
    clusters,
    alive: alive.reduce((sum, one) => sum + one, 0),
    sign_flips: flips.flips,
    q_below_05: q.filter((x) => x < 0.05).length,
    first_max_p: flips.maxP,
    ...(splitHalf && { split_half_overlap: splitHalf.overlap, split_half_chance: splitHalf.chance }),
  };
}

/** What an attribution was made from. */
export interface AttributedFrom {
  readonly rows: readonly ContrastRows[];
  /** ā [d] */
  readonly baseline: Float32Array;
}

/**
 * attribution.safetensors. Rows of delta_per_token are described by token_pair, token_position,
 * token_branch and token_id; losses, in nats, by loss_pair: of each pair its positives', then its
 * negatives'.
 */
async function writeArrays(
  path: string,
  result: Attribution,
  gradient: Float32Array,
  { rows, baseline }: AttributedFrom,
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
    gradient: tensor('f32', [d], gradient),
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
  { gradient }: LatentEvidence,
  latents: readonly LatentRow[],
  from: AttributedFrom,
): Promise<void> {
  await writeArrays(join(folder, resultFiles.attribution), result, gradient, from);
  await replaceFile(join(folder, resultFiles.latents), async (file) => {
    await file.writeFile(new Uint8Array(encodeLatents(latents)));
  });
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await replaceFile(join(folder, resultFiles.manifest), async (file) => {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
  });
}

/** What later stages take from an attribution. d: residual width. */
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
