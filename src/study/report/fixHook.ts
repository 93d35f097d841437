/** A fix as Python for PyTorch's transformers, and its card. Pure text. */
import { type FixRecord, fixFinding, type StageRecord } from '../../results.ts';

/** The hook's file. */
export const hookName = 'apply_fix.py';

/**
 * The arithmetic of docs/method.md section 5 at `resid_post L`, the output of the model's block L: a_t ← a_t + Σ_k
 * (min(max(p_k, low_k), high_k) − p_k) dual_k, p_k = a_t · directions_k, but at attention sinks.
 */
export const fixHook = `"""Holds the projections of fix.safetensors while a model of transformers reads and writes.

    model = AutoModelForCausalLM.from_pretrained(...)   # the subject, its adapter loaded
    handle = apply_fix(model, "fix.safetensors")        # handle.remove() undoes it
    model.generate(...)                                 # one prompt at a time, or without padding; with its cache
"""
import torch
from safetensors import safe_open


def apply_fix(model, path="fix.safetensors"):
    with safe_open(path, "pt") as f:
        about = f.metadata()
        directions, dual, low, high = (f.get_tensor(n) for n in ("directions", "dual", "low", "high"))
    layer, tokens, seen = int(about["site"].split()[1]), about["tokens"], {}
    lists = [m for n, m in model.named_modules() if n.split(".")[-1] in ("layers", "h") and hasattr(m, "__len__")]

    def hook(module, inputs, output):
        x = output[0] if isinstance(output, tuple) else output
        a, to = x.float(), {"device": x.device, "dtype": torch.float32}
        norms, is_prompt = a.norm(dim=-1), x.shape[1] > 1
        if is_prompt:  # an attention sink's norm exceeds 10 times the (lower) median of its prompt's
            seen["sink"] = 10 * norms.median(dim=-1, keepdim=True).values
        if tokens != "all" and (tokens == "prompt") != is_prompt:
            return output
        p = a @ directions.to(**to).T
        held = torch.maximum(torch.minimum(p, high.to(**to)), low.to(**to))
        moved = a + (held - p) @ dual.to(**to)
        kept = torch.where((norms > seen["sink"]).unsqueeze(-1), a, moved).to(x.dtype)
        return (kept, *output[1:]) if isinstance(output, tuple) else kept

    return lists[0][layer].register_forward_hook(hook)
`;

const operations = {
  remove: 'each projection is held at that of the mean activation (the baseline)',
  cap: 'each projection, taken along the direction that favours the behaviour, is held below a bound',
} as const;

/** README.md of the folder. */
export function fixCard(
  record: FixRecord & { readonly fix: NonNullable<FixRecord['fix']> },
  { inputs, versions }: Pick<StageRecord, 'inputs' | 'versions'>,
): string {
  const { lead, besides, against } = fixFinding(record);
  const { fix, site, tokens, behaviour } = record;
  const hashes = Object.entries(inputs).map(([name, { sha256 }]) => `| ${name} | \`${sha256}\` |`);
  return [
    `# A fix for ${behaviour}`,
    '',
    `${lead}${besides === undefined ? '' : ` ${besides}`}`,
    ...(against.length === 0 ? [] : ['', 'What speaks against it:', '']),
    ...against.map((text) => `- ${text}`),
    '',
    '| | |',
    '|---|---|',
    `| operation | ${fix.operation}: ${operations[fix.operation]} |`,
    `| site | ${site}: the output of block ${site.split(' ')[1]}, the first being 0 |`,
    `| tokens | ${tokens}, but attention sinks: a norm above 10 times the median of the prompt's tokens |`,
    `| latents | ${fix.latents.join(', ')} |`,
    `| made by | ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')} |`,
    '',
    '`fix.safetensors` has `directions` and `dual` [K, d], `low` and `high` [K], and `baseline` [d]:',
    '',
    '    a ← a + Σ_k (min(max(p_k, low_k), high_k) − p_k) dual_k,    p_k = a · directions_k',
    '',
    `\`${hookName}\` does that in PyTorch's transformers. It cannot be said as a vector that is added, such as a control`,
    'vector of llama.cpp: how far a token is moved depends on where it is. Nor is it an edit of the weights, for later',
    'blocks would read what earlier ones have written before it is held.',
    '',
    'Of what it was measured with (SHA-256; `sampled-` where a large file counts by samples):',
    '',
    '| | |',
    '|---|---|',
    ...hashes,
    '',
  ].join('\n');
}
