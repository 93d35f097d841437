/** Every completion of a study: sampled, and of every arm of the causal test. */
import { useMemo } from 'react';
import { resultFiles } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { Failed, Loading, Missing, Unread } from '../../parts/notes.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import type { Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { TranscriptList } from './list.tsx';
import { OneTranscript } from './oneTranscript.tsx';
import { chosenTranscripts, sampledTranscripts, steeredTranscripts, type Transcript } from './transcripts.ts';

async function loadTranscripts(study: LoadedStudy) {
  const { values, errors } = await apart({
    completions: study.completions(),
    grades: study.grades(),
    trials: study.allTrials(),
    steering: study.steering(),
  });
  const { completions, grades, trials, steering } = values;
  const all = [
    ...sampledTranscripts(completions?.values() ?? [], grades),
    ...steeredTranscripts(trials ?? [], steering?.summary.prompts ?? []),
  ];
  return { all, errors };
}

interface NamedProps {
  readonly id: string;
  readonly all: readonly Transcript[];
  readonly route: Route;
}

function Named({ id, all, route }: NamedProps) {
  const listed = useMemo(() => chosenTranscripts(all, route.query), [all, route.query]);
  const one = all.find((other) => other.id === id);
  if (!one) return <Failed error={new Error(`No text is named "${id}"`)} />;
  return <OneTranscript one={one} all={all} listed={listed} route={route} />;
}

function Transcripts({ study, route }: ViewProps) {
  const loaded = useLoaded(() => loadTranscripts(study), [study]);
  const id = route.argument;
  return (
    <Loading loaded={loaded} title="Transcripts">
      {({ all, errors }) => (
        <>
          {all.length === 0 && Object.keys(errors).length === 0 ? (
            <Missing title="Transcripts" command="culprit run STUDY">
              Nothing was sampled yet.
            </Missing>
          ) : id === undefined ? (
            <TranscriptList all={all} route={route} />
          ) : (
            <Named id={id} all={all} route={route} />
          )}
          <Unread errors={errors} />
          <TrimmedNote
            source={study.source}
            paths={[resultFiles.completions, resultFiles.grades, resultFiles.steered]}
          />
        </>
      )}
    </Loading>
  );
}

export const transcriptsView: WebView = {
  name: 'transcripts',
  tab: 'Transcripts',
  title: ({ argument }) => (argument === undefined ? 'Transcripts' : `Transcript ${argument}`),
  component: Transcripts,
};
