/** Asks a server to steer, and reads what it says token by token. Knows nothing of how it is shown. */
import { linesType, type SteerBody, type SteerLine, steerLine, studyAddresses } from '../../../results.ts';
import { checkedRecord } from '../../records.ts';

export type SteerToken = Extract<SteerLine, { kind: 'token' }>;

function lineOf(text: string): SteerLine {
  return checkedRecord(steerLine, JSON.parse(text), "the server's reply");
}

/** The lines of a reply as they come; the last may lack its end. */
export async function* linesIn(body: ReadableStream<Uint8Array>): AsyncGenerator<SteerLine> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') yield lineOf(line);
  }
  if (rest !== '') yield lineOf(rest);
}

interface Served {
  readonly id: string;
  readonly token?: string | undefined;
}

/**
 * What the server says to a request; throws where it does not answer line by line, and when the signal ends
 * it.
 */
export async function* steerLines(
  { id, token = '' }: Served,
  body: SteerBody,
  signal: AbortSignal,
): AsyncGenerator<SteerLine> {
  const { steer } = studyAddresses(encodeURIComponent(id));
  const url = `${steer}?token=${encodeURIComponent(token)}`;
  const headers = { 'Content-Type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!reply.headers.get('Content-Type')?.startsWith(linesType))
    throw new Error(`steer: the server answered ${reply.status} ${reply.statusText}`);
  yield* linesIn(reply.body!);
}
