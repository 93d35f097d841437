/** The logit lens and the nearest latents against slow float64 loops. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Dictionary } from '../../../src/methods/attribution/score.ts';
import { logitLens } from '../../../src/methods/interpretation/logitLens.ts';
import { cosines, neighbours } from '../../../src/methods/interpretation/neighbours.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { f32 } from '../../../src/tensor.ts';
import { draw } from '../../support/opCases.ts';
import { normal, type Tiny, tinyModel } from '../../support/tinyModel.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.close());

/** A dictionary of unit directions [N, d]; those named are zeros. */
function dictionaryOf(
  latents: number,
  width: number,
  zeros: readonly number[] = [],
): Dictionary & { rows: number[][] } {
  const data = normal(draw(7), [latents, width], 1).data;
  const rows = Array.from({ length: latents }, (_, i) => {
    const row = [...data.subarray(i * width, (i + 1) * width)];
    const size = Math.hypot(...row);
    return row.map((x) => (zeros.includes(i) ? 0 : Math.fround(x / size)));
  });
  return {
    width,
    latents,
    rows,
    decoderRows: async (from, to) => Float32Array.from(rows.slice(from, to).flat()),
  };
}

/** dot and cosine of a direction with every unembedding row, the gain folded in. */
function slow({ config, weights }: Tiny, direction: readonly number[]) {
  const name = config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  const [w, gain] = [weights.get(name)!.data, weights.get('model.norm.weight')!.data];
  const d = config.hidden_size;
  return Array.from({ length: config.vocab_size }, (_, id) => {
    const row = Array.from({ length: d }, (_, j) => w[id * d + j]! * gain[j]!);
    const dot = row.reduce((sum, x, j) => sum + x * direction[j]!, 0);
    const size = Math.hypot(...row);
    return { id, dot, cosine: size === 0 ? 0 : dot / size };
  });
}

function withZeroRow(tiny: Tiny, name: string): Tiny {
  const table = tiny.weights.get(name)!;
  const d = tiny.config.hidden_size;
  const data = table.data.map((x, i) => (i < d ? 0 : x));
  tiny.weights.set(name, f32(table.shape, data));
  return tiny;
}

describe('logitLens', () => {
  const cases = [
    ['tied', withZeroRow(tinyModel({ tied: true }), 'model.embed_tokens.weight')],
    ['untied', tinyModel({ tied: false, seed: 3 })],
  ] as const;

  it.each(cases)('equals the direct loop, %s', async (_, tiny) => {
    // gains that differ, so that leaving them out shows
    tiny.weights.set('model.norm.weight', normal(draw(9), [tiny.config.hidden_size], 1));
    const dictionary = dictionaryOf(12, tiny.config.hidden_size);
    const latents = [3, 11, 0];
    const lens = await logitLens(runtime, tiny.model, dictionary, latents, 5);
    expect(lens).toHaveLength(3);
    latents.forEach((latent, i) => {
      const all = slow(tiny, dictionary.rows[latent]!);
      for (const by of ['cosine', 'dot'] as const)
        for (const end of ['top', 'bottom'] as const) {
          const sorted = [...all].sort((a, b) => (end === 'top' ? b[by] - a[by] : a[by] - b[by])).slice(0, 5);
          const found = lens[i]![by][end];
          expect(found.map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
          found.forEach(({ dot, cosine }, j) => {
            expect(dot).toBeCloseTo(sorted[j]!.dot, 5);
            expect(cosine).toBeCloseTo(sorted[j]!.cosine, 5);
          });
        }
    });
  });

  it('is the same over a vocabulary that is gone through in parts', async () => {
    const [, tiny] = cases[0];
    const dictionary = dictionaryOf(12, tiny.config.hidden_size);
    const whole = await logitLens(runtime, tiny.model, dictionary, [3, 11, 0], 5);
    const table = 4 * tiny.config.vocab_size * tiny.config.hidden_size;
    for (const weights of [table, 2 * table, 1]) {
      const limited = { ...runtime, limit: { weights, values: 1 } };
      expect(await logitLens(limited, tiny.model, dictionary, [3, 11, 0], 5)).toEqual(whole);
    }
  });

  it('lists the whole vocabulary where more is asked; a row of zeros has cosine 0, and equal ones stand by id', async () => {
    const [, tiny] = cases[0];
    const [lens] = await logitLens(
      runtime,
      tiny.model,
      dictionaryOf(4, tiny.config.hidden_size, [2]),
      [2],
      1000,
    );
    const { top, bottom } = lens!.cosine;
    expect(top).toHaveLength(tiny.config.vocab_size);
    expect(top.map(({ id }) => id)).toEqual([...top.keys()]);
    expect([...top, ...bottom].every(({ cosine, dot }) => cosine === 0 && dot === 0)).toBe(true);
  });

  it('refuses a latent that is not there', async () => {
    const [, tiny] = cases[1];
    const dictionary = dictionaryOf(4, tiny.config.hidden_size);
    const strict: Dictionary = {
      ...dictionary,
      decoderRows: async (from, to) => {
        if (to > 4) throw new RangeError(`rows ${from} to ${to}`);
        return dictionary.decoderRows(from, to);
      },
    };
    await expect(logitLens(runtime, tiny.model, strict, [4])).rejects.toThrow(RangeError);
  });
});

describe('neighbours', () => {
  it('equal the direct loop over several chunks, without oneself and without dead latents', async () => {
    const dictionary = dictionaryOf(5000, 6, [17, 4999]);
    const latents = [4998, 0, 2047];
    const found = await neighbours(runtime, dictionary, latents, 7);
    latents.forEach((latent, i) => {
      const own = dictionary.rows[latent]!;
      const sorted = dictionary.rows
        .map((row, other) => ({ latent: other, cosine: row.reduce((sum, x, j) => sum + x * own[j]!, 0) }))
        .filter(({ latent: other }) => other !== latent && ![17, 4999].includes(other))
        .sort((a, b) => b.cosine - a.cosine)
        .slice(0, 7);
      expect(found[i]!.map((one) => one.latent)).toEqual(sorted.map((one) => one.latent));
      found[i]!.forEach(({ cosine }, j) => {
        expect(cosine).toBeCloseTo(sorted[j]!.cosine, 6);
      });
    });
  });

  it('are all the others of a small dictionary', async () => {
    const [found] = await neighbours(runtime, dictionaryOf(4, 6), [1], 10);
    expect(found!.map(({ latent }) => latent).sort()).toEqual([0, 2, 3]);
  });
});

it('cosines are of every two', () => {
  expect(cosines(Float32Array.of(1, 0, 0.6, 0.8), 2)).toEqual([
    [1, Math.fround(0.6)],
    [Math.fround(0.6), expect.closeTo(1, 6)],
  ]);
});
