/**
 * Where the completions of the causal test come from, side by side: the engine that the study names, ready to steer
 * at its site. Knows no trial.
 */
import type { Side, StageRecord } from '../../results.ts';
import type { OpenEngine } from '../engines/engineKind.ts';
import { factsWork, keepFacts, keptFacts } from '../engines/keptFacts.ts';
import { engineIdentity, engineOf } from '../engines/openEngine.ts';
import type { OpenStudy } from '../open/study.ts';
import type { Stage } from '../store/stageState.ts';

type Options = StageRecord['options'];

const choicesOf = ({ config }: OpenStudy) => ({ away: config.subject, toward: config.reference });

/** What completions of the sides depend on beside the models' files; nothing where this machine makes them. */
export function enginesIdentity(study: OpenStudy): Options {
  const { away, toward } = choicesOf(study);
  const [own, other] = [engineIdentity(study, away), engineIdentity(study, toward)];
  return own && other ? { engine: { away: own, toward: other } } : {};
}

/**
 * The engines, each of which is found to steer as the local files do; undefined where this machine makes all. What
 * they are is kept for the manifest where a stage is given. Throws InputError where one is not what it should be.
 */
export async function enginesOf(
  study: OpenStudy,
  stage?: Stage,
): Promise<Readonly<Record<Side, OpenEngine>> | undefined> {
  const { away, toward } = choicesOf(study);
  if (engineIdentity(study, away) === undefined) return undefined;
  const engines = { away: engineOf(study, away), toward: engineOf(study, toward) };
  const layer = await study.layer();
  for (const engine of [engines.away, engines.toward]) await engine.ready(layer);
  if (stage) await keepFacts(study.folder, stage, [engines.away, engines.toward]);
  return engines;
}

/** The file that those are kept in while the stage is at work. */
export const enginesWork = (study: OpenStudy, stage: Stage): Pick<Stage, 'work'> =>
  engineIdentity(study, study.config.subject) === undefined ? {} : { work: [factsWork(study.folder, stage)] };

/** What the manifest tells of them. */
export const enginesRecord = async (study: OpenStudy, stage: Stage): Promise<Pick<StageRecord, 'engines'>> =>
  engineIdentity(study, study.config.subject) === undefined
    ? {}
    : { engines: await keptFacts(study.folder, stage) };
