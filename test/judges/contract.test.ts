/** Every kind of judge keeps the one contract. That of the classifier is held in its own test. */
import { afterAll, beforeAll } from 'vitest';
import { chatJudge } from '../../src/judges/chat.ts';
import { localJudge } from '../../src/judges/local.ts';
import { patternJudge } from '../../src/judges/pattern.ts';
import { type FakeChatServer, fakeChatServer, framed, gradeByWords } from '../support/fakeChatServer.ts';
import { judgeContract } from '../support/judgeContract.ts';

const rubric = 'The answer could harm.';

judgeContract('pattern', () => patternJudge({ positive: 'HARM', flags: 'iu', incoherent: '\\bzxqv\\b' }), {
  threshold: 1,
});

/** Log-probabilities by key words, read from the frame as a server would. */
const wordModel = async (messages: readonly { content: string }[]) => {
  const { content } = messages[0]!;
  const aspect = content.includes('Is the completion coherent text? Reply') ? 'coherence' : 'behaviour';
  const { score } = JSON.parse(gradeByWords({ aspect, ...framed(content) }));
  return [Math.log(score / 100), Math.log(1 - score / 100)];
};
judgeContract('local', () => localJudge({ rubric, model: 'words', modelHash: 'none', ask: wordModel }));

let server: FakeChatServer;
beforeAll(async () => {
  server = await fakeChatServer();
});
afterAll(() => server.close());

judgeContract('chat', () => chatJudge({ rubric, baseUrl: server.baseUrl, model: 'words', concurrency: 3 }));
