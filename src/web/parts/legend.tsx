/** What a shading means: the colours of a scale with its ends. */
import { plural } from '../format.ts';
import { colourOf, type Scale } from './shade.ts';

interface LegendProps {
  readonly scale: Scale;
  /** what is shown, and its unit */
  readonly quantity: string;
  readonly format: (value: number) => string;
}

const ramps: Readonly<Record<Scale['kind'], string>> = {
  diverging: [colourOf('below', 1), 'transparent', colourOf('above', 1)].join(', '),
  sequential: ['transparent', colourOf('amount', 1)].join(', '),
};

export function Legend({ scale: { kind, max, beyond = 0 }, quantity, format }: LegendProps) {
  if (max === 0) return <p className="legend">{quantity}: 0 everywhere</p>;
  return (
    <p className="legend">
      <span>{quantity}</span>
      <span className="legend-ramp">
        <span>{kind === 'diverging' ? format(-max) : '0'}</span>
        <span
          className="legend-bar"
          style={{ backgroundImage: `linear-gradient(to right, ${ramps[kind]})` }}
          aria-hidden="true"
        />
        <span>{format(max)}</span>
      </span>
      {beyond > 0 && <span>{plural(beyond, 'token')} beyond, in full colour</span>}
    </p>
  );
}
