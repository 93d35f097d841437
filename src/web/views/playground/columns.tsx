/** The two texts as they come, left alone and steered, with how likely each token was. */
import { useMemo } from 'react';
import { type SteerSide, steerSides } from '../../../results.ts';
import { fixed, percent } from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';
import { Legend } from '../../parts/legend.tsx';
import type { Scale } from '../../parts/shade.ts';
import { Tokens } from '../../parts/tokens.tsx';
import { TokenText } from '../../parts/tokenText.tsx';
import { parting, type Run } from './run.ts';
import type { SteerToken } from './steer.ts';

/** Nats; a token less likely than e^−5 is as surprising as it gets. */
const surprise: Scale = { kind: 'sequential', max: 5 };

const probability = (log: number) => {
  const share = Math.exp(log);
  return percent(share, share < 0.1 ? 2 : 0);
};

function Likely({ token: { text, id, log_probability, top } }: { readonly token: SteerToken }) {
  return (
    <>
      <Facts
        facts={[
          ['token', <TokenText key="token" text={text} />],
          ['id', id],
          ['probability', probability(log_probability)],
        ]}
      />
      <p className="quiet likeliest">likeliest</p>
      <ol className="likely">
        {top.map((one) => (
          <li key={one.id}>
            <span className="num">{probability(one.log_probability)}</span>{' '}
            <span className={one.id === id ? 'token lone chosen' : 'token lone'}>
              <TokenText text={one.text} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

const stops: Readonly<Record<NonNullable<Run[SteerSide]['stop']>, string>> = {
  end: 'ended by itself',
  stop: 'ended at a stop string',
  length: 'cut at the token limit',
};

const headings: Readonly<Record<SteerSide, string>> = { alone: 'unsteered', steered: 'steered' };

interface ColumnProps {
  readonly side: SteerSide;
  readonly run: Run;
  readonly isShaded: boolean;
}

function Column({ side, run, isShaded }: ColumnProps) {
  const { tokens, stop } = run[side];
  const texts = useMemo(() => tokens.map(({ text }) => text), [tokens]);
  const values = useMemo(() => tokens.map(({ log_probability }) => -log_probability), [tokens]);
  const state = stop === undefined ? (run.state === 'running' ? '…' : 'not finished') : stops[stop];
  return (
    <section className="side" aria-busy={run.state === 'running' && stop === undefined}>
      <p className="side-heading">
        {headings[side]}{' '}
        <span className="quiet">
          {tokens.length} tokens, {state}
        </span>
      </p>
      <Tokens
        tokens={texts}
        values={values}
        scale={isShaded ? surprise : undefined}
        label={`Text ${headings[side]}`}
        peak={parting(run)}
        details={(place) => <Likely token={tokens[place]!} />}
      />
    </section>
  );
}

/** `isShaded`: by how likely each token was; what is out of date is plain. */
export function PlaygroundColumns({ run, isShaded }: Omit<ColumnProps, 'side'>) {
  return (
    <>
      {isShaded && (
        <Legend
          scale={surprise}
          quantity="−ln p of the token, nats; underlined where the two texts first differ"
          format={(nats) => `${fixed(nats, 0)} and more`}
        />
      )}
      <div className="two-columns">
        {steerSides.map((side) => (
          <Column key={side} side={side} run={run} isShaded={isShaded} />
        ))}
      </div>
    </>
  );
}
