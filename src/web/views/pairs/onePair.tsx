/**
 * One pair: the prompt, both completions token by token as a latent or all of them weigh on them, and what
 * the judge said.
 */

import type { GradeRecord, PairRecord, PairTokens } from '../../../results.ts';
import { fixed } from '../../format.ts';
import { nats } from '../../parts/nats.ts';
import { Missing } from '../../parts/notes.tsx';
import { promptText } from '../../parts/promptTexts.ts';
import { type PairSide, ShadedPair } from '../../parts/shadedPair.tsx';
import { VerdictMark } from '../../parts/verdict.tsx';
import { inStudy, type Route } from '../../routes.ts';

type Grades = ReadonlyMap<string, GradeRecord> | undefined;
type Shading = PairTokens['latents'][number] | undefined;

interface OnePairProps {
  readonly pair: PairRecord;
  readonly tokens: PairTokens | undefined;
  readonly grades: Grades;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly route: Route;
}

interface NotesProps {
  readonly grade: GradeRecord | undefined;
  readonly loss?: number;
}

function Notes({ grade, loss }: NotesProps) {
  const numbers = [
    grade && `score ${fixed(grade.score, 2)}`,
    grade && `coherence ${fixed(grade.coherence, 2)}`,
    loss !== undefined && `loss ${fixed(loss, 3)} nats`,
  ].filter(Boolean);
  return (
    <>
      <p className="quiet reason">{numbers.join(' · ')}</p>
      {grade && grade.reason !== '' && <p className="reason">The judge: {grade.reason}</p>}
    </>
  );
}

interface HeadingProps {
  readonly id: string;
  readonly label: 'positive' | 'negative';
  readonly grade: GradeRecord | undefined;
}

const Heading = ({ id, label, grade }: HeadingProps) => (
  <>
    {grade ? <VerdictMark verdict={grade} /> : label} <span className="quiet">{id}</span>
  </>
);

function sidesOf({ completions }: PairTokens, shading: Shading, grades: Grades): PairSide[] {
  return completions.map(({ id, label, loss, tokens, total }, i) => {
    const grade = grades?.get(id);
    return {
      id,
      label,
      tokens,
      delta: shading?.completions[i] ?? total,
      heading: <Heading id={id} label={label} grade={grade} />,
      notes: <Notes grade={grade} loss={loss} />,
    };
  });
}

interface ChoiceProps {
  readonly tokens: PairTokens;
  readonly shading: Shading;
  readonly route: Route;
}

/** The pair's strongest latents, each a link to the same pair as it weighs on it. */
function LatentChoice({ tokens: { pair, latents }, shading, route }: ChoiceProps) {
  const link = (latent: string) => inStudy(route, 'pairs', pair, { latent });
  return (
    <nav className="chips" aria-label="Latent whose δ is shown">
      <a href={link('')} aria-current={shading === undefined ? 'true' : undefined}>
        all latents
      </a>
      {latents.map(({ latent, delta }) => (
        <a
          key={latent}
          href={link(`${latent}`)}
          aria-current={shading?.latent === latent ? 'true' : undefined}
        >
          {latent} <span className="quiet">{nats(delta)}</span>
        </a>
      ))}
    </nav>
  );
}

function Shaded({
  tokens,
  grades,
  route,
}: Pick<OnePairProps, 'grades' | 'route'> & { readonly tokens: PairTokens }) {
  const asked = route.query.latent;
  const shading = tokens.latents.find(({ latent }) => `${latent}` === asked);
  return (
    <>
      <LatentChoice tokens={tokens} shading={shading} route={route} />
      {asked !== undefined && shading === undefined && (
        <p className="quiet">
          Latent {asked} is not among the strongest of this pair: the sum over all latents is shown.
        </p>
      )}
      {shading && (
        <p>
          <a href={inStudy(route, 'latent', `${shading.latent}`)}>more about latent {shading.latent}</a>
        </p>
      )}
      <ShadedPair
        of={shading ? `latent ${shading.latent}` : 'all latents together'}
        prompt={{ tokens: tokens.prompt.tokens, delta: shading?.prompt ?? tokens.prompt.total }}
        completions={sidesOf(tokens, shading, grades)}
      />
    </>
  );
}

function Plain({ pair, grades }: Pick<OnePairProps, 'pair' | 'grades'>) {
  const sides = [
    { id: pair.positive_id, label: 'positive', text: pair.positive },
    { id: pair.negative_id, label: 'negative', text: pair.negative },
  ] as const;
  return (
    <>
      <Missing command="culprit interpret STUDY">How much each token counts is not known.</Missing>
      <p className="prompt">{promptText(pair.prompt)}</p>
      <div className="two-columns">
        {sides.map(({ id, label, text }) => (
          <section key={id} className="side">
            <p className="side-heading">
              <Heading id={id} label={label} grade={grades?.get(id)} />
            </p>
            <p className="completion">{text}</p>
            <Notes grade={grades?.get(id)} />
          </section>
        ))}
      </div>
    </>
  );
}

export function OnePair({ pair, tokens, grades, before, after, route }: OnePairProps) {
  const { latent = '' } = route.query;
  const link = (id: string) => inStudy(route, 'pairs', id, { latent });
  return (
    <>
      <div className="row spread">
        <h1>Pair {pair.id}</h1>
        <nav className="previous-next" aria-label="Pairs">
          {before !== undefined && <a href={link(before)}>← previous</a>}
          <a href={inStudy(route, 'pairs', undefined, { latent })}>all pairs</a>
          {after !== undefined && <a href={link(after)}>next →</a>}
        </nav>
      </div>
      <p className="quiet">certainty {fixed(pair.certainty, 2)}: the positive’s score minus the negative’s</p>
      {tokens ? (
        <Shaded tokens={tokens} grades={grades} route={route} />
      ) : (
        <Plain pair={pair} grades={grades} />
      )}
    </>
  );
}
