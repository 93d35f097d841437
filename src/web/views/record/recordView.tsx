/** How a study was made, so that it can be described, checked and repeated. */
import { resultFiles, type StudyManifest } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { leftOut } from '../../leftOut.ts';
import { Loading, Missing, Unread } from '../../parts/notes.tsx';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { CheckLines } from './checkLines.tsx';
import { bibtexOf } from './citations.ts';
import { Copyable } from './copyable.tsx';
import { methodsText } from './methodsText.ts';
import { repeatCommand } from './repeat.ts';
import { StageTable } from './stageTable.tsx';

const everything = (study: LoadedStudy) =>
  apart({ manifest: study.manifest(), steering: study.steering(), yaml: study.yaml(), check: study.check() });

/** The order in which they were run. */
const byTime = (stages: StudyManifest | undefined) =>
  Object.entries(stages?.stages ?? {}).sort(([, a], [, b]) => (a.finished < b.finished ? -1 : 1));

function ForPaper({ paragraphs }: { readonly paragraphs: readonly (readonly string[])[] }) {
  if (paragraphs.length === 0) return null;
  return (
    <>
      <h2>For a paper</h2>
      <Copyable
        prose
        label="Methods"
        text={paragraphs.map((sentences) => sentences.join(' ')).join('\n\n')}
      />
    </>
  );
}

function LeftOut({ trimmed }: { readonly trimmed: Readonly<Record<string, string>> }) {
  const lines = leftOut(trimmed);
  if (lines.length === 0) return null;
  return (
    <>
      <h2>What this report leaves out</h2>
      <p>
        To stay small, it leaves out parts of the study. <code>culprit view</code> shows all of it,{' '}
        <code>culprit report --max-size</code> makes a larger one.
      </p>
      <ul>
        {lines.map(({ what, left }) => (
          <li key={`${what} ${left}`}>
            {what}: {left}
          </li>
        ))}
      </ul>
    </>
  );
}

interface ToRepeatProps {
  readonly command: string;
  readonly yaml: string | undefined;
  readonly wasRun: boolean;
}

function ToRepeat({ command, yaml, wasRun }: ToRepeatProps) {
  return (
    <>
      <h2>To repeat it</h2>
      {yaml === undefined ? (
        <p>This folder has no {resultFiles.study}: it holds the results of one command.</p>
      ) : (
        <>
          {wasRun && (
            <p>
              Inputs with the hashes above, and the same options and seeds, give the same samples, pairs and
              order of latents, whatever the number of workers.
            </p>
          )}
          <Copyable label="Command" text={command} />
          <h3>{resultFiles.study}</h3>
          <Copyable label={resultFiles.study} text={yaml} />
        </>
      )}
    </>
  );
}

function Methods({ study }: ViewProps) {
  const loaded = useLoaded(() => everything(study), [study]);
  return (
    <>
      <h1>Methods</h1>
      <Loading loaded={loaded}>
        {({ values: { manifest, steering, yaml, check }, errors }) => (
          <>
            <Unread errors={errors} />
            {manifest && (
              <>
                {!errors.steering && <ForPaper paragraphs={methodsText(manifest, steering, study.stale)} />}
                <h2>What was run</h2>
                {byTime(manifest).map(([name, stage]) => (
                  <StageTable key={name} name={name} stage={stage} stale={study.stale[name]} />
                ))}
              </>
            )}
            {!manifest && !errors.manifest && (
              <Missing command="culprit run STUDY">
                There is no {resultFiles.manifest} yet: nothing was run.
              </Missing>
            )}
            {check && (
              <>
                <h2>What was checked before</h2>
                <CheckLines lines={check} />
              </>
            )}
            {!errors.yaml && (
              <ToRepeat command={repeatCommand(manifest)} yaml={yaml} wasRun={manifest !== undefined} />
            )}
            <LeftOut trimmed={study.source.trimmed} />
            <h2>To cite</h2>
            <Copyable label="BibTeX" text={bibtexOf(manifest?.versions.culprit)} />
          </>
        )}
      </Loading>
    </>
  );
}

export const recordView: WebView = { name: 'methods', tab: 'Methods', component: Methods };
