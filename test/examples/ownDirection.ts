/** A direction of one's own in the causal test: what the models differ in, without what the prompts share. */
import { addDirection, type OwnDirection, runStudy } from 'culprit';

const apart: OwnDirection = {
  name: 'difference off the mean',
  about: 'mean difference of models, with the part along the reference’s mean taken out',
  vector({ subject, reference }) {
    const mean = reference.mean;
    const difference = subject.mean.map((x, i) => x - mean[i]!);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const along = dot(difference, mean) / dot(mean, mean);
    return difference.map((x, i) => x - along * mean[i]!);
  },
  sign: 1,
};

/** Runs a study; the causal test removes the direction and steers along it beside its own comparisons. */
export async function run(study: string) {
  addDirection(apart);
  const { steer } = await runStudy({ study });
  return steer?.rows.find(({ direction }) => direction === apart.name);
}
