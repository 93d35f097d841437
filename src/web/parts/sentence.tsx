/**
 * A sentence in which each `latent 320` leads to that latent, and what stands between backticks is a
 * command.
 */
import { Fragment } from 'react';
import { inStudy, type Route } from '../routes.ts';

function Part({ text, route }: { text: string; route: Route }) {
  const number = /^[Ll]atent (\d+)$/.exec(text)?.[1];
  if (number !== undefined) return <a href={inStudy(route, 'latent', number)}>{text}</a>;
  if (text.startsWith('`')) return <code>{text.slice(1, -1)}</code>;
  return <Fragment>{text}</Fragment>;
}

export function Sentence({ text, route }: { text: string; route: Route }) {
  const kept = text.replaceAll(' %', '\u202f%');
  return kept.split(/([Ll]atent \d+|`[^`]+`)/).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text have no other name
    <Part key={i} text={part} route={route} />
  ));
}
