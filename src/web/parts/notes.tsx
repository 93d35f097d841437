/**
 * What stands where results would: what makes them, what went wrong, that they are on their way, what was
 * left out.
 */
import type { ReactNode } from 'react';
import { distinctErrors } from '../apart.ts';
import { UnreadFile } from '../unreadFile.ts';
import type { Loaded } from '../useLoaded.ts';

interface MissingProps {
  readonly children: ReactNode;
  /** undefined where it is on its way */
  readonly command: string | undefined;
  /** of the view, where it has no other heading then */
  readonly title?: string;
}

/** Says what is missing and which command makes it. */
export function Missing({ children, command, title }: MissingProps) {
  return (
    <>
      {title !== undefined && <h1>{title}</h1>}
      <div className="note">
        <p>{children}</p>
        {command !== undefined && (
          <p>
            To make it: <code>{command}</code>
          </p>
        )}
      </div>
    </>
  );
}

export function Failed({ error }: { error: Error }) {
  return (
    <div className="note note-bad" role="alert">
      <p>{error.message}</p>
      {error instanceof UnreadFile && error.remedy !== undefined && (
        <p>
          To make the file again: <code>{error.remedy}</code>
        </p>
      )}
    </div>
  );
}

/** Files that could not be read: what rests on them is not shown, the rest is. */
export function Unread({ errors }: { readonly errors: Readonly<Record<string, Error | undefined>> }) {
  return distinctErrors(errors).map((error) => <Failed key={error.message} error={error} />);
}

/** Says which results do not belong to the others; nothing where all do. */
export function StaleNote({ stale }: { stale: Readonly<Record<string, string>> }) {
  const stages = Object.entries(stale);
  if (stages.length === 0) return null;
  return (
    <section className="note note-bad" role="alert" aria-label="Of an earlier state">
      <p>
        <strong>Not all results belong together.</strong> What these stages made is of an earlier state of the
        study, and is not to be read with the rest; <code>culprit run</code> makes it again:
      </p>
      <ul>
        {stages.map(([stage, why]) => (
          <li key={stage}>
            <strong>{stage}</strong>: {why}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface LoadingProps<T> {
  readonly loaded: Loaded<T>;
  readonly children: (value: T) => ReactNode;
  /** of the view, where it has no other heading when nothing came */
  readonly title?: string;
}

/** A loaded value's view; what is shown for undefined is the caller's. */
export function Loading<T>({ loaded, children, title }: LoadingProps<T>) {
  if (loaded.error)
    return (
      <>
        {title !== undefined && <h1>{title}</h1>}
        <Failed error={loaded.error} />
      </>
    );
  if (loaded.loading && loaded.value === undefined) return <p className="quiet">Loading …</p>;
  return <>{children(loaded.value as T)}</>;
}
