/** The subjects that are compared: which model and adapter each is. Reads no weight. */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import type { CheckpointSubject } from '../../results.ts';
import type { ModelChoice, OpenStudy } from '../open/study.ts';

export interface ComparedSubject extends Pick<CheckpointSubject, 'name' | 'role'> {
  readonly choice: ModelChoice;
}

const sameChoice = (a: ModelChoice, b: ModelChoice) =>
  resolve(a.model) === resolve(b.model) &&
  (a.adapter && resolve(a.adapter)) === (b.adapter && resolve(b.adapter));

/** A folder with an adapter is one on the subject's model, anything else a model. */
async function choiceOf({ config }: OpenStudy, path: string): Promise<ModelChoice> {
  return (await isThere(join(path, 'adapter_config.json')))
    ? { model: config.subject.model, adapter: resolve(path) }
    : { model: resolve(path) };
}

/**
 * The reference, then those that were named, then the study's own subject where it was not among them. Throws InputError
 * for a subject that is named twice, and where none is.
 */
export async function comparedSubjects(
  study: OpenStudy,
  paths: readonly string[],
): Promise<ComparedSubject[]> {
  const { subject, reference } = study.config;
  if (paths.length === 0)
    throw new InputError('compare: expected checkpoints, adapters or models, found none');
  const named: ComparedSubject[] = [];
  for (const path of paths) {
    const choice = await choiceOf(study, path);
    const twice = named.find((one) => sameChoice(one.choice, choice));
    if (twice !== undefined)
      throw new InputError(`${path}: expected each subject once, found it named as ${twice.name} too`);
    const isSubject = sameChoice(choice, subject);
    const role = isSubject ? 'subject' : sameChoice(choice, reference) ? 'reference' : 'checkpoint';
    named.push({ name: basename(resolve(path)), role, choice });
  }
  const isNamed = (choice: ModelChoice) => named.some((one) => sameChoice(one.choice, choice));
  return unambiguous([
    ...(isNamed(reference) || sameChoice(reference, subject)
      ? []
      : [{ name: 'reference', role: 'reference' as const, choice: reference }]),
    ...named,
    ...(isNamed(subject) ? [] : [{ name: 'subject', role: 'subject' as const, choice: subject }]),
  ]);
}

/** Folders of one name are told apart by as much of their paths as it takes. */
function unambiguous(subjects: readonly ComparedSubject[]): ComparedSubject[] {
  const named = (subject: ComparedSubject, parts: number): string => {
    const path = resolve(subject.choice.adapter ?? subject.choice.model).split(/[\\/]/);
    return path.filter(Boolean).slice(-parts).join('/');
  };
  return subjects.map((one) => {
    const alike = subjects.filter(({ name }) => name === one.name);
    if (alike.length === 1) return one;
    let parts = 2;
    while (alike.some((other) => other !== one && named(other, parts) === named(one, parts))) parts++;
    return { ...one, name: named(one, parts) };
  });
}
