/** What a study found, the answer first. */
import type { Study } from '../study.ts';

export function OverviewView({ study }: { study: Study }) {
  return <h1>{study.source.name}</h1>;
}
