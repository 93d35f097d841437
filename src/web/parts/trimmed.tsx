/** What a report left out of the files that a view rests on. */
import type { Source } from '../source.ts';

interface TrimmedProps {
  readonly source: Pick<Source, 'trimmed'>;
  readonly paths: readonly string[];
}

export function TrimmedNote({ source: { trimmed }, paths }: TrimmedProps) {
  const held = paths.filter((path) => trimmed[path] !== undefined);
  if (held.length === 0) return null;
  return (
    <p className="quiet">
      Left out of this report: {held.map((path) => `${path}: ${trimmed[path]}`).join('; ')}.
    </p>
  );
}
