/** What a study's latents seem to mean, in its folder. One run at a time in a study. */
import type { Progress } from './progress.ts';
import {
  type InterpretOptions,
  interpretDefaults,
  runInterpret,
  type StudyInterpretation,
} from './stages/interpretStage.ts';
import { lockStudy } from './store/lock.ts';
import { beginManifest } from './store/stages.ts';
import { checkAttributed, openFor } from './studyRun.ts';

export interface InterpretRequest extends Partial<InterpretOptions> {
  /** a study's folder, or its study.yaml */
  readonly study: string;
  readonly cacheDir?: string | undefined;
  readonly progress?: Progress | undefined;
}

export interface InterpretResult extends StudyInterpretation {
  readonly folder: string;
}

/** Makes latents/NNN.json of a study that has its attribution. Throws InputError for anything wrong in what was given, or where another run is at work in the study. */
export async function interpretStudy(request: InterpretRequest): Promise<InterpretResult> {
  const { study: path, cacheDir, progress, ...given } = request;
  const study = await openFor({ study: path, cacheDir, progress });
  const unlock = await lockStudy(study.folder, study.clock);
  try {
    await beginManifest(study.folder, study.recorder);
    await checkAttributed(study);
    const options = { corpora: [], labels: [], ...interpretDefaults, ...given };
    return { ...(await runInterpret(study, options)), folder: study.folder };
  } finally {
    await study.close();
    await unlock();
  }
}
