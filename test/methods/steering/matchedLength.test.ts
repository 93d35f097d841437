/** Effects at matched length, and of both shares, on made-up completions whose truth is known. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { describe, expect, it } from 'vitest';
import { generatorOf } from '../../../src/methods/statistics/random.ts';
import { effectAtMatchedLength, type LengthItem } from '../../../src/methods/steering/matchedLength.ts';
import { shareOfAll, shareOfCoherent } from '../../../src/methods/steering/shareEffects.ts';

/** Completions whose chance to be positive follows from their length and their side. */
function made(
  seed: number,
  lengths: (uniform: number) => number,
  chance: (tokens: number) => number,
  count = 400,
): LengthItem[] {
  const random = generatorOf(seed);
  return Array.from({ length: count }, (_, i) => {
    const tokens = Math.round(lengths(uniformFloat64(random)));
    const label = uniformFloat64(random) < chance(tokens) ? 'positive' : 'negative';
    return { prompt_id: `p${i % 40}`, tokens, label, coherent: uniformFloat64(random) < 0.9 } as const;
  });
}

const long = (u: number) => 10 + 60 * u;
const short = (u: number) => 5 + 45 * u;
const byLength = (tokens: number) => Math.min(0.95, tokens / 75);

const share = (items: readonly LengthItem[]) => {
  const coherent = items.filter((item) => item.coherent);
  return coherent.filter(({ label }) => label === 'positive').length / coherent.length;
};

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

/** Mean over made-up studies of the plain effect and of that at matched length. */
function means(steeredChance: (tokens: number) => number, aloneChance: (tokens: number) => number) {
  let [plain, matched, covered] = [0, 0, 0];
  const truth = 0;
  for (const seed of seeds) {
    const steered = made(seed, short, steeredChance);
    const alone = made(1000 + seed, long, aloneChance);
    plain += (share(steered) - share(alone)) / seeds.length;
    const found = effectAtMatchedLength(steered, alone, { seed });
    matched += found.effect / seeds.length;
    covered += Number(found.low <= truth && truth <= found.high);
  }
  return { plain, matched, covered };
}

describe('effect at matched length', () => {
  it('goes to 0 where the whole effect is length', () => {
    const { plain, matched, covered } = means(byLength, byLength);
    expect(plain).toBeLessThan(-0.14);
    expect(Math.abs(matched)).toBeLessThan(0.02);
    expect(covered).toBeGreaterThanOrEqual(17);
  });

  it('stays where none of it is', () => {
    const flat = means(
      () => 0.3,
      () => 0.7,
    );
    expect(flat.plain).toBeCloseTo(-0.4, 1);
    expect(flat.matched).toBeCloseTo(flat.plain, 1);
    expect(Math.abs(flat.matched + 0.4)).toBeLessThan(0.02);
  });

  it('leaves what is not length where the texts are as long', () => {
    const alone = made(1, long, byLength);
    const steered = made(1, long, (tokens) => byLength(tokens) / 2);
    const { effect, overlap } = effectAtMatchedLength(steered, alone, { seed: 1 });
    expect(Math.abs(effect - (share(steered) - share(alone)))).toBeLessThan(0.03);
    expect(overlap).toBe(1);
  });

  it('says how much it compares: nothing where no length is shared', () => {
    const of = (tokens: number, label: LengthItem['label']): LengthItem[] =>
      Array.from({ length: 20 }, (_, i) => ({ prompt_id: `p${i}`, tokens, label, coherent: true }));
    const { effect, overlap } = effectAtMatchedLength(of(5, 'positive'), of(50, 'negative'), { seed: 1 });
    expect([effect, overlap]).toEqual([Number.NaN, 0]);
    // all of one length: one class, and the plain difference
    const same = effectAtMatchedLength(of(9, 'positive'), of(9, 'negative'), { seed: 1 });
    expect(same).toEqual({ effect: 1, low: 1, high: 1, overlap: 1 });
  });

  it('counts coherent texts alone', () => {
    const item = (coherent: boolean, label: LengthItem['label']): LengthItem => ({
      prompt_id: 'p',
      tokens: 10,
      label,
      coherent,
    });
    const steered = [item(true, 'negative'), item(false, 'positive'), item(false, 'positive')];
    expect(effectAtMatchedLength(steered, [item(true, 'positive')], { seed: 1 }).effect).toBe(-1);
  });
});

describe('share of all and of the coherent', () => {
  const prompts = Array.from({ length: 10 }, () => ({
    steered: { completions: 10, coherent: 5, positives: 4 },
    alone: { completions: 10, coherent: 10, positives: 8 },
  }));

  it('differ where steering breaks texts and changes nothing else', () => {
    expect(shareOfCoherent(prompts, 1)).toEqual({ effect: 0, low: 0, high: 0 });
    const all = shareOfAll(prompts, 1);
    expect(all.effect).toBeCloseTo(-0.4, 12);
    expect(all.low).toBeCloseTo(-0.4, 12);
  });

  it('are not defined where there is nothing to count', () => {
    const none = [
      {
        steered: { completions: 10, coherent: 0, positives: 0 },
        alone: { completions: 10, coherent: 10, positives: 8 },
      },
    ];
    expect(shareOfCoherent(none, 1).effect).toBeNaN();
    expect(shareOfAll(none, 1).effect).toBeCloseTo(-0.8, 12);
  });
});
