/** What an explainer is asked: templates filled with passages. Knows no model and no server. */
import { readFileSync } from 'node:fs';
import type { ExplainerPassage, ExplainItem, ScoreItem, ScoringTask } from './explainer.ts';
import { block, markOf, placeholder, sha256 } from './framing.ts';

const taskNames = ['explain', 'detection', 'fuzzing'] as const;
type TaskName = (typeof taskNames)[number];

/** How to reply, which differs by kind of explainer. */
export interface ReplyForms {
  readonly explain: string;
  readonly score: (task: ScoringTask, passages: number) => string;
}

export interface ExplainerQuestions {
  explain(item: ExplainItem): string;
  score(item: ScoreItem): string;
}

const template = (name: TaskName) =>
  readFileSync(new URL(`./templates/${name}.txt`, import.meta.url), 'utf8').trimEnd();

const templates = () => Object.fromEntries(taskNames.map((name) => [name, template(name)]));

/** SHA-256 of what goes into every question beside its passages. */
export const questionsHash = ({ explain, score }: ReplyForms): string =>
  sha256(JSON.stringify([templates(), explain, score('detection', 2), score('fuzzing', 2)]));

export function explainerQuestions(forms: ReplyForms): ExplainerQuestions {
  const texts = templates();
  const filled = (name: TaskName, values: Readonly<Record<string, string>>, reply: string) =>
    `${texts[name]!.replace(placeholder, (_, key: string) => values[key]!)}\n\n${reply}`;
  return {
    explain({ evidence }) {
      const { active, inactive, likelier } = evidence;
      const mark = markOf(evidence);
      const values = {
        mark,
        active: active
          .map((passage) => block('active', mark, `${markedText(passage)}\n\n${strengthsOf(passage)}`))
          .join('\n\n'),
        inactive: inactive.map((passage) => block('inactive', mark, markedText(passage))).join('\n\n'),
        likelier: block('likelier', mark, likelier.map((token) => JSON.stringify(token)).join(' ')),
      };
      return filled('explain', values, forms.explain);
    },
    score({ task, explanation, passages }) {
      const mark = markOf([explanation, passages]);
      const values = {
        mark,
        explanation: block('description', mark, explanation),
        passages: passages
          .map((passage, i) => block('passage', mark, markedText(passage), ` number="${i + 1}"`))
          .join('\n\n'),
      };
      return filled(task, values, forms.score(task, passages.length));
    },
  };
}

/**
 * The text with each run of marked tokens between << and >>; its own such signs are broken by a zero-width
 * space.
 */
function markedText({ tokens, marks }: ExplainerPassage): string {
  const runs: { marked: boolean; text: string }[] = [];
  tokens.forEach((token, t) => {
    const marked = marks[t] ?? false;
    const last = runs.at(-1);
    if (last?.marked === marked) last.text += token;
    else runs.push({ marked, text: token });
  });
  return runs
    .map(({ marked, text }) => ({ marked, text: text.replaceAll(/<(?=<)|>(?=>)/g, '$&\u200B') }))
    .map(({ marked, text }) => (marked ? `<<${text}>>` : text))
    .join('');
}

/** Each marked token with its activation from 1 to 10. */
function strengthsOf({ tokens, marks, strengths }: ExplainItem['evidence']['active'][number]): string {
  const told = tokens.flatMap((token, t) =>
    marks[t] ? [`${JSON.stringify(token)} ${Math.max(1, Math.round(10 * strengths[t]!))}`] : [],
  );
  return `(activity: ${told.join(', ')})`;
}
