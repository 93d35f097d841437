/** The engine that a study names, by its kind: one for each of its models, opened once. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import type { EngineConfig } from '../config/sections/sampling.ts';
import type { ModelChoice, OpenStudy } from '../open/study.ts';
import type { EngineKind, EngineRequest, EngineSide, OpenEngine } from './engineKind.ts';
import { engineKinds } from './kinds.ts';

const expected = (kinds: readonly EngineKind[]) =>
  `expected an engine of one kind: ${kinds.map(({ kind }) => kind).join(', ')}`;

/** The field of study.yaml that names the engine: the fields of one of the kinds. */
export function engineField(kinds = engineKinds): z.ZodType<EngineConfig> {
  const [first, ...more] = kinds.map((kind) => kind.schema());
  return z.discriminatedUnion('kind', [first!, ...more], { error: expected(kinds) });
}

/** Throws InputError for a kind that is none. */
function kindOf({ kind }: EngineConfig): EngineKind {
  const found = engineKinds.find((one) => one.kind === kind);
  if (found === undefined)
    throw new InputError(`sampling.engine.kind: ${expected(engineKinds)}, found ${quoted(kind)}`);
  return found;
}

/** Throws InputError for a kind that is none, and for what is missing on this side, such as a key. */
export const openEngine = (config: EngineConfig, request: EngineRequest): OpenEngine =>
  kindOf(config).open(config, request);

type NamedModels = Pick<OpenStudy['config'], 'subject' | 'reference' | 'sampling'>;

const engineIn = ({ sampling }: NamedModels): EngineConfig => sampling.engine ?? { kind: 'local' };

const sideOf = ({ subject }: NamedModels, choice: ModelChoice): EngineSide =>
  isDeepStrictEqual(choice, subject) ? 'subject' : 'reference';

/** What completions of this model depend on beside its files; undefined where this machine makes them. */
export function engineIdentity(
  { config }: Pick<OpenStudy, 'config'>,
  choice: ModelChoice,
): Readonly<Record<string, string>> | undefined {
  const engine = engineIn(config);
  return kindOf(engine).identity(engine, sideOf(config, choice));
}

/** Other models of the study that a server may hold in place of this one. */
function othersThan(study: OpenStudy, choice: ModelChoice): EngineRequest['others'] {
  const { subject, reference } = study.config;
  const bare = { model: choice.model };
  const side = sideOf(study.config, choice);
  const named: [string, ModelChoice][] = [
    ...(choice.adapter === undefined
      ? []
      : [[`the ${side} without its adapter`, bare] as [string, ModelChoice]]),
    side === 'subject' ? ['the reference', reference] : ['the subject', subject],
  ];
  return named
    .filter(([, other]) => !isDeepStrictEqual(other, choice))
    .map(([name, other]) => ({ name, open: () => study.model(other) }));
}

const opened = new WeakMap<OpenStudy, Map<string, OpenEngine>>();

/** The engine of one of a study's models. Throws InputError as `openEngine` does. */
export function engineOf(study: OpenStudy, choice: ModelChoice): OpenEngine {
  const engines = opened.get(study) ?? new Map<string, OpenEngine>();
  opened.set(study, engines);
  const key = JSON.stringify([choice.model, choice.adapter]);
  const found =
    engines.get(key) ??
    openEngine(engineIn(study.config), {
      side: sideOf(study.config, choice),
      own: () => study.model(choice),
      others: othersThan(study, choice),
      runtime: () => study.runtime(),
      environment: study.environment,
      note: study.progress.note,
    });
  engines.set(key, found);
  return found;
}
