/**
 * What the SAE's encoder, which Δ ignores on purpose, says of the same tokens: docs/method.md section 3.
 * Shapes: R rows (tokens of the set), d residual width, N latents, K of them chosen.
 */
import { greaterOrEqual, input, matmul, mul, neg, scalar, sum, where } from '../../graph/build.ts';
import { simplify } from '../../graph/simplify.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { heldValues, openEncoder } from '../../saes/encoder.ts';
import type { Sae } from '../../saes/sae.ts';
import { tensor, toFloat32 } from '../../tensor.ts';
import { joined } from '../site/residuals.ts';
import { type DecoderRows, directionsOf } from './score.ts';

export interface EncoderEvidence {
  /** 1 for a latent that is active at any of the tokens [N] */
  readonly alive: Uint8Array;
  /**
   * Σ of δ over the tokens at which the latent is not active, over Σ of all [K]. Below 0 or above 1 where the
   * two parts have different signs.
   */
  readonly silentShare: readonly number[];
  /** −Σ_t (ĝ_t·d_i) z_{i,t}, over the number of contrasts [K]: the latent switched off by its own activation */
  readonly activationDelta: readonly number[];
}

/** Activations held at once, a few arrays of this many values: 64 MiB each. */
const activationsAtOnce = 1 << 24;

/** Contrasts gathered while they have at most so many values, but at least one. */
function* batches(contrasts: readonly DecoderRows[], values: number): Generator<DecoderRows[]> {
  let batch: DecoderRows[] = [];
  let held = 0;
  for (const rows of contrasts) {
    if (batch.length > 0 && held + rows.gradient.length > values) {
      yield batch;
      [batch, held] = [[], 0];
    }
    batch.push(rows);
    held += rows.gradient.length;
  }
  if (batch.length > 0) yield batch;
}

/** The rows a − ā with ā [d] put back. */
const uncentred = (centred: Float32Array, baseline: Float32Array): Float32Array =>
  centred.map((x, at) => x + baseline[at % baseline.length]!);

/** `baseline`: ā [d]; `held` as openEncoder has it. Throws RangeError for a latent that the SAE does not have. */
export async function encoderEvidence(
  runtime: Runtime,
  contrasts: readonly DecoderRows[],
  baseline: Float32Array,
  sae: Sae,
  chosen: readonly number[],
  held = heldValues,
): Promise<EncoderEvidence> {
  const { width: d, latents } = sae;
  const k = chosen.length;
  const [gradient, centred] = [input('gradient', ['R', d]), input('centred', ['R', d])];
  const z = input('z', ['R', k]);
  const directions = input('directions', [k, d]);
  const slope = matmul(gradient, directions, { transB: true });
  const delta = neg(mul(slope, matmul(centred, directions, { transB: true })));
  const silent = where(greaterOrEqual(scalar(0), z), delta, scalar(0));
  const sums = { total: sum(delta, [0]), silent: sum(silent, [0]), activation: neg(sum(mul(slope, z), [0])) };
  const session = await runtime.load(simplify({ outputs: sums }), new Map());
  const encoder = await openEncoder(runtime, sae, { latents: chosen, held });
  const fixed = { directions: tensor('f32', [k, d], await directionsOf(sae, chosen)) };
  const alive = new Uint8Array(latents);
  const added = { total: new Float64Array(k), silent: new Float64Array(k), activation: new Float64Array(k) };
  const rowsAtOnce = Math.max(encoder.rowsAtOnce, Math.floor(activationsAtOnce / latents));
  for (const batch of batches(contrasts, rowsAtOnce * d)) {
    const [gradients, rows] = [joined(batch.map((of) => of.gradient)), joined(batch.map((of) => of.centred))];
    const shape = [gradients.length / d, d];
    const own = await encoder.encode(uncentred(rows, baseline));
    own.fired.forEach((n, i) => {
      if (n > 0) alive[i] = 1;
    });
    const found = await session.run({
      ...fixed,
      gradient: tensor('f32', shape, gradients),
      centred: tensor('f32', shape, rows),
      z: tensor('f32', [shape[0]!, k], own.z),
    });
    for (const name of ['total', 'silent', 'activation'] as const)
      toFloat32(found[name]!).forEach((x, i) => {
        added[name][i]! += x;
      });
  }
  await Promise.all([session.release(), encoder.release()]);
  return {
    alive,
    silentShare: Array.from(added.silent, (x, i) => x / added.total[i]!),
    activationDelta: Array.from(added.activation, (x) => x / contrasts.length),
  };
}
