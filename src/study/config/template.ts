/**
 * study.yaml as `culprit init` writes it: every field of the JSON schema with its description and default,
 * in the schema's order. Knows no field by name but `kind`, so that what it says of them is what holds.
 */

import { stringify } from 'yaml';
import { resultFiles } from '../../results.ts';
import type { JsonSchema } from './jsonSchema.ts';

/** Values by section and field. */
export type Given = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Template {
  readonly text: string;
  /** required fields that have an example for a value, as `section.field` */
  readonly toFill: readonly string[];
}

const widest = 110;
const commentColumn = 40;

const head = [
  `# yaml-language-server: $schema=${resultFiles.schema}`,
  '#',
  '# A study for culprit. Paths are relative to this file. A field behind a # has no effect:',
  '# remove the # to set it.',
];

/** The file for these values; what is not given has its default, or else its example. */
export function studyTemplate(schema: JsonSchema, given: Given): Template {
  const toFill: string[] = [];
  const listed = Object.entries(schema.properties ?? {}).filter(([, { unlisted }]) => unlisted !== true);
  const sections = listed.map(([name, section]) => {
    const live = liveVariant(section, given[name], schema.required?.includes(name) ?? false);
    for (const field of live?.required ?? [])
      if (valueOfField(live!.properties![field]!, given[name]?.[field]).example)
        toFill.push(`${name}.${field}`);
    return sectionLines(name, section, live, given[name] ?? {});
  });
  return { text: `${[head, ...sections].map((lines) => `${lines.join('\n')}\n`).join('\n')}`, toFill };
}

const variantsOf = (section: JsonSchema) => section.oneOf ?? section.anyOf ?? [section];

/** The variant of a section that is in force; undefined where the whole section is left out. */
function liveVariant(
  section: JsonSchema,
  given: Given[string] | undefined,
  required: boolean,
): JsonSchema | undefined {
  const fits = ({ properties = {} }: JsonSchema) =>
    Object.entries(given ?? {}).every(
      ([field, value]) => field in properties && (properties[field]!.const ?? value) === value,
    );
  return given || required || section.default !== undefined ? variantsOf(section).find(fits) : undefined;
}

function sectionLines(
  name: string,
  section: JsonSchema,
  live: JsonSchema | undefined,
  given: Given[string],
): string[] {
  const others = variantsOf(section).filter((variant) => variant !== live);
  const block = (variant: JsonSchema, values?: Given[string]) => [`${name}:`, ...fieldLines(variant, values)];
  const off = (lines: readonly string[]) => lines.map((line) => `# ${line}`);
  return [
    ...wrapped(section.description ?? ''),
    ...(live ? block(live, given) : []),
    ...others.flatMap((variant, i) => [...(live || i > 0 ? ['# Or:'] : []), ...off(block(variant))]),
  ];
}

/** The fields of a section with these values, or of one that is left out. */
function fieldLines({ properties = {}, required = [] }: JsonSchema, given?: Given[string]): string[] {
  const toldBefore = new Set<string>();
  return Object.entries(properties).flatMap(([field, schema]) => {
    const { value, example } = valueOfField(schema, given?.[field]);
    const off = example && !required.includes(field);
    const lines = pairLines(field, value).map((line) => `  ${off ? '# ' : ''}${line}`);
    const inner = innerFields(schema).filter((line) => !toldBefore.has(line));
    for (const line of inner) toldBefore.add(line);
    const comment = `${example && !off && given ? 'TO FILL IN: ' : ''}${schema.description ?? ''}`;
    return withComment(lines, comment, inner);
  });
}

/** What the fields are within a field. */
function innerFields(schema: JsonSchema): string[] {
  return variantsOf(schema).flatMap(({ properties = {} }) =>
    Object.entries(properties).map(([name, { description }]) => `${name}: ${description}`),
  );
}

function valueOfField(schema: JsonSchema, given: unknown): { value: unknown; example: boolean } {
  const value = given ?? schema.const ?? schema.default;
  return value === undefined ? { value: schema.examples?.[0], example: true } : { value, example: false };
}

/** `field: value`: an object or list within one line, a text of many lines as a block. */
function pairLines(field: string, value: unknown): string[] {
  const inline = typeof value === 'object';
  const written = inline
    ? `${field}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 })}`
    : stringify({ [field]: value }, { lineWidth: 0 });
  return written.trimEnd().split('\n');
}

/**
 * The comment behind a single line, where it fits, else before the lines; that on inner fields before them
 * in any case.
 */
function withComment(lines: readonly string[], comment: string, inner: readonly string[]): string[] {
  if (comment === '') return [...lines];
  const behind = `${lines[0]!.padEnd(commentColumn)} # ${comment}`;
  if (lines.length === 1 && inner.length === 0 && behind.length <= widest) return [behind];
  return [...wrapped(comment, '  '), ...inner.flatMap((line) => wrapped(line, '  ', '  ')), ...lines];
}

/** Words as comment lines: `indent` before the #, `inset` behind it. */
function wrapped(text: string, indent = '', inset = ''): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > widest)
      lines.push(`${indent}# ${inset}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
