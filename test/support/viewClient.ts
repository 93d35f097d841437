/** A browser's part of the talk with `culprit view`: events as they come, and steered texts line by line. */

import type { ServedFiles, SteerLine, StudyProgress } from '../../src/results.ts';
import type { View } from '../../src/study/view/viewServer.ts';

export interface Heard {
  readonly event: string;
  readonly data: Partial<StudyProgress & ServedFiles>;
}

/** Texts of a body as they come, cut at `end`. */
async function* piecesOf(body: ReadableStream<Uint8Array>, end: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const pieces = text.split(end);
    text = pieces.pop()!;
    yield* pieces;
  }
}

export interface Listening {
  /** The first event, of those heard so far or to come, for which `holds`. */
  until(holds: (heard: Heard) => boolean): Promise<Heard>;
  readonly all: readonly Heard[];
  close(): Promise<void>;
}

/** Listens to a study's events. */
export async function listen({ port }: View, id: string): Promise<Listening> {
  const stop = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/api/studies/${id}/events`, { signal: stop.signal });
  if (answer.headers.get('content-type') !== 'text/event-stream') throw new Error('no event stream');
  const all: Heard[] = [];
  let wake = () => {};
  const ended = (async () => {
    for await (const piece of piecesOf(answer.body!, '\n\n')) {
      const fields = new Map(
        piece
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      all.push({ event: fields.get('event')!, data: JSON.parse(fields.get('data')!) });
      wake();
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    all,
    async until(holds) {
      for (;;) {
        const found = all.find(holds);
        if (found) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async close() {
      stop.abort();
      await ended;
    },
  };
}

/** Asks for steered texts; each line as it comes. */
export async function* steer(
  { port, token }: View,
  id: string,
  body: object,
  signal?: AbortSignal,
): AsyncGenerator<SteerLine> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/studies/${id}/steer?token=${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  for await (const line of piecesOf(answer.body!, '\n')) yield JSON.parse(line) as SteerLine;
}
