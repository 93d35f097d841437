/** Names and values in a small table, such as what is known of a token. */
import { Fragment, type ReactNode } from 'react';

type Fact = readonly [name: string, value: ReactNode];

interface FactsProps {
  /** those without a value are left out */
  readonly facts: readonly Fact[];
}

export function Facts({ facts }: FactsProps) {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}
