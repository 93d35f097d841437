/** A text of the reader's own, read by the study's model: where the latent is active in it, and what it does there. */
import { type FormEvent, useState } from 'react';
import { type OwnTextRead, steeredModels } from '../../../results.ts';
import { fixed } from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';
import { Legend } from '../../parts/legend.tsx';
import { nats } from '../../parts/nats.ts';
import { Segments } from '../../parts/segments.tsx';
import { type Scale, scaleOf } from '../../parts/shade.ts';
import { Tokens } from '../../parts/tokens.tsx';
import { TokenText } from '../../parts/tokenText.tsx';
import type { Source } from '../../source.ts';
import { askToRead } from './askToRead.ts';

const shown = ['activation', 'δ'] as const;
type Shown = (typeof shown)[number];

type Part = OwnTextRead['prompt'];

const valuesOf = (part: Part, by: Shown) => (by === 'δ' ? part.delta : part.activations);

const numberText = (value: number | null | undefined, format: (value: number) => string) =>
  value == null ? 'none: attention sink' : format(value);

const twoDigits = (value: number) => fixed(value, 2);

interface PartProps {
  readonly part: Part;
  readonly by: Shown;
  readonly scale: Scale;
  readonly label: string;
}

function ReadPart({ part, by, scale, label }: PartProps) {
  const details = (place: number) => (
    <Facts
      facts={[
        ['token', <TokenText key="token" text={part.tokens[place]!} />],
        ['activation', numberText(part.activations[place], twoDigits)],
        ['δ, nats', numberText(part.delta[place], nats)],
        ['id', part.ids[place]],
      ]}
    />
  );
  return (
    <Tokens tokens={part.tokens} values={valuesOf(part, by)} scale={scale} label={label} details={details} />
  );
}

function Read({ found }: { readonly found: OwnTextRead }) {
  const [by, setBy] = useState<Shown>('activation');
  const { prompt, completion, loss } = found;
  const kind = by === 'δ' ? 'diverging' : 'sequential';
  const scale = scaleOf(kind, valuesOf(prompt, by), valuesOf(completion, by));
  return (
    <section aria-label="What it does on your text">
      <div className="row">
        <Segments label="What is shown" choices={shown} chosen={by} onChoose={setBy} />
        <span className="quiet">loss of the completion {fixed(loss, 3)} nats per token</span>
      </div>
      <Legend
        scale={scale}
        quantity={by === 'δ' ? 'δ, nats: orange makes the completion likelier' : 'activation'}
        format={by === 'δ' ? nats : twoDigits}
      />
      <ReadPart part={prompt} by={by} scale={scale} label="Your prompt" />
      <ReadPart part={completion} by={by} scale={scale} label="Your completion" />
    </section>
  );
}

interface OwnTextProps {
  readonly latent: number;
  readonly source: Source;
}

/** Nothing where no server has the models. */
export function OwnText({ latent, source }: OwnTextProps) {
  const [state, setState] = useState<{ found?: OwnTextRead; error?: Error; busy?: boolean }>({});
  if (!source.served) return null;
  async function ask(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string) => String(form.get(name) ?? '');
    setState(({ found }) => ({ ...(found && { found }), busy: true }));
    const model = steeredModels.find((one) => one === field('model')) ?? steeredModels[0];
    const body = { latent, prompt: field('prompt'), completion: field('completion'), model };
    setState(
      await askToRead(source, body).then(
        (found) => ({ found }),
        (error: Error) => ({ error }),
      ),
    );
  }
  const { found, error, busy = false } = state;
  return (
    <section className="screen-only">
      <h2>Try your own text</h2>
      <form className="own-text" onSubmit={ask}>
        <label>
          prompt
          <textarea name="prompt" rows={2} required />
        </label>
        <label>
          completion
          <textarea name="completion" rows={2} required />
        </label>
        <div className="row">
          <label>
            model{' '}
            <select name="model">
              {steeredModels.map((model) => (
                <option key={model}>{model}</option>
              ))}
            </select>
          </label>
          <button type="submit" disabled={busy}>
            {busy ? 'reading …' : 'read it'}
          </button>
        </div>
      </form>
      {error && (
        <p className="note note-bad" role="alert">
          {error.message}
        </p>
      )}
      {found && <Read found={found} />}
    </section>
  );
}
