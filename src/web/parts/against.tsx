/** What speaks against a finding, in sentences. */
import type { Route } from '../routes.ts';
import { Sentence } from './sentence.tsx';

interface SentenceListProps {
  readonly texts: readonly string[];
  readonly route: Route;
}

export const SentenceList = ({ texts, route }: SentenceListProps) => (
  <ul>
    {texts.map((text) => (
      <li key={text}>
        <Sentence text={text} route={route} />
      </li>
    ))}
  </ul>
);

/** Nothing where nothing does. */
export const Against = ({ texts, route }: SentenceListProps) =>
  texts.length === 0 ? null : (
    <>
      <h3>What speaks against it</h3>
      <SentenceList texts={texts} route={route} />
    </>
  );
