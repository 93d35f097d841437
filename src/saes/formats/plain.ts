/**
 * A single file with W_enc, W_dec and biases and nothing that says how they are used: the user says the kind.
 * W_enc is [d, N] or [N, d] and W_dec [N, d] or [d, N], whichever fits the biases; where d = N, the first.
 * Without said otherwise the bias is subtracted from the input but of a JumpReLU SAE, which is what publishers
 * of files with these names do.
 */
import { InputError } from '../../errors.ts';
import type { SaeKind } from '../kinds/kind.ts';
import { saeKinds } from '../kinds/kinds.ts';
import { renamed, type StoredWeights, type WeightSource } from '../weights.ts';
import type { SaeFolder, SaeFormat, SaeSaid } from './format.ts';
import { holds, onlyFile } from './oneFile.ts';
import { countSaid, unsaid } from './said.ts';
import { openStored } from './stored.ts';

export const plain: SaeFormat = {
  name: 'plain weights',
  asks: true,
  expects: 'one .safetensors, .pt, .pth or .npz with W_enc and W_dec',
  owns: holds('W_enc', 'W_dec'),
  open,
};

const kindNames = saeKinds.map(({ name }) => name).join(', ');

async function open({ where, names, tensors }: SaeFolder, said: SaeSaid = {}) {
  const stored = await tensors(onlyFile(names)!);
  const kind = kindOf(stored, where, said);
  const bias = stored.tensors.get('b_dec');
  const encoderBias = stored.tensors.get(kind.bias);
  const latents = encoderBias?.shape[0] ?? 0;
  const width = bias?.shape[0] ?? otherSide(stored, latents);
  const constants = {
    ...(bias === undefined && { b_dec: 0 }),
    ...(kind.name === 'jumprelu' && thresholdOf(stored, where, said)),
  };
  const own = Object.keys(kind.weights).filter((name) => !Object.hasOwn(constants, name));
  const sources: Record<string, WeightSource> = {
    W_enc: oriented(stored, 'W_enc', [width, latents]),
    W_dec: oriented(stored, 'W_dec', [latents, width]),
    ...(bias && { b_dec: 'b_dec' }),
    ...Object.fromEntries(own.map((name) => [name, name])),
  };
  return openStored({
    kind,
    where,
    trainedOn: { model: undefined, hook: undefined, site: undefined },
    weights: renamed(stored, sources),
    constants,
    subtractBias: said.subtractBias ?? kind.name !== 'jumprelu',
    ...(kind.counts.includes('k') && { counts: { k: countSaid(where, said, latents) } }),
  });
}

/** A threshold means a JumpReLU SAE, and a gate's bias a gated one. */
function kindOf({ tensors }: StoredWeights, where: string, said: SaeSaid): SaeKind {
  const seen = tensors.has('threshold') ? 'jumprelu' : tensors.has('b_gate') ? 'gated' : undefined;
  const name = said.kind ?? seen ?? unsaid(where, 'kind', `the kind (${kindNames})`);
  if (seen !== undefined && name !== seen)
    throw new InputError(`SAE ${where}: expected kind ${seen}, as its tensors say, found ${name}`);
  const kind = saeKinds.find((one) => one.name === name);
  if (kind === undefined)
    throw new InputError(`SAE ${where}: kind: expected ${kindNames}, found ${JSON.stringify(name)}`);
  return kind;
}

function thresholdOf({ tensors }: StoredWeights, where: string, { threshold }: SaeSaid) {
  const isInFile = tensors.has('threshold');
  if (isInFile && threshold !== undefined)
    throw new InputError(`SAE ${where}: expected no threshold, which is in its file, found ${threshold}`);
  return isInFile ? {} : { threshold: threshold ?? unsaid(where, 'threshold', 'the threshold') };
}

/** The side of W_dec that is not of the latents. */
function otherSide({ tensors }: StoredWeights, latents: number): number {
  const [rows = 0, columns = 0] = tensors.get('W_dec')!.shape;
  return rows === latents ? columns : rows;
}

const oriented = (
  { tensors }: StoredWeights,
  name: string,
  [rows, columns]: readonly [number, number],
): WeightSource => {
  const shape = tensors.get(name)!.shape;
  const isOther = rows !== columns && shape[0] === columns && shape[1] === rows;
  return isOther ? { transposed: name } : name;
};
