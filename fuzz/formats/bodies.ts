/** Bodies that a chat server answers with, whatever the status. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpoint } from '../../src/judges/chatEndpoint.ts';
import { type Format, jsonPart, promised, textPart } from '../format.ts';

const reply = {
  id: 'x',
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: '{"reason": "a", "score": 3}', refusal: null },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 20, completion_tokens: 9, total_tokens: 29 },
};
const parts = [
  { type: 'text', text: '{"score": 3}' },
  { type: 'refusal', refusal: 'No.' },
];
const event = { choices: [{ delta: { content: '3' }, finish_reason: null }] };

const body = (own: object) => ({ body: jsonPart(own), head: jsonPart({ status: 200, headers: {} }) });

export const bodies: Format = {
  name: 'bodies',
  seeds: () => [
    body(reply),
    body({ ...reply, choices: [{ message: { content: parts }, finish_reason: 'length' }] }),
    body({ ...reply, choices: [{ message: { content: { score: 3 } } }] }),
    body({ error: { message: 'quota', type: 'insufficient_quota', code: 429 } }),
    body({ choices: [{ error: { code: 502, message: 'bad' }, finish_reason: 'error' }] }),
    body({ object: 'error', message: 'max_tokens is too large: 9 > 5', base_resp: { status_code: 1004 } }),
    body({ detail: [{ loc: ['body', 'temperature'], msg: 'not supported' }] }),
    {
      body: jsonPart({ error: { message: "Unsupported parameter: 'response_format'" } }),
      head: jsonPart({ status: 400, headers: { 'retry-after': '3', date: 'Mon, 30 Nov 2026 07:00:00 GMT' } }),
    },
    { body: textPart(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`), head: jsonPart({ status: 200 }) },
  ],
  async read(folder) {
    const text = readFileSync(join(folder, 'body'));
    const { status, headers } = headOf(readFileSync(join(folder, 'head'), 'utf8'));
    globalThis.fetch = async () =>
      new Response([204, 205, 304].includes(status) ? null : text, { status, headers });
    const { send } = endpoint({
      baseUrl: 'http://localhost/v1',
      model: 'm',
      apiKey: 'key-of-mine',
      temperature: 0,
      timeoutS: 60,
      field: 'judge',
    });
    for (let i = 0; i < 3; i++) {
      const outcome = await send({ content: 'Is it?', schema: {}, schemaName: 'grade' }, 100, undefined);
      const why = 'why' in outcome ? outcome.why : '';
      promised(!/[\n\r]/.test(why) && why.length < 600, `a reason that is no line: ${JSON.stringify(why)}`);
      if ('waitS' in outcome && outcome.waitS !== undefined)
        promised(Number.isFinite(outcome.waitS) && outcome.waitS >= 0, `a wait of ${outcome.waitS} s`);
    }
  },
};

/** A server's own head is always one; what is damaged of it here is what it says. */
function headOf(text: string): { status: number; headers: Headers } {
  const headers = new Headers();
  let status = 200;
  try {
    const given = JSON.parse(text);
    if (Number.isInteger(given.status) && given.status >= 200 && given.status < 600) status = given.status;
    for (const [name, value] of Object.entries(given.headers ?? {})) headers.set(name, String(value));
  } catch {
    headers.set('retry-after', text.replace(/[^\x20-\x7e]/g, '').slice(0, 100));
  }
  return { status, headers };
}
