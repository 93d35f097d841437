/**
 * What a study found, the answer first; then the causal test, how it came about, and what to be careful of.
 */

import type { ReactNode } from 'react';
import { attributedOver } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { count } from '../../format.ts';
import { SentenceList } from '../../parts/against.tsx';
import { Failed, Loading, Missing, Unread } from '../../parts/notes.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';
import { home, inStudy, type Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { type Answer, answerOf } from './answer.ts';
import { CausalTestFigure, CausalTestTables, Claims, Controls, JudgeQualityNote } from './causalTest.tsx';
import { ControlledRuns } from './controlledRuns.tsx';
import { ExampleCard } from './exampleCard.tsx';
import { RankingFidelity } from './fidelity.tsx';
import { FixSection } from './fixSection.tsx';
import { funnelOf, type Step } from './funnel.ts';
import { JudgeErrorNote } from './judgeErrorNote.tsx';
import { SubjectsSection } from './subjectsSection.tsx';
import { warningsOf } from './warnings.ts';

async function everything(study: LoadedStudy) {
  const { values, errors } = await apart({
    manifest: study.manifest(),
    steering: study.steering(),
    latents: study.latents(),
    said: study.said(),
    fidelity: study.fidelity(),
    judgeError: study.judgeError(),
    check: study.check(),
    controls: study.controls(),
    fix: study.fix(),
    checkpoints: study.checkpoints(),
  });
  const { manifest, steering, said } = values;
  const behaviour = steering?.summary.behaviour ?? said?.behaviour ?? 'the behaviour';
  return { ...values, errors, behaviour, over: attributedOver(manifest), control: said?.control };
}

/** Of files that have no section of their own. */
const unplaced = ({ manifest, latents, said, check }: Awaited<ReturnType<typeof everything>>['errors']) => ({
  manifest,
  latents,
  said,
  check,
});

interface AnswerProps {
  readonly answer: Answer;
  /** beside it */
  readonly example: ReactNode;
  readonly route: Route;
  /** why the causal test is of an earlier state of the study, where it is */
  readonly stale: string | undefined;
}

function AnswerText({ answer, example, route, stale }: AnswerProps) {
  const text = (
    <section className="answer" aria-label="Answer">
      {answer.outcome !== undefined && <p className="outcome">{answer.outcome}</p>}
      <h1>
        {stale !== undefined && 'Of an earlier state of the study: '}
        <Sentence text={answer.lead} route={route} />
      </h1>
      {answer.evidence && answer.evidence.length > 0 && (
        <p className="evidence">
          <Sentence text={answer.evidence.join(' ')} route={route} />
        </p>
      )}
      {answer.more.map((text) => (
        <p key={text}>
          <Sentence text={text} route={route} />
        </p>
      ))}
      {answer.against.length > 0 && (
        <>
          <h2>What speaks against it</h2>
          <SentenceList texts={answer.against} route={route} />
        </>
      )}
    </section>
  );
  return (
    <div className="answer-row">
      {text}
      {example}
    </div>
  );
}

interface AnsweredProps extends Pick<AnswerProps, 'route'> {
  readonly study: LoadedStudy;
  readonly found: Awaited<ReturnType<typeof everything>>;
  readonly running: boolean;
}

function Answered({ study, found, running, route }: AnsweredProps) {
  const { steering, errors } = found;
  const answer = answerOf({ ...found, running, unread: errors.steering });
  const example = steering && answer.tested && (
    <ExampleCard study={study} steering={steering} tested={answer.tested} route={route} />
  );
  return <AnswerText answer={answer} example={example} route={route} stale={steering && study.stale.steer} />;
}

function Warnings({ warnings, route }: { warnings: readonly string[]; route: Route }) {
  if (warnings.length === 0) return null;
  return (
    <section className="note note-warn" aria-label="Be careful">
      <strong>Be careful</strong>
      <SentenceList texts={warnings} route={route} />
    </section>
  );
}

/** A control takes the first steps from its study. */
function stepsOf({ manifest, latents, steering, control }: Awaited<ReturnType<typeof everything>>): Step[] {
  const steps = funnelOf(manifest, latents, steering);
  return control === undefined ? steps : steps.filter((step) => step.count !== undefined);
}

/** Nothing where no step was taken. */
function Funnel({ steps, route }: { steps: readonly Step[]; route: Route }) {
  const nameOf = useVerdictName();
  if (steps.every((step) => step.count === undefined)) return null;
  return (
    <ol className="funnel">
      {steps.map(({ name, count: n, note, leads }) => {
        const said = (
          <>
            <strong>{n === undefined ? '–' : count(n)}</strong> {nameOf(name)}
            {note && <span className="quiet">{note}</span>}
          </>
        );
        return (
          <li key={name}>
            {leads && n ? <a href={inStudy(route, leads.view, undefined, leads.query)}>{said}</a> : said}
          </li>
        );
      })}
    </ol>
  );
}

function Overview({ study, progress, route }: ViewProps) {
  const running = progress?.running ?? false;
  const loaded = useLoaded(() => everything(study), [study]);
  return (
    <Loading loaded={loaded}>
      {(found) => (
        <>
          {found.control !== undefined && (
            <p className="note note-warn">
              This is a control of another study, with one thing broken on purpose. {found.control}
            </p>
          )}
          <Answered study={study} found={found} running={running} route={route} />
          <Unread errors={unplaced(found.errors)} />
          {found.steering && (
            <CausalTestFigure steering={found.steering} name={study.source.name} route={route} />
          )}
          <Funnel steps={stepsOf(found)} route={route} />
          <Warnings
            warnings={warningsOf(found.manifest, found.steering, study.source.trimmed, found)}
            route={route}
          />
          <section className="screen-only">
            {(found.fidelity || found.errors.fidelity) && <h2>Is the ranking right?</h2>}
            {found.errors.fidelity && <Failed error={found.errors.fidelity} />}
            {found.fidelity && (
              <RankingFidelity fidelity={found.fidelity} unit={found.over?.unit ?? 'pair'} route={route} />
            )}
          </section>
          <h2>Causal test</h2>
          {found.errors.steering && <Failed error={found.errors.steering} />}
          {found.steering && (
            <>
              <CausalTestTables steering={found.steering} route={route} />
              <section className="screen-only">
                <h2>Selectors</h2>
                <Claims steering={found.steering} />
                <details className="folded">
                  <summary>
                    <h2>Controls</h2>
                  </summary>
                  <Controls steering={found.steering} />
                </details>
              </section>
              <p className="print-only quiet">
                Not printed: how far the ranking agrees with removal, effects counted otherwise, selectors,
                controls{found.fix && ', the sets of a fix'}
                {found.checkpoints && ', subjects compared one by one'}. The page itself shows them.
              </p>
            </>
          )}
          {!found.steering && !found.errors.steering && (
            <Missing command={running ? undefined : 'culprit run STUDY'}>
              {running ? 'The study is running; no' : 'No'} latent has been steered yet: that takes a
              reference model and prompts kept for the evaluation.
            </Missing>
          )}
          {(found.fix || found.errors.fix) && <h2>A fix</h2>}
          {found.errors.fix && <Failed error={found.errors.fix} />}
          {found.fix && <FixSection record={found.fix} stale={study.stale.fix} route={route} />}
          {(found.checkpoints || found.errors.checkpoints) && <h2>Subjects compared</h2>}
          {found.errors.checkpoints && <Failed error={found.errors.checkpoints} />}
          {found.checkpoints && <SubjectsSection record={found.checkpoints} route={route} />}
          {(found.controls || found.errors.controls) && <h2>With one thing broken on purpose</h2>}
          {found.errors.controls && <Failed error={found.errors.controls} />}
          {found.controls && <ControlledRuns controls={found.controls} manifest={found.manifest} />}
          <h3>The judge</h3>
          <JudgeQualityNote manifest={found.manifest} />
          {found.errors.judgeError && <Failed error={found.errors.judgeError} />}
          {found.judgeError && <JudgeErrorNote error={found.judgeError} />}
        </>
      )}
    </Loading>
  );
}

export const overviewView: WebView = { name: home, tab: 'Overview', component: Overview };
