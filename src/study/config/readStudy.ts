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
import { problemsOf } from './problems.ts';
import { type StudyConfig, studySchema } from './schema.ts';
import type { Section } from './section.ts';
import { parseYaml, type TextPlace } from './yamlFile.ts';

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
  return { config: parseStudy(text, given, dirname(file), sections), folder: dirname(file), file, text };
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

/** The study that `text` writes down; `name` stands for its file in errors. */
function parseStudy(text: string, name: string, folder: string, sections: readonly Section[]): StudyConfig {
  const yaml = parseYaml(text, name);
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
