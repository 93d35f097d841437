/**
 * What a model says after it has thought. Reasoning models think aloud between marks of their own, and a
 * reply may end before the thoughts do: what stands in them is a draft, never an answer. Knows no question.
 */
import { parseJsonIf } from '../results.ts';

const names = 'think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis|inner_?monologue';

/**
 * Marks around thoughts: tags such as `<think>`, also with a name before (`<seed:think>`,
 * `<longcat_think>`, `<|begin_of_thought|>`, `<|START_THINKING|>`), `[THINK]`, `◁think▷`, the channels of
 * gpt-oss and Gemma, `<unused94>`, `<|inner_prefix|>`, and Granite's headings.
 */
const mark = new RegExp(
  [
    `<[|｜]?(?<shut>\\/?)(?<before>(?:[\\w.-]{1,20}[:_])?)(?:${names})(?:\\s[^<>]{0,60})?[|｜]?>`,
    '\\[(?<shutBracket>\\/?)(?:THINK|THINKING|THOUGHT|REASONING)\\]',
    '◁(?<shutKimi>\\/?)think▷',
    '<\\|channel\\|?>\\s{0,9}(?<channel>analysis|commentary|thought|final)',
    '(?<shutChannel><channel\\|>)',
    '<unused9(?<unused>[45])>',
    '<\\|inner_(?<inner>prefix|suffix)\\|>',
    'Here is my (?<heading>thought process|response):',
  ].join('|'),
  'gi',
);

/** As gpt-oss speaks where a server drops its control tokens. */
const bareAnalysis = /^(?:analysis|commentary)(?=[A-Z"'])/;
const bareFinal = /assistantfinal/g;

interface Mark {
  readonly end: number;
  readonly closes: boolean;
}

function closes(parts: Readonly<Record<string, string | undefined>>): boolean {
  const { shut, before = '', shutBracket, shutKimi, channel, shutChannel, unused, inner, heading } = parts;
  if ([shut, shutBracket, shutKimi].includes('/') || shutChannel !== undefined) return true;
  if (/^end_/i.test(before)) return true;
  return [channel, inner, heading, unused].some((one) =>
    ['final', 'suffix', 'response', '5'].includes(one?.toLowerCase() ?? ''),
  );
}

function marksIn(text: string): Mark[] {
  const found = Array.from(text.matchAll(mark), (one) => ({
    end: one.index + one[0].length + (one.groups!.channel === undefined ? 0 : messageMark(text, one)),
    closes: closes(one.groups!),
  }));
  if (!bareAnalysis.test(text)) return found;
  const bare = Array.from(text.matchAll(bareFinal), (one) => ({
    end: one.index + one[0].length,
    closes: true,
  }));
  return [{ end: 'analysis'.length, closes: false }, ...found, ...bare].sort((a, b) => a.end - b.end);
}

/** The length of the mark that may follow a channel's name. */
function messageMark(text: string, one: RegExpExecArray): number {
  const after = one.index + one[0].length;
  return /^[^<>{}]{0,40}<\|message\|>/.exec(text.slice(after, after + 60))?.[0].length ?? 0;
}

/** How many marks are tried as the end of the thoughts: one may be quoted by the answer. */
const mostTried = 20;

function isObject(text: string): boolean {
  if (!text.startsWith('{') || !text.endsWith('}')) return false;
  return parseJsonIf(text) !== undefined;
}

/**
 * What is said after the thoughts; undefined where the reply ends within them, or where that is in doubt.
 * Marks within the strings of a reply that is one JSON object are the object's own.
 */
export function spoken(text: string): string | undefined {
  const said = text.trim();
  if (isObject(said)) return said;
  const marks = marksIn(said);
  const shut = marks.filter((one) => one.closes);
  for (const { end } of shut.slice(0, mostTried)) {
    const rest = said.slice(end).trim();
    if (isObject(rest)) return rest;
  }
  const from = shut.at(-1)?.end ?? 0;
  if (marks.some(({ end, closes }) => !closes && end > from)) return undefined;
  return said.slice(from).trim();
}
