/** Ranks of latents in two studies as lines from one to the other. */
import type { ComparedLatent } from './compared.ts';

interface SlopesProps {
  readonly latents: readonly ComparedLatent[];
  readonly top: number;
  readonly names: readonly [string, string];
  readonly hrefOf: (latent: number) => string;
}

const rowHeight = 18;
const width = 376;
const [left, right] = [110, 270];
const head = 30;

/** Ranks beyond the list all end at its foot. */
const heightOf = (rank: number | undefined, top: number) =>
  head + rowHeight * (rank === undefined || rank > top ? top + 0.6 : rank - 0.5);

export function Slopes({ latents, top, names, hrefOf }: SlopesProps) {
  const short = (name: string) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);
  return (
    <figure className="slopes" aria-label={`Ranks of latents in ${names[0]} and ${names[1]}`}>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the figure has a label */}
      <svg
        width={width}
        height={heightOf(undefined, top) + rowHeight}
        viewBox={`0 0 ${width} ${heightOf(undefined, top) + rowHeight}`}
      >
        <text x={left} y={14} textAnchor="end" className="name">
          {short(names[0])}
        </text>
        <text x={right} y={14} className="name">
          {short(names[1])}
        </text>
        {latents.map(({ latent, a, b }) => {
          const [y1, y2] = [heightOf(a?.rank, top), heightOf(b?.rank, top)];
          const inBoth = a !== undefined && b !== undefined && a.rank <= top && b.rank <= top;
          return (
            <g key={latent} className={inBoth ? 'both' : 'one'}>
              <line x1={left + 6} x2={right - 6} y1={y1} y2={y2} />
              {a && a.rank <= top && (
                <a href={hrefOf(latent)}>
                  <text x={left} y={y1} dy="0.32em" textAnchor="end">
                    {latent} <tspan className="rank">{a.rank}</tspan>
                  </text>
                </a>
              )}
              {b && b.rank <= top && (
                <a href={a && hrefOf(latent)}>
                  <text x={right} y={y2} dy="0.32em">
                    <tspan className="rank">{b.rank}</tspan> {latent}
                  </text>
                </a>
              )}
            </g>
          );
        })}
      </svg>
    </figure>
  );
}
