/** The answer's worked example: a prompt, what the model says, and what it says when the latent is held or steered. */
import type { SteeredCompletion } from '../../../results.ts';
import { count, signed } from '../../format.ts';
import { promptTexts } from '../../parts/promptTexts.ts';
import { VerdictMark } from '../../parts/verdict.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { inStudy, type Route } from '../../routes.ts';
import type { LoadedStudy, SteeringRecords } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { TestedLatent } from './answer.ts';
import { commonStart, type Example, exampleOf } from './example.ts';

interface SaidProps {
  readonly heading: string;
  readonly said: SteeredCompletion;
  /** of the trimmed text: what both say first */
  readonly common: number;
}

function Said({ heading, said, common }: SaidProps) {
  const text = said.text.trim();
  return (
    <section className="side">
      <p className="side-heading">
        {heading} <VerdictMark verdict={said} />
      </p>
      <p className="completion">
        <span className="quiet">{text.slice(0, common)}</span>
        {text.slice(common)}
        {said.stop === 'length' && <span className="quiet"> […]</span>}
      </p>
    </section>
  );
}

const names = { remove: 'removed', away: 'away', toward: 'toward' } as const;
const models = { remove: 'subject', away: 'subject', toward: 'reference' } as const;

const doneText = ({ latent, place }: TestedLatent, dose: number) =>
  place === 'remove' ? `latent ${latent} removed` : `steered along ${latent} by ${signed(dose, 2)} s`;

function countText(
  { turned, back, broken, of }: Example,
  place: TestedLatent['place'],
  nameOf: (kind: string) => string,
): string {
  const [positive, negative] = [nameOf('positive'), nameOf('negative')];
  const way = place === 'toward' ? `from ${negative} to ${positive}` : `from ${positive} to ${negative}`;
  return `The first of ${count(turned)} answers, of ${count(of)} on the test prompts and those kept aside, whose verdict turns ${way}; ${count(back)} turn the other way, ${count(broken)} become incoherent.`;
}

interface CardProps {
  readonly study: LoadedStudy;
  readonly steering: SteeringRecords;
  readonly tested: TestedLatent;
  readonly route: Route;
}

/** Nothing until it is there, and where no verdict turned. */
export function ExampleCard({ study, steering, tested, route }: CardProps) {
  const { latent, place } = tested;
  const nameOf = useVerdictName();
  const { value, loading } = useLoaded(() => study.trials(latent), [study, latent]);
  const example = value && exampleOf(value, place);
  if (example === undefined)
    return loading ? <aside className="example" aria-label="Example" aria-busy="true" /> : null;
  const prompt = promptTexts(steering.summary.prompts).get(example.promptId) ?? `prompt ${example.promptId}`;
  const common = commonStart(example.alone.text.trim(), example.changed.text.trim());
  const all = inStudy(route, 'latent', `${latent}`, { done: names[place] });
  return (
    <aside className="example" aria-label="Example">
      <h2>For example</h2>
      <p className="prompt">{prompt.trim()}</p>
      <Said heading={`${models[place]}, unsteered`} said={example.alone} common={common} />
      <Said
        heading={`${models[place]}, ${doneText(tested, example.dose)}`}
        said={example.changed}
        common={common}
      />
      <p className="quiet">
        {countText(example, place, nameOf)} <a href={all}>All of them</a>
      </p>
    </aside>
  );
}
