/**
 * A new study: a folder with a study.yaml that explains itself, and the JSON schema with which editors
 * complete it.
 */

import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isThere } from '../../files/ifThere.ts';
import { grouped } from '../../methods/statistics/groups.ts';
import { resultFiles } from '../../results.ts';
import { studyJsonSchema } from '../config/jsonSchema.ts';
import { problemsOf } from '../config/problems.ts';
import { studySchema } from '../config/schema.ts';
import { type Given, studyTemplate } from '../config/template.ts';
import { parseYaml } from '../config/yamlFile.ts';
import { given } from '../judging/given.ts';
import { judgeKinds } from '../judging/kinds.ts';
import { judgeKindOf } from '../judging/openJudge.ts';
import type { SaeChoice } from '../open/openSae.ts';
import { makeFolder } from '../store/outFolder.ts';
import { type Recipe, type RecipeName, recipes } from './recipes.ts';
import { sectionsOf, stages } from './stages.ts';
import { type StudySize, studySizes } from './studySizes.ts';

const sections = sectionsOf(stages);

/** What to write down, as far as it is known; paths as they are from the working folder. */
export interface InitRequest {
  readonly folder: string;
  /** default: made of the folder's name */
  readonly name?: string | undefined;
  readonly rubric?: string | undefined;
  /** models and dictionary that go together; what is given by itself counts for more */
  readonly recipe?: RecipeName | undefined;
  readonly model?: string | undefined;
  readonly adapter?: string | undefined;
  readonly reference?: string | undefined;
  readonly sae?: string | undefined;
  /** what its files leave open */
  readonly saeSaid?: Omit<SaeChoice, 'path'> | undefined;
  readonly site?: number | undefined;
  readonly baseline?: string | undefined;
  readonly baselineCorpus?: string | undefined;
  readonly prompts?: string | undefined;
  readonly field?: string | undefined;
  readonly rows?: string | undefined;
  readonly discovery?: number | undefined;
  readonly evaluation?: number | undefined;
  readonly completions?: number | undefined;
  /** how large; what is given by itself counts for more. Default: medium */
  readonly size?: StudySize | undefined;
  /** a kind of judge; default the first */
  readonly judge?: string | undefined;
  /** what is known of the judge, by the flags of `culprit init`: `--judge-url` and so on (`judgeFlags`) */
  readonly judgeFlags?: Readonly<Record<string, string | undefined>> | undefined;
  /** replace files that are there; default false */
  readonly overwrite?: boolean | undefined;
}

export interface InitResult {
  readonly studyFile: string;
  readonly schemaFile: string;
  /** fields that hold an example and must be filled in, as `section.field` */
  readonly toFill: readonly string[];
}

/**
 * Writes the files. Throws InputError where they are there already, the folder cannot be made, or a value
 * does not fit its field; then nothing is written.
 */
export async function runInit(request: InitRequest): Promise<InitResult> {
  const { folder, overwrite = false } = request;
  const schema = studyJsonSchema(sections);
  const { text, toFill } = studyTemplate(schema, givenBy(request));
  checkText(text, folder);
  const files = { studyFile: join(folder, resultFiles.study), schemaFile: join(folder, resultFiles.schema) };
  for (const file of Object.values(files))
    if (!overwrite && (await isThere(file)))
      throw new InputError(`${file}: already exists: add --overwrite to replace it`);
  await makeFolder(folder);
  await replaceFile(files.schemaFile, (file) => file.writeFile(`${JSON.stringify(schema, undefined, 2)}\n`));
  await replaceFile(files.studyFile, (file) => file.writeFile(text));
  return { ...files, toFill };
}

function checkText(text: string, folder: string): void {
  const { value } = parseYaml(text, resultFiles.study);
  const { error } = studySchema(folder, sections).safeParse(value);
  if (error) throw new InputError(problemsOf(error, value)[0]!.text);
}

