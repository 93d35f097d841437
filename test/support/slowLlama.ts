/**
 * The Llama forward pass straight from its formulas, in float64 loops over one plain sequence: no graph, no
 * mask tensor, none of the project's code. What the project's graphs are held against.
 */
import type { Tensor } from '../../src/tensor.ts';
import type { TinyConfig } from './tinyModel.ts';

type Row = readonly number[];
type Weights = ReadonlyMap<string, Tensor>;

const dot = (a: Row, b: Row) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const plus = (a: Row, b: Row) => a.map((x, i) => x + b[i]!);

/** Rows of a float32 weight [m, n]. */
function matrix(weights: Weights, name: string): number[][] {
  const { shape, data } = weights.get(name)!;
  const n = shape[1]!;
  return Array.from({ length: shape[0]! }, (_, i) => Array.from(data.subarray(i * n, (i + 1) * n), Number));
}

function vector(weights: Weights, name: string): number[] | undefined {
  const found = weights.get(name);
  return found && Array.from(found.data, Number);
}

/** W x + b, b only where the model has one. */
function linear(weights: Weights, module: string, rows: readonly Row[]): number[][] {
  const w = matrix(weights, `${module}.weight`);
  const b = vector(weights, `${module}.bias`);
  return rows.map((x) => w.map((row, o) => dot(row, x) + (b?.[o] ?? 0)));
}

function norm(weights: Weights, name: string, rows: readonly Row[], epsilon: number): number[][] {
  const w = vector(weights, `${name}.weight`)!;
  return rows.map((x) => {
    const r = Math.sqrt(dot(x, x) / x.length + epsilon);
    return x.map((v, i) => (w[i]! * v) / r);
  });
}

/** Radians a position of frequency pair i; float32 as published implementations keep them. */
function frequency(c: TinyConfig, i: number, factors: Row | undefined): number {
  const plain = 1 / c.rope_theta ** ((2 * i) / c.head_dim);
  const scaling = (c.rope_scaling ?? {}) as Record<string, number | string>;
  const kind = scaling.rope_type ?? scaling.type ?? 'default';
  if (kind === 'default') return Math.fround(plain);
  if (kind === 'factors') return Math.fround(plain) / factors![i]!;
  const factor = Number(scaling.factor);
  if (kind === 'linear') return Math.fround(plain / factor);
  // turns within the original context: few of them (low) are slowed down by the factor, many (high) kept
  const turns = (Number(scaling.original_max_position_embeddings) * plain) / (2 * Math.PI);
  const [low, high] = [Number(scaling.low_freq_factor), Number(scaling.high_freq_factor)];
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return Math.fround(kept * plain + (1 - kept) * (plain / factor));
}

/** One head's vector turned to its position: pairs (i, i + h/2). */
function rotated(c: TinyConfig, x: Row, position: number, factors: Row | undefined): number[] {
  const half = c.head_dim / 2;
  return x.map((_, i) => {
    const angle = position * frequency(c, i % half, factors);
    const [re, im] = [x[i % half]!, x[(i % half) + half]!];
    return i < half
      ? re * Math.cos(angle) - im * Math.sin(angle)
      : im * Math.cos(angle) + re * Math.sin(angle);
  });
}

const headOf = (row: Row, head: number, h: number) => row.slice(head * h, (head + 1) * h);

/** Causal attention of one query head over its keys and values [t][h]. */
function attend(queries: readonly Row[], keys: readonly Row[], values: readonly Row[]): number[][] {
  return queries.map((q, t) => {
    const e = keys.slice(0, t + 1).map((k) => Math.exp(dot(q, k) / Math.sqrt(q.length)));
    const sum = e.reduce((s, x) => s + x, 0);
    return q.map((_, i) => e.reduce((s, x, j) => s + (x / sum) * values[j]![i]!, 0));
  });
}

function block(c: TinyConfig, weights: Weights, layer: number, x: readonly Row[]): number[][] {
  const at = `model.layers.${layer}`;
  const [h, group] = [c.head_dim, c.num_attention_heads / c.num_key_value_heads];
  const n = norm(weights, `${at}.input_layernorm`, x, c.rms_norm_eps);
  const project = (name: string) => linear(weights, `${at}.self_attn.${name}`, n);
  const [q, k, v] = [project('q_proj'), project('k_proj'), project('v_proj')];
  const factors = vector(weights, 'rope_freqs.weight');
  const turned = (rows: readonly Row[], head: number) =>
    rows.map((row, t) => rotated(c, headOf(row, head, h), t, factors));
  const heads = Array.from({ length: c.num_attention_heads }, (_, head) => {
    const shared = Math.floor(head / group);
    return attend(
      turned(q, head),
      turned(k, shared),
      v.map((row) => headOf(row, shared, h)),
    );
  });
  const mixed = x.map((_, t) => heads.flatMap((head) => head[t]!));
  const middle = linear(weights, `${at}.self_attn.o_proj`, mixed).map((row, t) => plus(row, x[t]!));
  const m = norm(weights, `${at}.post_attention_layernorm`, middle, c.rms_norm_eps);
  const up = linear(weights, `${at}.mlp.up_proj`, m);
  const gated = linear(weights, `${at}.mlp.gate_proj`, m).map((row, t) =>
    row.map((g, i) => (g / (1 + Math.exp(-g))) * up[t]![i]!),
  );
  return linear(weights, `${at}.mlp.down_proj`, gated).map((row, t) => plus(row, middle[t]!));
}

export interface SlowModel {
  readonly config: TinyConfig;
  readonly weights: Weights;
}

/** The residual stream after each block, [block][t][d]. */
export function slowResiduals({ config: c, weights }: SlowModel, ids: Row): number[][][] {
  const table = matrix(weights, 'model.embed_tokens.weight');
  let x = ids.map((id) => table[id]!);
  return Array.from({ length: c.num_hidden_layers }, (_, layer) => {
    x = block(c, weights, layer, x);
    return x;
  });
}

/** Logits [t][V] from the residual after block `layer`. */
export function slowHead(
  { config: c, weights }: SlowModel,
  layer: number,
  residual: readonly Row[],
): number[][] {
  let x = residual;
  for (let next = layer + 1; next < c.num_hidden_layers; next++) x = block(c, weights, next, x);
  const n = norm(weights, 'model.norm', x, c.rms_norm_eps);
  const rows = matrix(weights, c.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  return n.map((y) => rows.map((row) => dot(row, y)));
}

/** −ln p of each completion token, in nats: ids from `prompt` on, each predicted by the place before it. */
export function slowLosses(logits: readonly Row[], ids: Row, prompt: number): number[] {
  return ids.slice(prompt).map((id, i) => {
    const row = logits[prompt + i - 1]!;
    const top = Math.max(...row);
    return top + Math.log(row.reduce((s, x) => s + Math.exp(x - top), 0)) - row[id]!;
  });
}
