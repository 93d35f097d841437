/** What a latent is taken to be about: by a language model that was shown its passages, and by others. */
import { fixed } from '../../format.ts';

interface Score {
  /** null where too few were answered */
  readonly balanced_accuracy: number | null;
}

/** The parts of a latent's page that this reads; a page may be without them. */
interface Explained {
  readonly latent: number;
  readonly explanation?:
    | {
        readonly text: string | null;
        readonly by: string;
        readonly detection: Score | null;
        readonly fuzzing: Score | null;
      }
    | null
    | undefined;
  readonly labels?:
    | readonly {
        readonly text: string;
        readonly source: string;
        readonly by: string | null;
        readonly score: number | null;
      }[]
    | undefined;
}

const scoreText = (score: Score | null) =>
  score?.balanced_accuracy === null || score === null ? 'not measured' : fixed(score.balanced_accuracy, 2);

function Own({ explanation }: { readonly explanation: NonNullable<Explained['explanation']> }) {
  const { text, by, detection, fuzzing } = explanation;
  return (
    <>
      <p className="explanation">{text ?? 'The explainer gave no answer.'}</p>
      <p className="quiet">
        by {by} · detection {scoreText(detection)} · fuzzing {scoreText(fuzzing)} (balanced accuracy on
        passages that it was not shown; 0.5 is chance)
      </p>
    </>
  );
}

export function Explanation({ page }: { readonly page: Explained }) {
  const { explanation, labels = [] } = page;
  if (!explanation && labels.length === 0) return null;
  return (
    <section>
      <h2>Explanation</h2>
      {explanation && <Own explanation={explanation} />}
      {labels.length > 0 && (
        <ul className="labels">
          {labels.map(({ text, source, by, score }) => (
            <li key={`${source} ${text}`}>
              {text}{' '}
              <span className="quiet">
                {[source, by, score === null ? null : `score ${fixed(score, 2)}`].filter(Boolean).join(' · ')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
