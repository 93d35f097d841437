/** A report read back as a browser reads it: by the parser of the HTML standard. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';

type Element = DefaultTreeAdapterTypes.Element;

function* elementsOf(node: DefaultTreeAdapterTypes.Node): Generator<Element> {
  if ('tagName' in node) yield node;
  if ('content' in node) yield* elementsOf(node.content);
  if ('childNodes' in node) for (const child of node.childNodes) yield* elementsOf(child);
}

const attribute = ({ attrs }: Element, name: string) => attrs.find((one) => one.name === name)?.value;
const textOf = ({ childNodes }: Element) =>
  childNodes.map((child) => ('value' in child ? child.value : '')).join('');

interface HeldFile {
  readonly size: number;
  readonly data: string;
}
interface HeldStudy {
  readonly id: string;
  readonly name: string;
  readonly files: Readonly<Record<string, HeldFile>>;
  readonly trimmed: Readonly<Record<string, string>>;
}

export interface ReadReport {
  /** tag names, in order */
  readonly tags: readonly string[];
  /** names of all attributes of all elements */
  readonly attributes: readonly string[];
  readonly scripts: readonly { readonly type: string | undefined; readonly text: string }[];
  readonly title: string;
  readonly policy: ReadonlyMap<string, string>;
  readonly data: {
    readonly version: string;
    readonly created: string;
    readonly studies: readonly HeldStudy[];
  };
}

export function readReport(html: string): ReadReport {
  const elements = [...elementsOf(parse(html))];
  const byTag = (name: string) => elements.filter(({ tagName }) => tagName === name);
  const meta = byTag('meta').find((one) => attribute(one, 'http-equiv') === 'Content-Security-Policy')!;
  const policy = attribute(meta, 'content')!.split('; ');
  const data = byTag('script').find((one) => attribute(one, 'id') === 'culprit-data')!;
  return {
    tags: elements.map(({ tagName }) => tagName),
    attributes: elements.flatMap(({ attrs }) => attrs.map(({ name }) => name)),
    scripts: byTag('script').map((one) => ({ type: attribute(one, 'type'), text: textOf(one) })),
    title: byTag('title').map(textOf).join(),
    policy: new Map(policy.map((part) => [part.split(' ')[0]!, part.slice(part.indexOf(' ') + 1)])),
    data: JSON.parse(textOf(data)),
  };
}

/** A file that a report holds. */
export function held({ files }: HeldStudy, path: string): Buffer {
  const { size, data } = files[path]!;
  const content = gunzipSync(Buffer.from(data, 'base64'));
  if (content.length !== size) throw new Error(`${path}: holds ${content.length} bytes, says ${size}`);
  return content;
}

export const hashSource = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
