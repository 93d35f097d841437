/** A prompt and the completions that are compared, positive beside negative, each token shaded by δ. */

import type { ReactNode } from 'react';
import { Facts } from './facts.tsx';
import { Legend } from './legend.tsx';
import { nats } from './nats.ts';
import { type Scale, scaleOf } from './shade.ts';
import { Tokens } from './tokens.tsx';
import { TokenText } from './tokenText.tsx';

export interface DeltaText {
  readonly tokens: readonly string[];
  /** nats; null at attention sinks */
  readonly delta: readonly (number | null)[];
  readonly activations?: readonly (number | null)[];
  readonly ids?: readonly number[];
}

export interface PairSide extends DeltaText {
  readonly id: string;
  readonly label: 'positive' | 'negative';
  /** what stands above the text */
  readonly heading: ReactNode;
  /** what stands below it */
  readonly notes?: ReactNode;
}

interface ShadedPairProps {
  readonly prompt: DeltaText;
  readonly completions: readonly PairSide[];
  /** whose δ it is */
  readonly of: string;
}

const labels = ['positive', 'negative'] as const;

const valueText = (value: number | null | undefined) =>
  value === null ? 'none: attention sink' : value === undefined ? undefined : nats(value);

function DeltaTokens({ text, scale, label }: { text: DeltaText; scale: Scale; label: string }) {
  const { tokens, delta, activations, ids } = text;
  const details = (place: number) => (
    <Facts
      facts={[
        ['token', <TokenText key="token" text={tokens[place]!} />],
        ['id', ids?.[place]],
        ['δ, nats', valueText(delta[place])],
        ['activation', activations?.[place]?.toFixed(2)],
        ['position', place],
      ]}
    />
  );
  return <Tokens tokens={tokens} values={delta} scale={scale} label={label} details={details} />;
}

export function ShadedPair({ prompt, completions, of }: ShadedPairProps) {
  const onPrompt = scaleOf('diverging', prompt.delta);
  const onCompletions = scaleOf('diverging', ...completions.map(({ delta }) => delta));
  return (
    <>
      <Legend
        scale={onPrompt}
        quantity={`δ of ${of} on the prompt, positive minus negative, nats`}
        format={nats}
      />
      <DeltaTokens text={prompt} scale={onPrompt} label="Prompt" />
      <Legend
        scale={onCompletions}
        quantity={`δ of ${of} on each completion’s own tokens, of its own loss, nats`}
        format={nats}
      />
      <div className="two-columns">
        {labels.map((label) => (
          <div key={label} className="stack">
            {completions
              .filter((side) => side.label === label)
              .map((side) => (
                <section key={side.id} className="side">
                  <p className="side-heading">{side.heading}</p>
                  <DeltaTokens text={side} scale={onCompletions} label={`${side.label} completion`} />
                  {side.notes}
                </section>
              ))}
          </div>
        ))}
      </div>
    </>
  );
}
