/**
 * A text token by token, each shaded by a value. Pointing at a token, or walking through the text with the
 * arrow keys, shows what is known of it.
 * One handler a block, and the tokens are drawn once: thousands are no burden.
 */
import {
  type KeyboardEvent,
  memo,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from 'react';
import { Floating } from './floating.tsx';
import { type Scale, shade } from './shade.ts';
import { isSpecial, TokenText } from './tokenText.tsx';

export interface TokenValues {
  readonly tokens: readonly string[];
  /** null where there is none, at attention sinks; without them the text is plain */
  readonly values?: readonly (number | null)[] | undefined;
  readonly scale?: Scale | undefined;
}

interface TokensProps extends TokenValues {
  /** names the text to one who cannot see it */
  readonly label: string;
  /** what is shown of a token pointed at */
  readonly details?: ((place: number) => ReactNode) | undefined;
  /** the token that the text is shown for */
  readonly peak?: number | undefined;
  /** tokens that buttons lead to, and what stands on each */
  readonly leads?: readonly TokenLead[] | undefined;
}

export interface TokenLead {
  readonly place: number;
  readonly value: string;
}

interface OneTokenProps {
  readonly text: string;
  readonly place: number;
  readonly background: string | undefined;
  readonly kind: string;
}

const OneToken = memo(function OneToken({ text, place, background, kind }: OneTokenProps) {
  return (
    <span
      className={kind}
      data-place={place}
      style={background === undefined ? undefined : { backgroundColor: background }}
    >
      <TokenText text={text} />
    </span>
  );
});

function kindOf(token: string, value: number | null | undefined, isPeak: boolean): string {
  const kinds = ['token', isSpecial(token) && 'special', value === null && 'sink', isPeak && 'peak'];
  return kinds.filter(Boolean).join(' ');
}

const Run = memo(function Run({
  tokens,
  values,
  scale,
  peak,
}: TokenValues & { readonly peak?: number | undefined }) {
  return tokens.map((text, place) => (
    <OneToken
      // biome-ignore lint/suspicious/noArrayIndexKey: a token is known by its place
      key={place}
      text={text}
      place={place}
      background={scale && shade(scale, values?.[place])}
      kind={kindOf(text, values?.[place], place === peak)}
    />
  ));
});

const steps: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowRight: (at, last) => Math.min(last, at + 1),
  ArrowLeft: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_, last) => last,
};

const placeOf = (target: EventTarget) => {
  const token = (target as Element).closest<HTMLElement>('[data-place]');
  return token ? Number(token.dataset.place) : undefined;
};

const isTouch = ({ pointerType }: PointerEvent) => pointerType === 'touch';

const tokenAt = (block: HTMLElement | null, place: number) =>
  block?.querySelector<HTMLElement>(`[data-place="${place}"]`);

/** The token pointed at, and marks it. */
function usePointed(block: { readonly current: HTMLElement | null }) {
  const [place, setPlace] = useState<number>();
  const [token, setToken] = useState<HTMLElement>();
  useEffect(() => {
    const found = place === undefined ? undefined : tokenAt(block.current, place);
    found?.setAttribute('data-pointed', '');
    setToken(found ?? undefined);
    return () => found?.removeAttribute('data-pointed');
  }, [place, block]);
  return { place, token, setPlace };
}

interface LeadsProps extends Pick<TokensProps, 'tokens'> {
  readonly leads: readonly TokenLead[];
  readonly go: (place: number) => void;
}

const Leads = ({ tokens, leads, go }: LeadsProps) => (
  <p className="token-leads">
    <span className="quiet">strongest:</span>
    {leads.map(({ place, value }) => (
      <button key={place} type="button" onClick={() => go(place)}>
        <TokenText text={tokens[place]!} /> <span className="quiet">{value}</span>
      </button>
    ))}
  </p>
);

export function Tokens({ tokens, values, scale, label, details, peak, leads = [] }: TokensProps) {
  const block = useRef<HTMLDivElement>(null);
  const { place, token, setPlace } = usePointed(block);
  const leave = () => setPlace(undefined);
  const walk = (event: KeyboardEvent) => {
    if (event.key === 'Escape') return leave();
    const step = steps[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = step(place ?? (peak ?? 0) - 1, tokens.length - 1);
    tokenAt(block.current, next)?.scrollIntoView({ block: 'nearest' });
    setPlace(next);
  };
  const go = (next: number) => {
    block.current?.focus({ preventScroll: true });
    tokenAt(block.current, next)?.scrollIntoView({ block: 'center' });
    setPlace(next);
  };
  const run = <Run tokens={tokens} values={values} scale={scale} peak={peak} />;
  if (!details) return <div className="tokens">{run}</div>;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div
        ref={block}
        className="tokens pointable"
        role="group"
        aria-label={`${label}; arrow keys go from token to token`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk through it
        tabIndex={0}
        onKeyDown={walk}
        // a finger that is lifted leaves too: what it tapped stays shown
        onPointerOver={(event) => !isTouch(event) && setPlace(placeOf(event.target))}
        onPointerLeave={(event) => !isTouch(event) && leave()}
        onClick={(event) => setPlace(placeOf(event.target))}
        onBlur={leave}
      >
        {run}
      </div>
      {leads.length > 0 && <Leads tokens={tokens} leads={leads} go={go} />}
      {token && place !== undefined && <Floating beside={token}>{details(place)}</Floating>}
    </>
  );
}
