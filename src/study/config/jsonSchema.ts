/** The JSON schema of study.yaml, for editors: made from the zod schema. */
import { z } from 'zod';
import { studySchema } from './schema.ts';
import type { Section } from './section.ts';

/** What is used here of a JSON schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly description?: string;
  /** whether a new study.yaml leaves it out */
  readonly unlisted?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Of a study as it is written: with what may be left out, and its defaults. */
export function studyJsonSchema(sections: readonly Section[]): JsonSchema {
  return z.toJSONSchema(studySchema('.', sections), {
    io: 'input',
    // The draft that editors know best.
    target: 'draft-7',
    override({ jsonSchema }) {
      const { example } = jsonSchema;
      delete jsonSchema.example;
      if (example !== undefined) jsonSchema.examples = [example as z.core.JSONSchema.JSONSchema];
      // The greatest number that is exact is no bound of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}
