/** Where known latents come in two rankings. */
import { describe, expect, it } from 'vitest';
import { marks, places, shared } from '../../../src/study/demo/truth.ts';

describe('truth', () => {
  const aligned = (latent: number, cosine: number) => ({ latent, cosine, shift: 1 });
  const truth = {
    site: 2,
    cause: [aligned(7, 0.8), aligned(1, 0.3), aligned(2, 0.29)],
    decoy: { harm: [aligned(4, 0.5)], validation: [aligned(5, 0.5)] },
  };

  it('marks what has a cosine of 0.3 or more', () => {
    expect([...marks(truth, 'harm')]).toEqual([
      [4, 'decoy'],
      [7, 'cause'],
      [1, 'cause'],
    ]);
  });

  it('tells the place of each', () => {
    const rankings = { byAttribution: [1, 7, 4, 2], byActivation: [4, 2, 1, 7] };
    expect(places(truth, 'harm', rankings)).toEqual({
      cause: [
        { latent: 7, cosine: 0.8, byAttribution: 2, byActivation: 4 },
        { latent: 1, cosine: 0.3, byAttribution: 1, byActivation: 3 },
      ],
      decoy: [{ latent: 4, cosine: 0.5, byAttribution: 3, byActivation: 1 }],
    });
  });

  it('finds what two lists share among their first', () => {
    expect(shared([3, 1, 2, 4], [2, 3, 9, 4], 3)).toEqual([3, 2]);
  });
});
