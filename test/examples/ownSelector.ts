/** A selector of one's own: the latents that fire on the greatest share of positive tokens first. */
import { addSelector, firstAlive, runStudy, type Selector } from 'culprit';

const oftenest: Selector = {
  name: 'oftenest',
  about: 'share of tokens at which the latent is active, positive completions only',
  async select(evidence, count) {
    const { positive } = await evidence.completions();
    const order = [...positive.frequency.keys()].sort(
      (a, b) => positive.frequency[b]! - positive.frequency[a]! || a - b,
    );
    return firstAlive(order, evidence, count);
  },
};

/** Runs a study whose study.yaml names it: `steering: {selectors: [delta-attribution, oftenest]}`. */
export async function run(study: string) {
  addSelector(oftenest);
  const { steer } = await runStudy({ study });
  return steer?.rows.filter(({ ranks }) => ranks.oftenest !== undefined).map(({ latent }) => latent);
}
