/** What judges and explainers reply: no reply may end a run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gradeIn } from '../../src/judges/chatReply.ts';
import { answersIn, explanationIn } from '../../src/judges/explainerReply.ts';
import { type Format, jsonPart, promised, textPart } from '../format.ts';

const texts = [
  '<think>Is it 90? {"score": 90}</think>\n```json\n{"reason": "It says \\"no\\".", "score": 15}\n```',
  'Score: 85/100.',
  '{"reason": "a {b} c", "score": "40"} and {"score": 40}',
  '{"explanation": "Hens, and what they eat."}',
  '{"answers": [1, 0, "yes", false]} [1, 0, 1, 0]',
  'analysisSo it is.assistantfinal{"score": 3, "reason": "x", // note\n}',
  "{'reason': 'it isn't', score: 4,}",
];

export const replies: Format = {
  name: 'replies',
  seeds: () => [
    ...texts.map((text) => ({ reply: textPart(text) })),
    { reply: jsonPart({ reason: { why: ['a'], how: {} }, score: 15 }) },
    { reply: jsonPart({ explanation: 'Hens.', answers: [1, 0, true, 'no'] }) },
  ],
  async read(folder) {
    const text = readFileSync(join(folder, 'reply'), 'utf8');
    for (const cut of [false, true]) {
      const grade = gradeIn(text, { cut });
      promised(grade === undefined || (grade.score >= 0 && grade.score <= 100), `the score ${grade?.score}`);
      promised(typeof (grade?.reason ?? '') === 'string', 'a reason that is no text');
      const explanation = explanationIn(text, { cut });
      promised(!/[\n\r]/.test(explanation ?? ''), 'an explanation of several lines');
      const answers = answersIn(text, 4, { cut });
      promised(answers === undefined || answers.length === 4, `${answers?.length} answers of 4`);
    }
  },
};
