/** What explaining pages needs of a study, and pages of passages alone. */
import type { LatentPage, LatentPassages } from '../../src/results.ts';
import { type ExplainerConfig, interpretSchema } from '../../src/study/config/sections/interpret.ts';
import { silent } from '../../src/study/open/progress.ts';
import type { OpenStudy } from '../../src/study/open/study.ts';
import type { Stage } from '../../src/study/store/stageState.ts';
import { latentPage } from './latentPage.ts';

/** A study of which nothing is opened. */
export const bareStudy = (folder: string): OpenStudy => {
  const parts: Partial<OpenStudy> = {
    folder,
    clock: () => new Date(0),
    progress: silent,
    environment: {},
    recorder: { clock: () => new Date(0), versions: {} },
  };
  return parts as OpenStudy;
};

export const interpretStageOf = (key: string): Stage => ({
  name: 'interpret',
  key,
  inputs: {},
  options: {},
  outputs: [],
});

export function chatExplainerAt({ baseUrl }: { baseUrl: string }, over: object = {}): ExplainerConfig {
  const explainer = { kind: 'chat', base_url: baseUrl, model: 'words', retries: 1, ...over };
  return interpretSchema('.').parse({ explainer }).explainer!;
}

/** A page whose passages alone are of interest. */
export const pageOf = (latent: number, passages: LatentPassages): LatentPage =>
  latentPage(latent, { passages });
