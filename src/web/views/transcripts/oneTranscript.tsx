/** One text whole: prompt, answer, what the judge said, and the same prompt answered without what was done. */
import type { ReactNode } from 'react';
import { fixed, signed } from '../../format.ts';
import { CopyLink } from '../../parts/copyLink.tsx';
import { Facts } from '../../parts/facts.tsx';
import { VerdictMark } from '../../parts/verdict.tsx';
import { inStudy, type Route } from '../../routes.ts';
import { besideOf, stageNames, type Transcript, unsteered } from './transcripts.ts';

const stops: Readonly<Record<Transcript['stop'], string>> = {
  end: 'by itself',
  stop: 'at a stop text',
  length: 'cut at the token limit',
};

function Said({ one, heading }: { readonly one: Transcript; readonly heading: ReactNode }) {
  return (
    <section className="side">
      <p className="side-heading">
        {heading} {one.verdict && <VerdictMark verdict={one.verdict} />}
      </p>
      <p className="completion">
        {one.text.trim()}
        {one.stop === 'length' && <span className="quiet"> […]</span>}
      </p>
      {one.verdict && one.verdict.judged !== false && one.verdict.reason !== '' && (
        <p className="quiet reason">The judge: {one.verdict.reason}</p>
      )}
    </section>
  );
}

interface OneTranscriptProps {
  readonly one: Transcript;
  readonly all: readonly Transcript[];
  /** those that are listed, in their order */
  readonly listed: readonly Transcript[];
  readonly route: Route;
}

export function OneTranscript({ one, all, listed, route }: OneTranscriptProps) {
  const place = listed.findIndex(({ id }) => id === one.id);
  const [before, after] = [listed[place - 1], place < 0 ? undefined : listed[place + 1]];
  const link = ({ id }: Transcript) => inStudy(route, 'transcripts', id, route.query);
  const beside = besideOf(all, one);
  const ofPrompt = inStudy(route, 'transcripts', undefined, { prompt: one.promptId });
  const { verdict, latent } = one;
  return (
    <>
      <div className="row spread">
        <h1>
          Prompt {one.promptId}, answer {one.index + 1}
        </h1>
        <CopyLink of={`answer ${one.id}`} />
        <nav className="previous-next" aria-label="Transcripts as listed">
          {before && <a href={link(before)}>← previous</a>}
          <a href={inStudy(route, 'transcripts', undefined, route.query)}>all transcripts</a>
          {after && <a href={link(after)}>next →</a>}
        </nav>
      </div>
      <p className="prompt">{one.prompt.trim()}</p>
      <div className="two-columns">
        {beside && <Said one={beside} heading={unsteered} />}
        <Said one={one} heading={`${one.direction} ${one.done}`.trim()} />
      </div>
      <section className="transcript-facts" aria-label="What it is">
        <Facts
          facts={[
            ['stage', stageNames[one.stage]],
            ['model', one.model],
            [
              'direction',
              latent === undefined ? (
                one.direction
              ) : (
                <a key="direction" href={inStudy(route, 'latent', `${latent}`)}>
                  latent {latent}
                </a>
              ),
            ],
            ['done', one.done || undefined],
            ['dose', one.dose === 0 ? undefined : `${signed(one.dose, 2)} s`],
            ['score', verdict && fixed(verdict.score, 2)],
            ['coherence', verdict && fixed(verdict.coherence, 2)],
            ['ended', stops[one.stop]],
          ]}
        />
      </section>
      <p>
        <a href={ofPrompt}>all answers to this prompt</a>
      </p>
    </>
  );
}
