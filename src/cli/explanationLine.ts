/** A latent's explanation in a line, its scores beside it: a bad one is to look bad. */
import { isChance } from '../methods/interpretation/explanationScore.ts';
import type { ExplanationScore, LatentExplanation } from '../results.ts';

const tasks = ['detection', 'fuzzing'] as const;

function scoreText(task: string, score: ExplanationScore | null): string {
  if (score === null) return `${task} not tested: too few passages`;
  const { balanced_accuracy: accuracy, unanswered } = score;
  const missing = unanswered > 0 ? `, ${unanswered} unanswered` : '';
  return `${task} ${accuracy === null ? 'without a score' : accuracy.toFixed(2)}${missing}`;
}

/** What the scores say against it, if anything. */
function doubt(explanation: LatentExplanation): string {
  const tried = tasks.filter((task) => explanation[task] !== null);
  const bad = tried.filter((task) => isChance(explanation[task]!));
  if (bad.length === 0) return '';
  return `: ${bad.length === tried.length ? '' : `${bad[0]} `}no better than chance`;
}

export function explanationLine(explanation: LatentExplanation): string {
  const { text, by } = explanation;
  if (text === null) return `no explanation: ${by} gave none in any attempt`;
  const scores = tasks.map((task) => scoreText(task, explanation[task])).join(', ');
  return `seems to be about: ${text} (${scores}${doubt(explanation)})`;
}
