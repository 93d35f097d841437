/** Which training examples push the model along a latent, or lie along it, token by token. */
import { useMemo, useState } from 'react';
import {
  promptText,
  type TracedExample,
  type TracedLatent,
  type TraceRecord,
  type TraceValue,
  tracedLatentText,
  traceModelText,
  traceValues,
} from '../../../results.ts';
import { fixed, scientific } from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';
import { Legend } from '../../parts/legend.tsx';
import { Segments } from '../../parts/segments.tsx';
import { type Scale, scaleOf } from '../../parts/shade.ts';
import { ShowMore } from '../../parts/showMore.tsx';
import { Tokens } from '../../parts/tokens.tsx';
import { TokenText } from '../../parts/tokenText.tsx';
import { useVerdictName } from '../../parts/verdictWords.ts';

/** Examples that come at once. */
const page = 3;

const words: Readonly<Record<TraceValue, { readonly choice: string; readonly quantity: string }>> = {
  push: { choice: 'push the model most', quantity: 'push at each token, nats per unit' },
  activation: { choice: 'lie furthest along it', quantity: 'how far each token lies along it' },
};

const shown = (value: TraceValue, x: number) => (value === 'push' ? scientific(x) : fixed(x, 2));

interface ExampleProps {
  readonly example: TracedExample;
  readonly value: TraceValue;
  readonly scale: Scale;
}

function Example({ example, value, scale }: ExampleProps) {
  const nameOf = useVerdictName();
  const { id, label, prompt, completion, tokens } = example;
  const each = (of: TraceValue, place: number) => {
    const own = tokens[place]![of];
    return own === null ? 'none: not read, or an attention sink' : shown(of, own);
  };
  return (
    <li>
      <p>
        <span className="quiet">{id}</span>{' '}
        {label && <span className={`verdict ${label}`}>{nameOf(label)}</span>} push{' '}
        {shown('push', example.push)}, activation {shown('activation', example.activation)}
      </p>
      <Tokens
        tokens={tokens.map(({ text }) => text)}
        values={tokens.map((token) => token[value])}
        scale={scale}
        label={`Training example ${id}: ${promptText(prompt)} ${completion}`}
        details={(place) => (
          <Facts
            facts={[
              ['token', <TokenText key="token" text={tokens[place]!.text} />],
              ['push', each('push', place)],
              ['activation', each('activation', place)],
            ]}
          />
        )}
      />
    </li>
  );
}

function Examples({ one, value }: { readonly one: TracedLatent; readonly value: TraceValue }) {
  const [many, setMany] = useState(page);
  const examples = useMemo(() => {
    const byId = new Map(one.examples.map((example) => [example.id, example]));
    return one[value].first.flatMap((id) => byId.get(id) ?? []);
  }, [one, value]);
  const scale = useMemo(
    () => scaleOf('diverging', ...examples.map(({ tokens }) => tokens.map((token) => token[value]))),
    [examples, value],
  );
  return (
    <>
      <Legend scale={scale} quantity={words[value].quantity} format={(x) => shown(value, x)} />
      <ol className="text-list">
        {examples.slice(0, many).map((example) => (
          <Example key={example.id} example={example} value={value} scale={scale} />
        ))}
      </ol>
      <ShowMore shown={many} of={examples.length} page={page} onShow={setMany} />
    </>
  );
}

/** Nothing for a latent that the data was not traced to. */
export function TrainingData({ latent, trace }: { readonly latent: number; readonly trace: TraceRecord }) {
  const [value, setValue] = useState<TraceValue>('push');
  const one = trace.latents.find((own) => own.latent === latent);
  if (one === undefined) return null;
  return (
    <section>
      <h2>In the training data</h2>
      <p>
        {trace.data.read.toLocaleString('en-US')} training examples, read by {traceModelText(trace)}.{' '}
        {tracedLatentText(trace, one)}
      </p>
      <p className="quiet">
        Push: how fast the loss of an example falls as its tokens are moved along the latent’s direction,
        which is what learning it asks for; of first order, one example at a time.
      </p>
      <div className="row">
        Those that{' '}
        <Segments
          label="Which examples"
          choices={traceValues}
          chosen={value}
          onChoose={setValue}
          nameOf={(choice) => words[choice].choice}
        />
      </div>
      <Examples key={value} one={one} value={value} />
    </section>
  );
}
