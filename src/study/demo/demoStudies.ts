/**
 * The demonstration's two studies in a folder of the user's: each study.yaml of the bundle, with its paths
 * and some settings changed. Runs nothing.
 */

import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Document, parseDocument } from 'yaml';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isThere } from '../../files/ifThere.ts';
import { readText } from '../../files/jsonFile.ts';
import { resultFiles } from '../../results.ts';
import { parseYaml } from '../config/yamlFile.ts';
import { outFolder } from '../store/outFolder.ts';
import { caseNames } from './bundle.ts';

/** What of the studies can be changed; default: as the bundle has it. */
export interface DemoSettings {
  /** of prompts drawn, of completions, and of random latents */
  readonly seed?: number | undefined;
  /** prompts that latents are found on */
  readonly prompts?: number | undefined;
  /** random latents that the causal test compares with */
  readonly random?: number | undefined;
  /** prompts of the causal test; doses are found on a sixth as many others */
  readonly questions?: number | undefined;
}

type Field = readonly (string | number)[];

const pathFields: readonly Field[] = [
  ['subject', 'model'],
  ['subject', 'adapter'],
  ['reference', 'model'],
  ['sae', 'path'],
  ['baseline', 'corpus'],
  ['prompts', 'file'],
  ['prompts', 'evaluation_file'],
  ['judge', 'data'],
  ['interpret', 'corpus', 0],
];

/** The fields that settings are written to, with their values. */
const settingFields = ({ seed, prompts, random, questions }: DemoSettings): [Field, unknown][] => [
  [['prompts', 'seed'], seed],
  [['sampling', 'seed'], seed],
  [['steering', 'seed'], seed],
  [['prompts', 'discovery'], prompts],
  [['prompts', 'evaluation'], questions],
  [['prompts', 'calibration'], questions === undefined ? undefined : Math.ceil(questions / 6)],
  [['steering', 'random'], random],
];

/** The study in a folder as it may stand in any other: its paths are absolute. */
async function movedStudy(from: string): Promise<Document> {
  const file = join(from, resultFiles.study);
  const text = await readText(file);
  parseYaml(text, file);
  const document = parseDocument(text);
  for (const field of pathFields) {
    const path = document.getIn(field);
    if (typeof path === 'string') document.setIn(field, resolve(from, path));
  }
  return document;
}

function withFields(document: Document, fields: readonly (readonly [Field, unknown])[]): Document {
  for (const [field, value] of fields) if (value !== undefined) document.setIn(field, value);
  return document;
}

/** Throws InputError where `folder` holds what is no such study, whatever its settings. */
async function checkFolder(folder: string, expected: Document): Promise<void> {
  const path = join(folder, resultFiles.study);
  const refuse = (what: string) =>
    new InputError(
      `--out ${folder}: holds a ${what} that is not of this demonstration: name another folder, or remove this one`,
    );
  if (!(await isThere(path))) {
    for (const name of Object.values(resultFiles)) if (await isThere(join(folder, name))) throw refuse(name);
    return;
  }
  const there = parseDocument(await readText(path));
  const settings = settingFields({}).map(([field]) => [field, there.getIn(field)] as const);
  const isOurs =
    there.errors.length === 0 &&
    isDeepStrictEqual(there.toJS(), withFields(expected.clone(), settings).toJS());
  if (!isOurs) throw refuse(resultFiles.study);
}

/**
 * Writes study.yaml of each case into its folder in `out`, where it is not the same already; gives the
 * folders. Throws InputError, and then writes none, where a folder holds something else, or the organism
 * lacks a study.
 */
export async function writeDemoStudies(
  organism: string,
  out: string,
  settings: DemoSettings,
): Promise<string[]> {
  const studies = await Promise.all(
    caseNames.map(async (name) => {
      const folder = join(out, name);
      const document = await movedStudy(join(organism, name));
      await checkFolder(folder, document);
      const changed = withFields(document, settingFields(settings));
      return { folder, text: changed.toString({ lineWidth: 0, flowCollectionPadding: false }) };
    }),
  );
  for (const { folder, text } of studies) {
    const path = join(folder, resultFiles.study);
    await outFolder(folder);
    if (!(await isThere(path)) || (await readText(path)) !== text)
      await replaceFile(path, (file) => file.writeFile(text));
  }
  return studies.map(({ folder }) => folder);
}