/** The request with what its recipe names; a model of the user's own leaves out the recipe's adapter. */
function underRecipe({ recipe, ...request }: InitRequest): InitRequest {
  if (recipe === undefined) return request;
  const { about: _, adapter, ...named }: Recipe = recipes[recipe];
  const { site, ...parts } = named;
  return {
    ...parts,
    ...(request.model === undefined && { adapter }),
    ...(request.sae === undefined && { site }),
    ...given(request),
    folder: request.folder,
  };
}

/**
 * The values by section and field. The prompts' section may be left out of a study, but is filled in of
 * most: it is always given.
 */
function givenBy(asked: InitRequest): Given {
  const request = underRecipe(asked);
  const fromFolder = (path: string) => pathFrom(request.folder, path);
  const from = (path: string | undefined) => (path === undefined ? undefined : fromFolder(path));
  const { baseline, baselineCorpus } = request;
  const size = request.size && studySizes[request.size];
  if (baseline !== undefined && baselineCorpus !== undefined)
    throw new InputError('--baseline and --baseline-corpus: expected only one of them');
  const sections = known({
    behaviour: { name: request.name ?? nameOf(request.folder), rubric: request.rubric },
    subject: { model: from(request.model), adapter: from(request.adapter) },
    reference: { model: from(request.reference) },
    sae: { path: from(request.sae), site: request.site, ...request.saeSaid },
    baseline: { file: from(baseline), corpus: from(baselineCorpus) },
    prompts: {
      file: from(request.prompts),
      field: request.field,
      rows: request.rows,
      ...size?.prompts,
      ...given({ discovery: request.discovery, evaluation: request.evaluation }),
    },
    sampling: { ...size?.sampling, ...given({ completions: request.completions }) },
    steering: { ...size?.steering },
    judge: judgeBy(request, fromFolder),
  });
  return { prompts: {}, ...sections };
}

/** `--judge-url` of `--judge-url <url>`. */
const nameOfFlag = (flag: string) => flag.split(' ', 1)[0]!;

/** The flags of all kinds of judge, as commands take them, each with what it is for each kind. */
export function judgeFlags(): { readonly flag: string; readonly about: string }[] {
  const told = judgeKinds.flatMap(({ kind, flags }) =>
    flags.map(({ flag, about }) => ({ flag, about: `${kind}: ${about}` })),
  );
  const byFlag = grouped(told, ({ flag }) => flag);
  return [...byFlag].map(([flag, all]) => ({ flag, about: all.map(({ about }) => about).join('; ') }));
}

function judgeBy(request: InitRequest, from: (path: string) => string): Record<string, unknown> {
  const { judge: kind = judgeKinds[0]!.kind, judgeFlags = {} } = request;
  const { flags } = judgeKindOf({ kind });
  const judge: Record<string, unknown> = { kind };
  for (const [name, value] of Object.entries(judgeFlags)) {
    if (value === undefined) continue;
    const place = flags.find(({ flag }) => nameOfFlag(flag) === name);
    if (place === undefined) throw new InputError(`${name}: a judge of kind ${kind} does not take it`);
    judge[place.field] = place.isPath ? from(value) : value;
  }
  return judge;
}

/** A path as it is from the study's folder; one that is absolute, or on the hub, stays as it is. */
function pathFrom(folder: string, path: string): string {
  if (isAbsolute(path) || path.startsWith('hf:')) return path;
  return relative(resolve(folder), resolve(path)).split(sep).join('/') || '.';
}

/** The folder's name as a behaviour's, if it can be one. */
function nameOf(folder: string): string | undefined {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replaceAll(/^-|-$/g, '');
  return name === '' ? undefined : name;
}

/** Without what is undefined, and without sections that hold nothing else. */
function known(sections: Given): Given {
  const given = Object.entries(sections).map(([name, fields]) => {
    const defined = Object.entries(fields).filter(([, value]) => value !== undefined);
    return [name, Object.fromEntries(defined)] as const;
  });
  return Object.fromEntries(given.filter(([, fields]) => Object.keys(fields).length > 0));
}
