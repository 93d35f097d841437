/**
 * A pass over blocks of latents whose activations depend on nothing but their own pre-activations, or over one
 * block of a whole dictionary, whatever its kind.
 */
import { gather, input, matmul, mul, param, sum, transpose } from '../graph/build.ts';
import type { Dim } from '../graph/node.ts';
import { simplify } from '../graph/simplify.ts';
import type { Feeds, Session } from '../runtime/runtime.ts';
import { i64, type Tensor, tensor, toFloat32 } from '../tensor.ts';
import {
  type BlockPass,
  type BlockWork,
  blockInputs,
  blockLatents,
  encoderBlock,
  slicesOf,
  type WeightedRows,
} from './blocks.ts';
import type { Collected } from './collected.ts';
import { type Bind, type EncoderValues, encoded, firedOf } from './graph.ts';
import { ranges, readAhead, type Span } from './readAhead.ts';

/** x [T, d], weights [T, 1] → sums over rows [1, n], activations of the latents at `places` [c, T], what is decoded [T, d]. */
function blockGraph({ sae, numbers, latents, decode }: BlockWork, n: Dim, bind: Bind) {
  const { width, kind } = sae;
  const { z } = encoded(input('x', ['tokens', width]), { width, kind, latents: n }, numbers, bind);
  const outputs = {
    total: sum(mul(z, input('weights', ['tokens', 1])), [0]),
    fired: firedOf(z),
    ...(latents.length > 0 && { chosen: gather(transpose(z, [1, 0]), input('places', ['chosen'], 'i64')) }),
    ...(decode && { decoded: matmul(z, bind('W_dec', [n, width])) }),
  };
  return simplify({ outputs });
}

async function valuesOf(work: BlockWork, [from, to]: Span): Promise<EncoderValues> {
  const encoder = await encoderBlock(work, [from, to]);
  return work.decode ? new Map([...encoder, ['W_dec', await work.sae.decoderRows(from, to)]]) : encoder;
}

/** Runs rows on one block. */
async function overBlock(
  { sae }: BlockWork,
  session: Session,
  [from, to]: Span,
  feeds: Feeds,
  rows: WeightedRows,
  into: Collected,
): Promise<void> {
  const chosen = into.chosenIn([from, to]);
  const asked = chosen.length > 0 ? chosen.map((latent) => latent - from) : [0];
  const places = i64([asked.length], asked);
  for (const { first, x, weights } of slicesOf(rows, sae.width, to - from)) {
    const found = await session.run({ ...feeds, x, weights, places });
    const T = x.shape[0]!;
    into.addSums(from, toFloat32(found.total!), toFloat32(found.fired!));
    const z = found.chosen && toFloat32(found.chosen);
    for (const [i, latent] of chosen.entries())
      for (let t = 0; t < T; t++) into.setChosen(first + t, latent, z![i * T + t]!);
    if (found.decoded) into.addDecoded(first, sae.width, toFloat32(found.decoded));
  }
}

/** One block of all latents, which stays in memory. */
export async function wholePass(work: BlockWork): Promise<BlockPass> {
  const all: Span = [0, work.sae.latents];
  const values = await valuesOf(work, all);
  const weights = new Map<string, Tensor>();
  const graph = blockGraph(work, work.sae.latents, (name, shape) => {
    weights.set(name, tensor('f32', shape.map(Number), values.get(name)!));
    return param(name, shape.map(Number));
  });
  const session = await work.runtime.load(graph, weights);
  return {
    run: (rows, into) => overBlock(work, session, all, {}, rows, into),
    release: () => session.release(),
  };
}

/** Blocks that are read from disk at each pass. */
export async function separatePass(work: BlockWork): Promise<BlockPass> {
  const { bind, feeds } = blockInputs();
  const session = await work.runtime.load(blockGraph(work, blockLatents, bind), new Map());
  const blocks = () => ranges(work.sae.latents, work.length);
  return {
    async run(rows, into) {
      for await (const [range, values] of readAhead(blocks(), (part) => valuesOf(work, part)))
        await overBlock(work, session, range, feeds(values, range[1] - range[0]), rows, into);
    },
    release: () => session.release(),
  };
}
