/** A prompt and the completions that are compared, positive beside negative, each token shaded by δ. */

import type { ReactNode } from 'react';
import { plural } from '../format.ts';
import { Facts } from './facts.tsx';
import { Legend } from './legend.tsx';
import { nats } from './nats.ts';
import { type Scale, scaleOf } from './shade.ts';
import { type TokenLead, Tokens } from './tokens.tsx';
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

/** A text with fewer tokens is seen at once. */
const longText = 60;
const mostLeads = 4;

/** The tokens of a long text with the greatest |δ|, the greatest first. */
function leadsOf(delta: DeltaText['delta']): TokenLead[] {
  if (delta.length < longText) return [];
  return delta
    .map((value, place) => ({ place, value: value ?? 0 }))
    .filter(({ value }) => value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, mostLeads)
    .map(({ place, value }) => ({ place, value: nats(value) }));
}

/** δ of every token of a text together; attention sinks have none. */
const sumOf = ({ delta }: DeltaText) => delta.reduce<number>((sum, x) => sum + (x ?? 0), 0);

function Sum({ text }: { readonly text: DeltaText }) {
  const counted = text.delta.filter((value) => value !== null).length;
  if (counted === 0) return null;
  const sum = sumOf(text);
  return (
    <p className="quiet token-sum">
      δ of these {plural(counted, 'token')} sums to {nats(sum)} nats, {nats(sum / counted)} per token
    </p>
  );
}

interface DeltaTokensProps {
  readonly text: DeltaText;
  readonly scale: Scale;
  readonly label: string;
  /** δ above 0 speaks against the behaviour: that of a negative completion's own tokens */
  readonly against?: boolean;
}

function DeltaTokens({ text, scale, label, against = false }: DeltaTokensProps) {
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
  return (
    <>
      <Tokens
        tokens={tokens}
        values={against ? delta.map((value) => value && -value) : delta}
        scale={scale}
        label={label}
        details={details}
        leads={leadsOf(delta)}
      />
      <Sum text={text} />
    </>
  );
}

export function ShadedPair({ prompt, completions, of }: ShadedPairProps) {
  const onPrompt = scaleOf('diverging', prompt.delta);
  const onCompletions = scaleOf('diverging', ...completions.map(({ delta }) => delta));
  return (
    <>
      <p className="quiet">
        Orange supports the behaviour, blue speaks against it. On the prompt, δ above 0 makes the positive
        answers likelier than the negative ones. On a completion’s own tokens, δ above 0 makes that completion
        likelier: orange on a positive one, blue on a negative one.
      </p>
      <Legend scale={onPrompt} quantity={`δ of ${of} on the prompt, nats`} format={nats} />
      <DeltaTokens text={prompt} scale={onPrompt} label="Prompt" />
      <Legend
        scale={onCompletions}
        quantity={`δ of ${of} on each completion’s own tokens, nats`}
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
                  <DeltaTokens
                    text={side}
                    scale={onCompletions}
                    label={`${side.label} completion`}
                    against={side.label === 'negative'}
                  />
                  {side.notes}
                </section>
              ))}
          </div>
        ))}
      </div>
    </>
  );
}
