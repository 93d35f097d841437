/** Asks a server to have the model read a text. Knows nothing of how it is shown. */
import { type OwnTextRead, type ReadBody, readAnswer, studyAddresses } from '../../../results.ts';
import { checkedRecord, parsedJson } from '../../records.ts';
import type { Source } from '../../source.ts';

/** Throws with what the server says where it does not read it. */
export async function askToRead({ id, token = '' }: Source, body: ReadBody): Promise<OwnTextRead> {
  const { read } = studyAddresses(encodeURIComponent(id));
  const reply = await fetch(`${read}?token=${encodeURIComponent(token)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error('the server does not answer');
  });
  const place = "the server's reply";
  const answer = checkedRecord(readAnswer, parsedJson(await reply.text(), place), place);
  if (answer.kind === 'error') throw new Error(answer.message);
  return answer;
}
