/**
 * What was compared as one, or a pair of it: the prompt, the completions token by token as a latent or all of
 * them weigh on them, and what the judge said.
 */

import type { GradeRecord, PairRecord, PairTokens } from '../../../results.ts';
import { fixed, plural } from '../../format.ts';
import { CopyLink } from '../../parts/copyLink.tsx';
import { nats } from '../../parts/nats.ts';
import { Missing } from '../../parts/notes.tsx';
import { type PairSide, ShadedPair } from '../../parts/shadedPair.tsx';
import { VerdictMark } from '../../parts/verdict.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { inStudy, type Route } from '../../routes.ts';
import type { ComparedTexts } from './chosen.ts';
import { tokensOfPair } from './pairTokens.ts';

type Grades = ReadonlyMap<string, GradeRecord> | undefined;
type Shading = PairTokens['latents'][number] | undefined;

interface OnePairProps {
  readonly contrast: ComparedTexts;
  /** the one of its pairs that is shown; undefined for all of them */
  readonly pair: PairRecord | undefined;
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

function Heading({ id, label, grade }: HeadingProps) {
  const nameOf = useVerdictName();
  return (
    <>
      {grade ? <VerdictMark verdict={grade} /> : nameOf(label)} <span className="quiet">{id}</span>
    </>
  );
}

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

/** The strongest latents, each a link to the same texts as it weighs on them. */
function LatentChoice({ tokens: { pair, latents }, shading, route }: ChoiceProps) {
  const link = (latent: string) => inStudy(route, 'pairs', pair, { ...route.query, latent });
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
          Latent {asked} is not among the strongest here: the sum over all latents is shown.
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

function Plain({ contrast, grades }: Pick<OnePairProps, 'contrast' | 'grades'>) {
  const sides = [
    { label: 'positive', texts: contrast.positives },
    { label: 'negative', texts: contrast.negatives },
  ] as const;
  return (
    <>
      <Missing command="culprit interpret STUDY">How much each token counts is not known.</Missing>
      <p className="prompt">{contrast.prompt}</p>
      <div className="two-columns">
        {sides.map(({ label, texts }) => (
          <div key={label} className="stack">
            {texts.map(({ id, text }) => (
              <section key={id} className="side">
                <p className="side-heading">
                  <Heading id={id} label={label} grade={grades?.get(id)} />
                </p>
                <p className="completion">{text}</p>
                <Notes grade={grades?.get(id)} />
              </section>
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

/** The contrast with this pair alone. */
function alone(contrast: ComparedTexts, pair: PairRecord): ComparedTexts {
  const { positive_id, negative_id, positive, negative, certainty } = pair;
  return {
    ...contrast,
    positives: [{ id: positive_id, text: positive }],
    negatives: [{ id: negative_id, text: negative }],
    certainty,
    tokens: tokensOfPair(contrast.tokens, pair),
  };
}

function Title({ contrast, pair, route }: Pick<OnePairProps, 'contrast' | 'pair' | 'route'>) {
  const { id, pairs, positives, negatives, certainty } = contrast;
  const sure = `certainty ${fixed(pair?.certainty ?? certainty, 2)}: the positive’s score minus the negative’s`;
  if (pairs.length === 1) return <p className="quiet">{sure}</p>;
  const counts = `${plural(positives.length, 'positive')} × ${plural(negatives.length, 'negative')}`;
  if (pair === undefined)
    return (
      <p className="quiet">
        {counts} = {plural(pairs.length, 'pair')}; Δ is measured on all of them together, per prompt. Most
        certain pair: {sure}
      </p>
    );
  return (
    <p className="quiet">
      One of the {plural(pairs.length, 'pair')} of{' '}
      <a href={inStudy(route, 'pairs', id, route.query)}>prompt {id}</a> ({counts}). The Δ of a latent is the
      prompt’s, over all of them. {sure[0]!.toUpperCase() + sure.slice(1)}
    </p>
  );
}

export function OnePair({ contrast, pair, grades, before, after, route }: OnePairProps) {
  const link = (id: string) => inStudy(route, 'pairs', id, route.query);
  const isWhole = pair === undefined && contrast.pairs.length > 1;
  const shown = pair === undefined ? contrast : alone(contrast, pair);
  return (
    <>
      <div className="row spread">
        <h1>{isWhole ? `Prompt ${contrast.id}` : `Pair ${pair?.id ?? contrast.id}`}</h1>
        <CopyLink of={isWhole ? `prompt ${contrast.id}` : `pair ${pair?.id ?? contrast.id}`} />
        <nav className="previous-next" aria-label="Pairs">
          {before !== undefined && <a href={link(before)}>← previous</a>}
          <a href={inStudy(route, 'pairs', undefined, route.query)}>all pairs</a>
          {after !== undefined && <a href={link(after)}>next →</a>}
        </nav>
      </div>
      <Title contrast={contrast} pair={pair} route={route} />
      {shown.tokens ? (
        <Shaded tokens={shown.tokens} grades={grades} route={route} />
      ) : (
        <Plain contrast={shown} grades={grades} />
      )}
    </>
  );
}
