/** Steering by hand: a prompt, latents with doses, and what the model says with and without them. */
import { type FormEvent, useLayoutEffect, useRef } from 'react';
import { type Prompt, promptText, type SteerBody, steeredModels } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { dosesIn, queryOf, usualDose } from '../../doseQuery.ts';
import { CopyLink } from '../../parts/copyLink.tsx';
import { Failed, Loading, Unread } from '../../parts/notes.tsx';
import { Segments } from '../../parts/segments.tsx';
import { hashOf, type Query } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import { replaceQuery } from '../../useRoute.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { askedPrompt, captionOf, numberFields, type Offered, queryFor, steerBodyIn } from './asked.ts';
import { PlaygroundColumns } from './columns.tsx';
import { DoseSliders } from './doseSliders.tsx';
import { NumberField } from './numberField.tsx';
import { type Run, saysSomething } from './run.ts';
import { useRun } from './useRun.ts';

interface Loaded extends Offered {
  readonly errors: Readonly<Record<string, Error | undefined>>;
  /** latents by rank */
  readonly latents: readonly number[];
}

async function loadPrompts(study: LoadedStudy): Promise<Prompt[]> {
  const records = (await study.pairs()) ?? [...((await study.completions())?.values() ?? [])];
  return [...new Map(records.map(({ prompt_id, prompt }) => [prompt_id, prompt])).values()];
}

async function loadOffered(study: LoadedStudy): Promise<Loaded> {
  const { values, errors } = await apart({
    prompts: loadPrompts(study),
    latents: study.latents(),
    steering: study.steering(),
  });
  const { prompts = [], latents = [], steering } = values;
  const ranked = [...latents].sort((a, b) => a.rank - b.rank).map(({ latent }) => latent);
  const latent = steering?.summary.first?.latent ?? ranked[0] ?? 0;
  const found = steering?.rows.find((row) => row.latent === latent && row.side === 'away')?.dose;
  return {
    errors,
    prompts,
    latents: ranked,
    doses: dosesIn(queryOf([{ latent, dose: found ?? usualDose }])),
  };
}

/** The focus goes from the button that cannot be pressed any more to the one that can. */
function useSteerAndStop(running: boolean) {
  const steer = useRef<HTMLButtonElement>(null);
  const stop = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const [from, to] = running ? [steer, stop] : [stop, steer];
    if (document.activeElement === from.current) to.current?.focus();
  }, [running]);
  return { steer, stop };
}

interface SettingsFormProps {
  readonly body: SteerBody;
  readonly onChange: (changed: Query) => void;
}

function SettingsForm({ body, onChange }: SettingsFormProps) {
  return (
    <div className="row">
      <Segments
        label="Model"
        choices={steeredModels}
        chosen={body.model}
        onChoose={(model) => onChange({ model })}
      />
      {numberFields.map(({ name, label, min, max, step }) => (
        <NumberField
          key={name}
          label={label}
          min={min}
          max={max}
          step={step}
          value={body[name]}
          onNumber={(value) => onChange({ [name]: `${value}` })}
        />
      ))}
    </div>
  );
}

interface OutcomeProps {
  readonly run: Run | undefined;
  /** what the form asks for now */
  readonly body: SteerBody;
}

const isSame = (a: SteerBody, b: SteerBody) => JSON.stringify(queryFor(a)) === JSON.stringify(queryFor(b));

/** What came of what was asked: said with it, and dimmed once the form asks for something else. */
function Outcome({ run, body }: OutcomeProps) {
  if (!run) return null;
  const waits = run.state === 'running' && !saysSomething(run);
  const isOld = !isSame(run.body, body);
  return (
    <section aria-live="off" className={isOld ? 'outcome old' : 'outcome'} aria-label="What was said">
      {run.error !== undefined && <Failed error={new Error(run.error)} />}
      {waits && <p className="quiet">Waiting for the first token; the model is opened first …</p>}
      {isOld && <p className="note">The form has changed since: this is what the settings below came to.</p>}
      {saysSomething(run) && (
        <>
          <p className="asked">{captionOf(run.body)}</p>
          <p className="prompt">{promptText(run.body.prompt)}</p>
          <PlaygroundColumns run={run} isShaded={!isOld} />
        </>
      )}
    </section>
  );
}

function Form({ study, route, offered }: Pick<ViewProps, 'study' | 'route'> & { readonly offered: Loaded }) {
  const body = steerBodyIn(route.query, offered);
  const text = askedPrompt(route.query, offered);
  const change = (changed: Query) => replaceQuery(route, changed);
  const { run, start, stop } = useRun(study.source);
  const running = run?.state === 'running';
  const buttons = useSteerAndStop(running);
  const next = offered.latents.find((latent) => !body.latents.some((one) => one.latent === latent)) ?? 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start(body);
  };
  const another = () => {
    const texts = offered.prompts.map(promptText);
    change({ prompt: texts[(texts.indexOf(text) + 1) % texts.length]! });
  };
  return (
    <>
      <form className="playground" onSubmit={submit}>
        <label>
          Prompt
          <textarea
            rows={3}
            required
            value={text}
            onChange={({ target }) => change({ prompt: target.value })}
          />
        </label>
        {offered.prompts.length > 1 && (
          <button type="button" onClick={another}>
            another prompt of the study
          </button>
        )}
        <DoseSliders
          doses={body.latents}
          next={next}
          route={route}
          onDoses={(changed) => change(queryOf(changed))}
        />
        <SettingsForm body={body} onChange={change} />
        <div className="row">
          <button ref={buttons.steer} type="submit" className="main-button" disabled={running}>
            steer
          </button>
          <button ref={buttons.stop} type="button" disabled={!running} onClick={stop}>
            stop
          </button>
          {run?.state === 'stopped' && <span className="quiet">stopped</span>}
          <CopyLink
            of="these settings"
            hash={hashOf({ ...route, query: { ...route.query, ...queryFor(body) } })}
          />
        </div>
      </form>
      <Outcome run={run} body={body} />
    </>
  );
}

function Unserved({ study: { source } }: { readonly study: LoadedStudy }) {
  return (
    <div className="note">
      <p>
        {source.served
          ? [
              'To steer, open the address that the server printed: it holds a token, without which no',
              'model is run.',
            ].join(' ')
          : 'A report cannot run a model. To steer this study, serve its folder:'}
      </p>
      <p>
        <code>culprit view STUDY --open</code>
      </p>
    </div>
  );
}

function Playground({ study, route }: ViewProps) {
  const canSteer = study.source.served && study.source.token !== undefined;
  const offered = useLoaded(() => loadOffered(study), [study]);
  return (
    <>
      <h1>Playground</h1>
      {canSteer ? (
        <Loading loaded={offered}>
          {(value) => (
            <>
              <Unread errors={value.errors} />
              <Form study={study} route={route} offered={value} />
            </>
          )}
        </Loading>
      ) : (
        <Unserved study={study} />
      )}
    </>
  );
}

export const playgroundView: WebView = { name: 'playground', tab: 'Playground', component: Playground };
