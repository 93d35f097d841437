/**
 * Files of batches as OpenAI has them: a request a line, and what came back, a line a request. Knows no judge.
 */

import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../files/atomic.ts';
import { readJsonl } from '../../files/jsonl.ts';
import { type Aspect, aspects } from '../../judges/question.ts';

/** What the API takes in one file. */
export interface BatchLimits {
  readonly requests: number;
  readonly bytes: number;
}
export const apiLimits: BatchLimits = { requests: 50_000, bytes: 200_000_000 };

/** What a question is about, in its name. */
export interface QuestionName {
  /** what its answer depends on beside the text, and the text: hashes, or their beginnings */
  readonly judge: string;
  readonly text: string;
  readonly aspect: Aspect;
  /** from 1 */
  readonly number: number;
}

const lengths = { judge: 12, text: 24 };
const form = new RegExp(
  `^culprit-([0-9a-f]{${lengths.judge}})-([0-9a-f]{${lengths.text}})-(${aspects.join('|')})-(\\d{1,6})$`,
);

export const shortJudge = (hash: string): string => hash.slice(0, lengths.judge);
export const shortText = (hash: string): string => hash.slice(0, lengths.text);

/** The custom_id of a question: no longer than 64 characters, as some servers want it. */
export const customId = ({ judge, text, aspect, number }: QuestionName): string =>
  `culprit-${shortJudge(judge)}-${shortText(text)}-${aspect}-${number}`;

/** What a custom_id says; undefined where it is none of ours. */
export function questionNamed(id: string): QuestionName | undefined {
  const [, judge, text, aspect, number] = form.exec(id) ?? [];
  return judge === undefined
    ? undefined
    : { judge, text: text!, aspect: aspect as Aspect, number: Number(number) };
}

export interface BatchFile {
  readonly file: string;
  readonly requests: number;
}

export interface BatchRequest {
  readonly id: string;
  readonly body: object;
}

const lineOf = ({ id, body }: BatchRequest) =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body })}\n`;

/** `batch.jsonl`, `batch-2.jsonl`, ... */
function nameOf(path: string, number: number): string {
  const extension = extname(path);
  const name = basename(path, extension);
  return number === 1 ? path : join(dirname(path), `${name}-${number}${extension}`);
}

const piece = 2 ** 20;

/** Writes the requests into `path`, and into more files beside it where the API takes no more in one. */
export async function writeRequests(
  path: string,
  requests: AsyncIterable<BatchRequest>,
  limits: BatchLimits,
): Promise<BatchFile[]> {
  const lines = linesOf(requests);
  const files: BatchFile[] = [];
  let next = await lines.next();
  while (!next.done) {
    const file = nameOf(path, files.length + 1);
    let count = 0;
    await replaceFile(file, async (handle) => {
      let bytes = 0;
      const out = buffered(handle);
      while (!next.done) {
        const size = Buffer.byteLength(next.value);
        if (count > 0 && (count === limits.requests || bytes + size > limits.bytes)) break;
        await out.add(next.value);
        bytes += size;
        count++;
        next = await lines.next();
      }
      await out.end();
    });
    files.push({ file, requests: count });
  }
  return files;
}

async function* linesOf(requests: AsyncIterable<BatchRequest>): AsyncGenerator<string, undefined> {
  for await (const request of requests) yield lineOf(request);
}

function buffered(handle: FileHandle) {
  let text = '';
  const end = async () => {
    await handle.appendFile(text);
    text = '';
  };
  return {
    async add(line: string) {
      text += line;
      if (text.length >= piece) await end();
    },
    end,
  };
}

const expected = { error: 'expected a result line: custom_id, and a response or an error' };

const resultLine = z
  .looseObject(
    {
      custom_id: z.string(expected),
      response: z.looseObject({ status_code: z.int().default(200), body: z.unknown().optional() }).nullish(),
      error: z.unknown().optional(),
    },
    expected,
  )
  .refine(({ response, error }) => Boolean(response) || Boolean(error), expected);

export interface BatchResult {
  /** `file:line` */
  readonly where: string;
  readonly id: string;
  /** what the server said, where it was asked */
  readonly response?: { readonly status: number; readonly body: unknown } | undefined;
  /** why it was not, or what came of that */
  readonly error?: string | undefined;
}

const errorForm = z.looseObject({ code: z.unknown(), message: z.unknown() });

function errorText(error: unknown): string {
  const { code, message } = errorForm.safeParse(error).data ?? {};
  const said = [code, message].filter((one) => typeof one === 'string' && one !== '');
  return said.length > 0 ? said.join(': ') : JSON.stringify(error);
}

/**
 * The lines of results, or of errors; a last line that is cut off is left out. Throws InputError `file:line: ...`
 * for any other that is none.
 */
export async function* readResults(path: string): AsyncGenerator<BatchResult> {
  for await (const { line, value } of readJsonl(path, resultLine, { cutLastLine: 'drop' })) {
    const { custom_id: id, response, error } = value;
    const where = `${path}:${line}`;
    yield response
      ? { where, id, response: { status: response.status_code, body: response.body } }
      : { where, id, error: errorText(error) };
  }
}
