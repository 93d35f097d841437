/**
 * study.yaml from the disk: read, checked, defaults filled in. What its paths name is for those to check
 * who open it.
 */

import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { explained } from '../../files/bytes.ts';
import { isThere } from '../../files/ifThere.ts';
import { readText } from '../../files/jsonFile.ts';
import { resultFiles } from '../../results.ts';
import { type Control, controlIn } from './control.ts';
import { problemsOf } from './problems.ts';
import { type StudyConfig, studySchema } from './schema.ts';
import type { Section } from './section.ts';
import { parseYaml, type TextPlace, type Yaml } from './yamlFile.ts';

export interface Study {
  readonly config: StudyConfig;
  /** absolute */
  readonly folder: string;
  /** the file that was read, absolute */
  readonly file: string;
  /** the file's text, as it stands */
  readonly text: string;
}

/**
 * The study of a folder with study.yaml, or of such a file. Throws InputError `file:line:column:
 * field.path: expected ..., found ...` for the first thing in it that is wrong; where there are more, it
 * says at which lines.
 */
export async function readStudyWith(path: string, sections: readonly Section[]): Promise<Study> {
  const given = await studyFileAt(path);
  const text = await readText(given);
  const file = resolve(given);
  const folder = dirname(file);
  const yaml = parseYaml(text, given);
  const control = controlIn(yaml.value, given, folder);
  const config =
    control === undefined
      ? parseStudy(yaml, given, folder, sections)
      : underControl((await readStudyWith(control.of, sections)).config, control, given);
  return { config, folder, file, text };
}

/** The config of a control of the study whose own is given. */
function underControl(own: StudyConfig, control: Control, name: string): StudyConfig {
  if (own.control !== undefined)
    throw new InputError(`${name}: control.of: expected a study, found a control of one: ${control.of}`);
  const reference = control.kind === 'self' ? own.subject : own.reference;
  return { ...own, reference, control: { ...control, reference: own.reference } };
}

/** The study.yaml of a folder, or the file itself. Throws InputError where there is none. */
export async function studyFileAt(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw explained(error, path);
  });
  if (!found.isDirectory()) return path;
  const inside = join(path, resultFiles.study);
  if (!(await isThere(inside)))
    throw new InputError(
      `${path}: expected a folder with ${resultFiles.study}, found none: \`culprit init\` writes one`,
    );
  return inside;
}

/** The study that is written down; `name` stands for its file in errors. */
function parseStudy(yaml: Yaml, name: string, folder: string, sections: readonly Section[]): StudyConfig {
  const result = studySchema(folder, sections).safeParse(yaml.value);
  if (result.success) return result.data;
  const [first, ...more] = problemsOf(result.error, yaml.value)
    .map(({ path, key, text }) => ({
      text,
      ...(key === undefined ? yaml.place(path) : yaml.keyPlace(path, key)),
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  throw new InputError(`${name}:${first!.line}:${first!.column}: ${first!.text}${others(more)}`);
}

const shownLines = 10;

/** At which lines more is wrong. */
function others(places: readonly TextPlace[]): string {
  if (places.length === 0) return '';
  const lines = [...new Set(places.map(({ line }) => line))];
  const shown = lines.slice(0, shownLines).join(', ') + (lines.length > shownLines ? ', ...' : '');
  return `; ${places.length} more to fix, at line${lines.length > 1 ? 's' : ''} ${shown}`;
}
