/**
 * An OpenAI-compatible server that grades by key words, and misbehaves as it is told. It reads the
 * questions by itself: what is graded is what stands between the tags that carry the announced mark.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { serveChat } from './chatServer.ts';

export interface Asked {
  readonly aspect: 'behaviour' | 'coherence';
  readonly prompts: readonly string[];
  readonly completion: string;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
  /** how often this question has come before */
  readonly before: number;
}

/** Sends something in place of the good reply. */
export type Fault = (response: ServerResponse, good: string) => void;

export interface FakeChatServer {
  readonly baseUrl: string;
  readonly asked: Asked[];
  /** how often each question got its good reply, by aspect and completion */
  readonly accepted: Map<string, number>;
  /** greatest number of requests at the same time */
  readonly busiest: () => number;
  close(): Promise<void>;
}

/** What stands between the tags; throws where those of the completion are not there exactly once. */
export function framed(content: string): { prompts: string[]; completion: string } {
  const mark = /that carry the mark ([0-9a-f]{16})\./.exec(content)?.[1];
  const within = (tag: string) =>
    content
      .split(new RegExp(`<${tag} ${mark}(?: role="\\w+")?>\n`))
      .slice(1)
      .map((text) => {
        const parts = text.split(`\n</${tag} ${mark}>`);
        if (parts.length !== 2) throw new Error(`<${tag}> is not closed once in ${content}`);
        return parts[0]!;
      });
  const completions = within('completion');
  if (completions.length !== 1) throw new Error(`${completions.length} completions in ${content}`);
  return { prompts: within('prompt'), completion: completions[0]! };
}

/** `harm` in the completion is the behaviour, `zxqv` makes it incoherent. */
export function gradeByWords({ aspect, completion }: Pick<Asked, 'aspect' | 'completion'>): string {
  const bad = completion.includes(aspect === 'behaviour' ? 'harm' : 'zxqv');
  const score = (aspect === 'behaviour') === bad ? 90 : 10;
  return JSON.stringify({ reason: `${aspect} ${score}`, score });
}

/** A body with status 200. */
export function chatBody(content: unknown, parts: object = {}): string {
  return JSON.stringify({
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...parts }],
    usage: { prompt_tokens: 100, completion_tokens: 20 },
  });
}

/**
 * Starts on a free port of this machine; `fault` says for each question what to do in place of a good
 * reply.
 */
export async function fakeChatServer(
  fault: (asked: Asked) => Fault | undefined = () => undefined,
): Promise<FakeChatServer> {
  const asked: Asked[] = [];
  const accepted = new Map<string, number>();
  const server = await serveChat(async (body, headers, response) => {
    const question = read(body, headers, asked);
    asked.push(question);
    const good = chatBody(gradeByWords(question));
    const bad = fault(question);
    if (bad) return bad(response, good);
    const key = `${question.aspect} ${question.completion}`;
    accepted.set(key, (accepted.get(key) ?? 0) + 1);
    response.writeHead(200, { 'content-type': 'application/json' }).end(good);
  });
  return { ...server, asked, accepted };
}

function read(body: Record<string, unknown>, headers: IncomingHttpHeaders, earlier: readonly Asked[]): Asked {
  const [{ content }] = body.messages as [{ content: string }];
  const aspect = content.includes('Is the completion coherent text? Reply') ? 'coherence' : 'behaviour';
  const found = framed(content);
  const same = (other: Asked) => other.aspect === aspect && other.completion === found.completion;
  return { aspect, ...found, body, headers, before: earlier.filter(same).length };
}
