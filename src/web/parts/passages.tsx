/** Passages of the corpora with a latent's activation at each token. */
import type { LatentPassages, PassageWindow } from '../../results.ts';
import { count, fixed, lastPart } from '../format.ts';
import { Facts } from './facts.tsx';
import { Legend } from './legend.tsx';
import type { Scale } from './shade.ts';
import { Tokens } from './tokens.tsx';
import { TokenText } from './tokenText.tsx';

interface PassageListProps {
  readonly passages: readonly PassageWindow[];
  readonly scale: Scale;
  readonly corpora: readonly string[];
}

const activationText = (value: number | null | undefined) =>
  value === null || value === undefined ? 'none: attention sink' : fixed(value, 2);

function Passage({
  passage,
  scale,
  corpora,
}: Omit<PassageListProps, 'passages'> & { readonly passage: PassageWindow }) {
  const { tokens, activations, start, peak, ids, line } = passage;
  const path = corpora[passage.corpus];
  const corpus = path === undefined ? `corpus ${passage.corpus}` : lastPart(path);
  const details = (place: number) => (
    <Facts
      facts={[
        ['token', <TokenText key="token" text={tokens[place]!} />],
        ['id', ids[place]],
        ['activation', activationText(activations[place])],
        ['position', start + place],
        ['from', `${corpus}, line ${line + 1}`],
      ]}
    />
  );
  const most = Math.max(0, ...activations.map((value) => value ?? 0));
  return (
    <li>
      <span className="num quiet">
        {fixed(most, 1)}
        {start > 0 && <span title="the passage begins earlier"> …</span>}
      </span>
      <Tokens
        tokens={tokens}
        values={activations}
        scale={scale}
        peak={most > 0 ? peak : undefined}
        label={`Line ${line + 1} of ${corpus}`}
        details={details}
      />
    </li>
  );
}

export function PassageList({ passages, ...rest }: PassageListProps) {
  return (
    <ol className="passages">
      {passages.map((passage) => (
        <Passage key={`${passage.corpus}/${passage.line}/${passage.start}`} passage={passage} {...rest} />
      ))}
    </ol>
  );
}

interface PassagesProps {
  readonly passages: LatentPassages;
  readonly corpora: readonly string[];
}

const first = 8;

/**
 * The most active passages, then samples from each part of the range, then some where the latent is silent.
 */
export function Passages({ passages, corpora }: PassagesProps) {
  const { top, quantiles, zero, max } = passages;
  const scale = { kind: 'sequential', max } as const;
  const shown = quantiles.filter((part) => part.passages.length > 0).reverse();
  const list = (some: readonly PassageWindow[]) => (
    <PassageList passages={some} scale={scale} corpora={corpora} />
  );
  return (
    <>
      <Legend scale={scale} quantity="activation" format={(value) => fixed(value, 1)} />
      {list(top.slice(0, first))}
      {top.length > first && (
        <details>
          <summary>{count(top.length - first)} more of the most active</summary>
          {list(top.slice(first))}
        </details>
      )}
      {shown.length > 0 && <h3>Weaker activity, drawn at random</h3>}
      {shown.map(({ low, high, passages: some }) => (
        <details key={low} open={low === shown[0]!.low}>
          <summary>
            greatest activation from {fixed(low, 1)} to {fixed(high, 1)}
          </summary>
          {list(some)}
        </details>
      ))}
      {zero.length > 0 && (
        <details>
          <summary>{count(zero.length)} random passages where it is inactive</summary>
          {list(zero)}
        </details>
      )}
    </>
  );
}
