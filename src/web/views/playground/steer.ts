/** Asks a server to steer, and reads what it says token by token. Knows nothing of how it is shown. */
import { z } from 'zod';
import type { Prompt } from '../../../results.ts';
import { checked } from '../../records.ts';

export interface Dose {
  readonly latent: number;
  /** signed, in parts of s */
  readonly dose: number;
}

export const models = ['subject', 'reference'] as const;

/** What is asked for, as the server reads it. */
export interface SteerBody {
  readonly prompt: Prompt;
  readonly latents: readonly Dose[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly model: (typeof models)[number];
}

export const sides = ['alone', 'steered'] as const;
export type SteerSide = (typeof sides)[number];

const likely = { id: z.int(), text: z.string(), log_probability: z.number() };
const side = z.enum(sides);
const steerLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), side, ...likely, top: z.array(z.object(likely)) }),
  z.object({ kind: z.literal('end'), side, stop: z.string() }),
  z.object({ kind: z.literal('error'), message: z.string() }),
]);
export type SteerLine = z.infer<typeof steerLine>;
export type SteerToken = Extract<SteerLine, { kind: 'token' }>;

const ofLines = 'application/x-ndjson';

function lineOf(text: string): SteerLine {
  return checked(steerLine, JSON.parse(text), "the server's reply");
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

/** What the server says to a request; throws where it does not answer line by line, and when the signal ends it. */
export async function* steerLines(
  { id, token = '' }: Served,
  body: SteerBody,
  signal: AbortSignal,
): AsyncGenerator<SteerLine> {
  const url = `api/studies/${encodeURIComponent(id)}/steer?token=${encodeURIComponent(token)}`;
  const headers = { 'Content-Type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!reply.headers.get('Content-Type')?.startsWith(ofLines))
    throw new Error(`steer: the server answered ${reply.status} ${reply.statusText}`);
  yield* linesIn(reply.body!);
}
