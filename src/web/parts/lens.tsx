/**
 * The logit lens: the tokens that a latent's direction makes likelier, and those that it makes less likely.
 */
import { useState } from 'react';
import type { Lens } from '../../results.ts';
import { signed } from '../format.ts';
import { Segments } from './segments.tsx';
import { colourOf } from './shade.ts';
import { TokenText } from './tokenText.tsx';

const measures = ['cosine', 'dot'] as const;
type Measure = (typeof measures)[number];

type LensToken = Lens[Measure]['top'][number];

interface EndProps {
  readonly title: string;
  readonly tokens: readonly LensToken[];
  readonly measure: Measure;
  readonly max: number;
}

const widthOf = (value: number, max: number) => `${((100 * Math.abs(value)) / max).toFixed(1)}%`;

function End({ title, tokens, measure, max }: EndProps) {
  return (
    <table className="lens">
      <caption>{title}</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">token</th>
          <th scope="col">{measure}</th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id} title={`token ${token.id}`}>
            <td>
              <span className="token lone">
                <TokenText text={token.token} />
              </span>
            </td>
            <td
              className="num lens-bar"
              style={{
                backgroundImage: `linear-gradient(${barOf(token[measure])} 0 0)`,
                backgroundSize: `${widthOf(token[measure], max)} 100%`,
              }}
            >
              {signed(token[measure], measure === 'cosine' ? 3 : 2)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const barOf = (value: number) => colourOf(value < 0 ? 'below' : 'above', 0.6);

const explained: Readonly<Record<Measure, string>> = {
  cosine: 'Cosine of the direction with each row of the unembedding, the final norm’s gain folded in.',
  dot: [
    'Dot product of the direction with each row of the unembedding: what steering along it adds to the',
    'logit, before the final norm.',
  ].join(' '),
};

export function LensTable({ lens }: { readonly lens: Lens }) {
  const [measure, setMeasure] = useState<Measure>('cosine');
  const { top, bottom } = lens[measure];
  const max = Math.max(...[...top, ...bottom].map((token) => Math.abs(token[measure])), Number.EPSILON);
  return (
    <>
      <div className="row">
        <Segments label="Measure" choices={measures} chosen={measure} onChoose={setMeasure} />
        <p className="quiet">{explained[measure]}</p>
      </div>
      <div className="lens-columns">
        <End title="made likelier" tokens={top} measure={measure} max={max} />
        <End title="made less likely" tokens={bottom} measure={measure} max={max} />
      </div>
    </>
  );
}
