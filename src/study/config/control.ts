/**
 * A control: the whole study once more with one thing broken on purpose, in a folder of its own whose study.yaml
 * names the study and what is broken. docs/method.md section 9.
 */
import { isAbsolute, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { quoted } from '../../files/bytes.ts';
import { controlKinds } from '../../results.ts';
import { path, section, seed } from './fields.ts';

export type ControlKind = keyof typeof controlKinds;
export const controlNames = Object.keys(controlKinds) as ControlKind[];

export interface ControlChoice {
  readonly kind: ControlKind;
  /** of what is drawn at random */
  readonly seed: number;
}

/** What a control's study.yaml says. */
export interface Control extends ControlChoice {
  /** the study's folder, absolute */
  readonly of: string;
}

/** Nothing of `self` is random. */
export const controlName = ({ kind, seed }: ControlChoice): string =>
  kind === 'self' ? kind : `${kind}-${seed}`;

const controlSchema = (folder: string) =>
  section({
    control: section({
      kind: z.enum(controlNames, { error: `expected one of ${controlNames.join(', ')}` }),
      seed: seed().default(1),
      of: path(folder, "a study's folder"),
    }),
  });

const hasControl = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'control' in value;

/** What the study.yaml of a control says; undefined for any other. Throws InputError for what it lacks. */
export function controlIn(value: unknown, name: string, folder: string): Control | undefined {
  if (!hasControl(value)) return undefined;
  const result = controlSchema(folder).safeParse(value);
  if (result.success) return result.data.control;
  const [{ path: at, message }] = result.error.issues as [z.core.$ZodIssue];
  throw new InputError(`${name}: ${at.join('.') || quoted('control')}: ${message}`);
}

/** The study.yaml of a control that stands in `folder`. */
export function controlText({ kind, seed, of }: Control, folder: string): string {
  const to = relative(folder, resolve(of));
  return stringify({ control: { kind, seed, of: isAbsolute(to) ? to : to.replaceAll('\\', '/') } });
}
