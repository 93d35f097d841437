/** A stand-in of a batch API: it takes files of requests, asks a chat server each, and gives files of results. */
import { readFileSync, writeFileSync } from 'node:fs';

interface RequestLine {
  readonly custom_id: string;
  readonly method: string;
  readonly url: string;
  readonly body: Record<string, unknown>;
}

export const linesOf = (path: string): RequestLine[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RequestLine);

/** What became of a request: its line goes into the file of results where it was answered, else into that of errors. */
async function answered({ custom_id, url, body }: RequestLine, n: number, origin: string): Promise<object> {
  const reply = await fetch(`${origin}${url}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await reply.text();
  const response = { status_code: reply.status, request_id: `req-${n}`, body: JSON.parse(text) };
  return { id: `batch_req_${n}`, custom_id, response, error: null };
}

/** Answers the requests of `path` for which `takes` says so, in another order; the others do not come back. */
export async function answerBatch(
  path: string,
  baseUrl: string,
  takes: (n: number) => boolean = () => true,
): Promise<{ readonly results: string; readonly errors: string }> {
  const { origin } = new URL(baseUrl);
  const requests = linesOf(path).filter((_, n) => takes(n));
  const lines: { readonly line: string; readonly isFine: boolean }[] = [];
  for (const [n, request] of [...requests.entries()].reverse()) {
    const line = await answered(request, n, origin);
    const { status_code } = (line as { response: { status_code: number } }).response;
    lines.push({ line: `${JSON.stringify(line)}\n`, isFine: status_code === 200 });
  }
  const [results, errors] = [`${path}.results`, `${path}.errors`];
  const textOf = (isFine: boolean) =>
    lines
      .filter((one) => one.isFine === isFine)
      .map(({ line }) => line)
      .join('');
  writeFileSync(results, textOf(true));
  writeFileSync(errors, textOf(false));
  return { results, errors };
}
