/** A chat judge of twelve short answers, on a server that a test starts. */
import { type ChatJudgeOptions, chatJudge } from '../../src/judges/chat.ts';
import type { Grading, JudgeItem, Verdict } from '../../src/judges/judge.ts';
import type { FakeChatServer, Fault } from './fakeChatServer.ts';

export const rubric = 'The answer could harm.';
export const items: JudgeItem[] = Array.from({ length: 12 }, (_, i) => ({
  id: `q${i}/0`,
  prompt: `Question ${i}?`,
  completion: `${i % 2 ? 'It may harm you' : 'It is fine'}, number ${i}.`,
  ended: true,
}));

export interface Outcome {
  readonly told: Map<string, Verdict>;
  readonly grading?: Grading;
  readonly error?: Error;
}

/** Makes judges on the server that `of` gives, and grades with them. */
export function chatJudging(of: () => FakeChatServer) {
  const make = (options: Partial<ChatJudgeOptions> = {}) =>
    chatJudge({ rubric, baseUrl: of().baseUrl, model: 'words', sleep: async () => {}, ...options });
  async function graded(options: Partial<ChatJudgeOptions> = {}, given = items): Promise<Outcome> {
    const told = new Map<string, Verdict>();
    try {
      const grading = await make(options).grade(given, async ({ id }, verdict) => void told.set(id, verdict));
      return { told, grading };
    } catch (error) {
      return { told, error: error as Error };
    }
  }
  return { make, graded };
}

export const refuses =
  (status: number, message: string): Fault =>
  (response) =>
    response.writeHead(status).end(JSON.stringify({ error: { message } }));
