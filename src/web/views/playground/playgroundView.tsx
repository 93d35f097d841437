/** Steering by hand: a prompt, latents with doses, and what the model says with and without them. */
import { type FormEvent, useState } from 'react';
import { type Prompt, type SteerBody, steeredModels } from '../../../results.ts';
import { type Dose, dosesIn, queryOf, usualDose } from '../../doseQuery.ts';
import { Failed, Loading } from '../../parts/notes.tsx';
import { promptText } from '../../parts/promptTexts.ts';
import { Segments } from '../../parts/segments.tsx';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import { replaceQuery } from '../../useRoute.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { PlaygroundColumns } from './columns.tsx';
import { DoseSliders } from './doseSliders.tsx';
import { NumberField } from './numberField.tsx';
import { type Run, saysSomething } from './run.ts';
import { useRun } from './useRun.ts';

/** What the form begins with. */
interface Offered {
  readonly prompts: readonly Prompt[];
  readonly doses: readonly Dose[];
  /** latents by rank */
  readonly latents: readonly number[];
}

async function loadPrompts(study: LoadedStudy): Promise<Prompt[]> {
  const records = (await study.pairs()) ?? [...((await study.completions())?.values() ?? [])];
  return [...new Map(records.map(({ prompt_id, prompt }) => [prompt_id, prompt])).values()];
}

async function loadOffered(study: LoadedStudy): Promise<Offered> {
  const [prompts, latents = [], steering] = await Promise.all([
    loadPrompts(study),
    study.latents(),
    study.steering(),
  ]);
  const ranked = [...latents].sort((a, b) => a.rank - b.rank).map(({ latent }) => latent);
  const latent = steering?.summary.first?.latent ?? ranked[0] ?? 0;
  const found = steering?.rows.find((row) => row.latent === latent && row.side === 'away')?.dose;
  return { prompts, latents: ranked, doses: dosesIn(queryOf([{ latent, dose: found ?? usualDose }])) };
}

type Settings = Omit<SteerBody, 'prompt' | 'latents'>;

const usual: Settings = { max_tokens: 110, temperature: 1, seed: 1, model: 'subject' };

interface SettingsFormProps {
  readonly settings: Settings;
  readonly onSettings: (settings: Settings) => void;
}

function SettingsForm({ settings, onSettings }: SettingsFormProps) {
  const numbers = [
    { name: 'temperature', label: 'temperature', min: 0, max: 100, step: 'any' },
    { name: 'max_tokens', label: 'token limit', min: 1, max: 4096, step: 1 },
    { name: 'seed', label: 'seed', min: 0, max: 2 ** 31 - 1, step: 1 },
  ] as const;
  return (
    <div className="row">
      <Segments
        label="Model"
        choices={steeredModels}
        chosen={settings.model}
        onChoose={(model) => onSettings({ ...settings, model })}
      />
      {numbers.map(({ name, ...field }) => (
        <NumberField
          key={name}
          {...field}
          value={settings[name]}
          onNumber={(value) => onSettings({ ...settings, [name]: value })}
        />
      ))}
    </div>
  );
}

/** The prompt as text; one of the study's that is left as it is keeps its messages. */
function usePrompt(prompts: readonly Prompt[]) {
  const [place, setPlace] = useState(0);
  const [text, setText] = useState(() => promptText(prompts[0] ?? ''));
  const shown = prompts[place] ?? '';
  return {
    text,
    prompt: text === promptText(shown) ? shown : text,
    setText,
    another() {
      const next = (place + 1) % prompts.length;
      setPlace(next);
      setText(promptText(prompts[next]!));
    },
  };
}

function Outcome({ run }: { readonly run: Run | undefined }) {
  if (!run) return null;
  const waits = run.state === 'running' && !saysSomething(run);
  return (
    <section aria-live="off">
      {run.error !== undefined && <Failed error={new Error(run.error)} />}
      {waits && <p className="quiet">Waiting for the first token; the model is opened first …</p>}
      {saysSomething(run) && <PlaygroundColumns run={run} />}
    </section>
  );
}

function Form({ study, route, offered }: Omit<ViewProps, 'sources'> & { readonly offered: Offered }) {
  const asked = dosesIn(route.query);
  const doses = asked.length > 0 ? asked : offered.doses;
  const [settings, setSettings] = useState(usual);
  const { text, prompt, setText, another } = usePrompt(offered.prompts);
  const { run, start, stop } = useRun(study.source);
  const running = run?.state === 'running';
  const next = offered.latents.find((latent) => !doses.some((one) => one.latent === latent)) ?? 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start({ prompt, latents: doses, ...settings });
  };
  return (
    <>
      <form className="playground" onSubmit={submit}>
        <label>
          Prompt
          <textarea rows={3} required value={text} onChange={({ target }) => setText(target.value)} />
        </label>
        {offered.prompts.length > 1 && (
          <button type="button" onClick={another}>
            another prompt of the study
          </button>
        )}
        <DoseSliders
          doses={doses}
          next={next}
          route={route}
          onDoses={(changed) => replaceQuery(route, queryOf(changed))}
        />
        <SettingsForm settings={settings} onSettings={setSettings} />
        <div className="row">
          <button type="submit" className="main-button" disabled={running}>
            steer
          </button>
          <button type="button" disabled={!running} onClick={stop}>
            stop
          </button>
          {run?.state === 'stopped' && <span className="quiet">stopped</span>}
        </div>
      </form>
      <Outcome run={run} />
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
        <Loading loaded={offered}>{(value) => <Form study={study} route={route} offered={value} />}</Loading>
      ) : (
        <Unserved study={study} />
      )}
    </>
  );
}

export const playgroundView: WebView = { name: 'playground', tab: 'Playground', component: Playground };
