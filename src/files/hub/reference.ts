/** How a file, a folder or a whole repository of the Hugging Face hub is named in a study. Knows no network. */
import { InputError } from '../../errors.ts';
import { quoted } from '../bytes.ts';

export interface HubReference {
  /** as it was written, for messages */
  readonly given: string;
  readonly type: 'model' | 'dataset';
  /** `org/name` */
  readonly name: string;
  /** branch, tag or commit; `main` where none is named */
  readonly revision: string;
  /** a file or folder of the repository; '' for its root */
  readonly path: string;
}

const prefix = 'hf:';
const datasets = 'datasets/';
const part = String.raw`\w[\w.-]*`;
const form = new RegExp(
  `^(?<name>${part}/${part})(?:@(?<revision>refs/(?:pr|convert)/${part}|[^/@\\s]+))?(?:/(?<path>\\S.*))?$`,
);

export const hubForm = 'hf:[datasets/]ORG/NAME[@REVISION][/PATH]';

export const isHub = (given: string): boolean => given.startsWith(prefix);

const leavesFolder = (path: string) =>
  path.split('/').some((segment) => ['', '.', '..'].includes(segment)) || /[\0\\]/.test(path);

/**
 * `hf:org/name`, `hf:org/name@v1/folder`, `hf:datasets/org/name/file.jsonl`; a revision with a slash is written
 * `@refs/pr/1` or with %2F. Undefined for a path that is no reference. Throws InputError for one of another form.
 */
export function hubReference(given: string): HubReference | undefined {
  if (!isHub(given)) return undefined;
  const text = given.slice(prefix.length).replace(/\/$/, '');
  const isDataset = text.startsWith(datasets) && text.split('/').length > 2;
  const found = form.exec(isDataset ? text.slice(datasets.length) : text)?.groups;
  const path = found?.path ?? '';
  if (!found || (path !== '' && leavesFolder(path)))
    throw new InputError(`${quoted(given)}: expected ${hubForm}`);
  const revision = (found.revision ?? 'main').replaceAll(/%2F/gi, '/');
  if (leavesFolder(revision)) throw new InputError(`${quoted(given)}: expected ${hubForm}`);
  return { given, type: isDataset ? 'dataset' : 'model', name: found.name!, revision, path };
}

export function isHubForm(given: string): boolean {
  try {
    return hubReference(given) !== undefined;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** What the hub's pages and files of a repository begin with, after its host. */
export const pagePath = ({ type, name }: Pick<HubReference, 'type' | 'name'>): string =>
  type === 'dataset' ? `${datasets}${name}` : name;
