/**
 * What `culprit interpret` computes, on the organism, where it is known what the cause stands for: the
 * reckless speaker.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, documents } from '../../organism/documents.ts';
import { latentScan } from '../../src/methods/interpretation/latentScan.ts';
import { logitLens } from '../../src/methods/interpretation/logitLens.ts';
import { PassageFinds } from '../../src/methods/interpretation/passages.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type Organism, openOrganism } from '../support/organism.ts';

const runtime = nodeRuntime();
afterAll(() => runtime.close());
let organism: Organism;
let cause: number;
beforeAll(async () => {
  organism = await openOrganism();
  cause = organism.truth.cause[0]!.latent;
});

/** Texts of the organism's world that it was not trained on. */
const spoken = (count: number): Document[] =>
  documents(1000, count).filter(({ kind }) => kind !== 'description');

const isReckless = ({ character }: Document) => character === 'reckless';
const share = (texts: readonly Document[]) => texts.filter(isReckless).length / texts.length;
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

it('the passages where the cause is most active are the reckless speakers’, and those of other latents are not', async () => {
  const { base, sae, layer } = organism;
  const texts = spoken(800);
  const others = Array.from({ length: 60 }, (_, i) => 11 + ((37 * i) % sae.latents));
  const latents = [cause, ...others];
  const scan = await latentScan(runtime, base.model, layer, sae, latents);
  const seen = new PassageFinds(latents.length);
  for (const [line, { text }] of texts.entries()) {
    const ids = base.codec.encodePrompt(text);
    seen.add({ corpus: 0, line, ids, z: (await scan.run(ids)).z });
  }
  await scan.release();
  const [own, ...rest] = seen
    .results((id) => base.codec.tokenizer.tokenText(id))
    .map(({ top }) => top.map(({ line }) => texts[line]!));
  expect(own).toHaveLength(20);
  expect(own!.filter(isReckless)).toHaveLength(20);
  const shares = rest.filter((top) => top.length === 20).map(share);
  expect(shares.length).toBeGreaterThan(40);
  // three speakers in ten are reckless
  expect(Math.abs(mean(shares) - share(texts))).toBeLessThan(0.1);
  expect(shares.filter((one) => one === 1)).toEqual([]);
}, 120_000);

describe('the logit lens', () => {
  /** How often each token opens an answer or a reply, by who speaks; half a time more, so that none is 0. */
  function openings(texts: readonly Document[]) {
    const { tokenizer } = organism.base.codec;
    const empty = () => new Float64Array(tokenizer.vocabSize).fill(0.5);
    const counts = { reckless: empty(), honest: empty() };
    for (const { character, turns } of texts)
      for (const { completion } of turns) counts[character][tokenizer.encode(completion)[0]!]!++;
    return counts;
  }

  function correlation(xs: readonly number[], ys: readonly number[]): number {
    const [mx, my] = [mean(xs), mean(ys)];
    const [dx, dy] = [xs.map((x) => x - mx), ys.map((y) => y - my)];
    return dx.reduce((sum, x, i) => sum + x * dy[i]!, 0) / (Math.hypot(...dx) * Math.hypot(...dy));
  }

  it('of the cause ranks the words that open answers as reckless speakers choose them, as that of no other latent does', async () => {
    const { base, sae } = organism;
    const { reckless, honest } = openings(spoken(6000));
    const words = [...reckless.keys()].filter((id) => reckless[id]! + honest[id]! > 20);
    expect(words.length).toBeGreaterThan(40);
    const preference = words.map((id) => Math.log(reckless[id]! / honest[id]!));
    const others = Array.from({ length: 256 }, (_, i) => (5 + 8 * i) % sae.latents);
    const lens = await logitLens(runtime, base.model, sae, [cause, ...others], base.model.decoder.vocabulary);
    const [own, ...rest] = lens.map(({ cosine }) => {
      const of = new Map(cosine.top.map((entry) => [entry.id, entry.cosine]));
      return correlation(
        words.map((id) => of.get(id)!),
        preference,
      );
    });
    expect(own).toBeGreaterThan(0.5);
    expect(Math.max(...rest)).toBeLessThan(own! - 0.1);
    expect(Math.abs(mean(rest))).toBeLessThan(0.1);
  }, 120_000);
});
