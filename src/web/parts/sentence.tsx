/**
 * A sentence in which each `latent 320` leads to that latent, what stands between backticks is a command, and the
 * first of each term of the field says what it means.
 */
import { Fragment } from 'react';
import { inStudy, type Route } from '../routes.ts';
import { Term, terms } from './term.tsx';

interface PartProps {
  readonly text: string;
  /** whether a term stands in it for the first time */
  readonly isNew: boolean;
  readonly route: Route;
}

const isTerm = (text: string) => terms.includes(text.toLowerCase());

function Part({ text, isNew, route }: PartProps) {
  const number = /^[Ll]atent (\d+)$/.exec(text)?.[1];
  if (number !== undefined) return <a href={inStudy(route, 'latent', number)}>{text}</a>;
  if (text.startsWith('`')) return <code>{text.slice(1, -1)}</code>;
  if (isNew && isTerm(text)) return <Term text={text} />;
  return <Fragment>{text}</Fragment>;
}

const parted = new RegExp(`([Ll]atent \\d+|\`[^\`]+\`|\\b(?:${terms.join('|')})\\b)`, 'i');

export function Sentence({ text, route }: { text: string; route: Route }) {
  const parts = text.replaceAll(' %', '\u202f%').split(parted);
  const firstAt = new Map(parts.map((part, i) => [part.toLowerCase(), i] as const).reverse());
  return parts.map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text have no other name
    <Part key={i} text={part} isNew={firstAt.get(part.toLowerCase()) === i} route={route} />
  ));
}
