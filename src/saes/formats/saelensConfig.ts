/**
 * Reads the `cfg.json` of an SAE that SAELens saved: version 6 (what describes the training in `metadata`)
 * and the flat layout before it, with the names that its own loader still accepts. Defaults and meanings:
 * sae-lens 6.54.12. A setting that would change the arithmetic in a way not implemented here is an
 * InputError; other unknown settings do not matter.
 */
import type { SaeParts } from '../dictionary.ts';
import type { SaeKind } from '../kinds/kind.ts';
import type { Normalisation } from '../normalise.ts';
import { Settings } from './settings.ts';
import { siteOf } from './site.ts';

export interface SaelensConfig
  extends Pick<SaeParts, 'kind' | 'counts' | 'subtractBias' | 'normalisation' | 'trainedOn'> {
  /** d */
  readonly width: number;
  /** N */
  readonly latents: number;
  /** `topk` only. */
  readonly rescaled: boolean;
}

/** SAELens' name of a kind. */
const architectureOf = ({ name }: SaeKind) => (name === 'relu' ? 'standard' : name);

/** Throws InputError naming the setting and its value. */
export function readSaelensConfig(config: unknown, where: string, kinds: readonly SaeKind[]): SaelensConfig {
  const top = new Settings(config, `${where}: cfg.json`);
  const metadata = top.object('metadata');
  const hookHolder = [metadata, top].find((s) => s.get(hookField(s)) !== undefined) ?? top;
  const hook = hookOf(hookHolder);
  for (const settings of [top, metadata]) rejectOtherArithmetic(settings, hook);
  const kind = kindOf(top, kinds);
  const width = top.count('d_in', 1, 2 ** 31);
  const latents = top.count('d_sae', 1, 2 ** 31);
  if (top.get('d_out') !== undefined && top.get('d_out') !== width) top.fail('d_out', `d_in (${width})`);
  rejectReshape(top, hook);
  const rescaled = top.flag('rescale_acts_by_decoder_norm', false);
  if (rescaled && kind.name !== 'topk')
    top.fail('rescale_acts_by_decoder_norm', `false with architecture ${architectureOf(kind)}`);
  return {
    kind,
    width,
    latents,
    counts: Object.fromEntries(kind.counts.map((name) => [name, countOf(top, name, latents)])),
    rescaled,
    subtractBias: top.flag('apply_b_dec_to_input', true),
    normalisation: normalisationOf(top, width),
    trainedOn: { model: metadata.text('model_name') ?? top.text('model_name'), hook, site: siteOf(hook) },
  };
}

function hookField(settings: Settings): string {
  return settings.given('hook_name', 'hook_point');
}

/** The hook's name. The oldest files write its layer apart. */
function hookOf(settings: Settings): string | undefined {
  const hook = settings.text(hookField(settings));
  if (!hook?.includes('{layer}')) return hook;
  const layer = settings.count(settings.given('hook_layer', 'hook_point_layer'), 0, 999_999);
  return hook.replaceAll('{layer}', String(layer));
}

/** `standard` with the activation function `topk` is how version 5 and older wrote a top-k SAE. */
function kindOf(top: Settings, kinds: readonly SaeKind[]): SaeKind {
  const named = top.choice('architecture', kinds.map(architectureOf), 'standard');
  const field = top.given('activation_fn_str', 'activation_fn');
  const activation = top.choice(field, ['relu', 'topk'], named === 'topk' ? 'topk' : 'relu');
  if (activation === 'topk' && named !== 'standard' && named !== 'topk')
    top.fail(field, `relu with architecture ${named}`);
  const architecture = activation === 'topk' ? 'topk' : named;
  return kinds.find((kind) => architectureOf(kind) === architecture) ?? top.fail(field, 'relu');
}

/** One of the kind's counts, which older versions wrote among the activation function's arguments. */
function countOf(top: Settings, name: string, latents: number): number {
  const options = top.object('activation_fn_kwargs');
  const holder = options.get(name) === undefined ? top : options;
  const count = holder.count(name, 1, latents, ' (d_sae)');
  if (top.get(name) !== undefined && top.get(name) !== count)
    top.fail(name, `activation_fn_kwargs.${name} (${count})`);
  return count;
}

/**
 * `expected_average_only_in` (once written `true`) does nothing when SAELens runs a loaded SAE: the average
 * norm is either folded into the weights or known to its release list alone. Directions are right in both
 * cases. `covariance_whitening` left unfolded would turn them, so it is refused.
 */
function normalisationOf(top: Settings, width: number): Normalisation {
  const field = 'normalize_activations';
  if (typeof top.get(field) === 'boolean') return 'none';
  const choices = ['none', 'expected_average_only_in', 'constant_norm_rescale', 'layer_norm'] as const;
  const how = top.choice(field, choices, 'none');
  if (how === 'layer_norm' && width < 2) top.fail(field, 'another normalisation for d_in 1');
  return how === 'expected_average_only_in' ? 'none' : how;
}

/** Version 5 and older implied `hook_z` by the hook's name. */
function rejectReshape(top: Settings, hook: string | undefined): void {
  top.choice('reshape_activations', ['none'], 'none');
  if (hook?.includes('hook_z') && top.get('reshape_activations') === undefined)
    top.fail('reshape_activations', `none (hook ${hook} implies hook_z)`);
}

function rejectOtherArithmetic(settings: Settings, hook: string | undefined): void {
  if (
    settings.get('finetuning_scaling_factor') !== false &&
    settings.get('finetuning_scaling_factor') !== undefined
  )
    settings.fail('finetuning_scaling_factor', 'false');
  for (const field of ['hook_head_index', 'hook_point_head_index', 'hook_head_index_out'])
    if (settings.get(field) !== undefined) settings.fail(field, 'null (all heads)');
  const out = settings.get('hook_name_out');
  if (out !== undefined && out !== hook)
    settings.fail('hook_name_out', hook === undefined ? 'null' : `the hook it reads (${hook})`);
}
