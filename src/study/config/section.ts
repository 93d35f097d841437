/**
 * A section of study.yaml that a stage reads: its name, what it is for, and its fields. The stages
 * say which sections a study has; the schema is composed of theirs.
 */
import type { z } from 'zod';

export interface Section<S extends z.ZodType = z.ZodType> {
  /** as it stands in study.yaml */
  readonly name: string;
  readonly about: string;
  /** With its paths relative to `folder`; what may be left out has its default, or is optional. */
  schema(folder: string): S;
}

/** A section of fields that all have defaults: a study may leave it out. */
export function defaulted<S extends z.ZodType>(
  name: string,
  about: string,
  schema: (folder: string) => S,
): Section {
  return { name, about, schema: (folder) => schema(folder).prefault({} as never) };
}
