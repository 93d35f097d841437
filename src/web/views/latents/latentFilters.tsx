/** What narrows the table of latents, which columns it has, and the files made of it. */
import { type KeyboardEvent, useEffect, useState } from 'react';
import { count } from '../../format.ts';
import { Segments } from '../../parts/segments.tsx';
import type { ColumnInfo } from './columns.tsx';
import { hiddenText, type LatentQuery, listedOf, stageChoices, verdictChoices } from './latentQuery.ts';

/** Milliseconds without a key before a search is made. */
const pause = 150;

interface SearchProps {
  readonly search: string;
  readonly onSearch: (search: string) => void;
}

function Search({ search, onSearch }: SearchProps) {
  const [text, setText] = useState(search);
  useEffect(() => setText(search), [search]);
  useEffect(() => {
    if (text === search) return;
    const timer = setTimeout(() => onSearch(text), pause);
    return () => clearTimeout(timer);
  }, [text, search, onSearch]);
  return (
    <input
      type="search"
      placeholder="number or meaning"
      aria-label="Search by number or meaning"
      value={text}
      onChange={({ target }) => setText(target.value)}
    />
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly onChoose: (value: string) => void;
}

function Choice({ label, value, choices, onChoose }: ChoiceProps) {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ target }) => onChoose(target.value)}>
        <option value="">all</option>
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    </label>
  );
}

function closeByEscape({ key, currentTarget }: KeyboardEvent<HTMLDetailsElement>): void {
  if (key !== 'Escape') return;
  currentTarget.open = false;
  currentTarget.querySelector('summary')!.focus();
}

interface LatentFiltersProps {
  readonly query: LatentQuery;
  readonly hidden: readonly string[];
  /** how many there are among all, and how many have a meaning */
  readonly candidates: number;
  readonly withMeaning: number;
  readonly selectors: readonly string[];
  readonly columns: readonly ColumnInfo[];
  readonly shown: number;
  readonly all: number;
  readonly onChange: (changed: Readonly<Record<string, string>>) => void;
  readonly onSave: (format: 'csv' | 'json') => void;
}

/** Candidates or all; a filter says it otherwise. */
function Listed({ query, candidates, all, onChange }: LatentFiltersProps) {
  const { search, stage, verdict, by } = query;
  if (candidates === 0 || candidates === all) return null;
  const narrowed = [search.trim(), stage, verdict, by].some((asked) => asked !== '');
  const numbers = { candidates, all };
  return (
    <Segments
      label="Which latents"
      choices={listedOf}
      chosen={narrowed ? undefined : query.of}
      onChoose={(of) => onChange({ of: of === 'all' ? of : '', q: '', stage: '', verdict: '', by: '' })}
      nameOf={(of) => `${of} (${count(numbers[of])})`}
    />
  );
}

function countText({ shown, all, withMeaning }: LatentFiltersProps): string {
  const listed = shown === all ? `${count(all)} latents` : `${count(shown)} of ${count(all)} latents`;
  return withMeaning === 0 ? listed : `${listed}, ${count(withMeaning)} with a meaning`;
}

export function LatentFilters(props: LatentFiltersProps) {
  const { query, hidden, selectors, columns, onChange, onSave } = props;
  const { search, stage, verdict, by } = query;
  const toggled = (id: string) =>
    hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id];
  return (
    <search className="filters">
      <Listed {...props} />
      <Search search={search} onSearch={(q) => onChange({ q })} />
      {selectors.length > 0 && (
        <>
          <Choice
            label="tested"
            value={stage}
            choices={stageChoices}
            onChoose={(value) => onChange({ stage: value })}
          />
          <Choice
            label="verdict"
            value={verdict}
            choices={verdictChoices}
            onChoose={(value) => onChange({ verdict: value })}
          />
          <Choice
            label="proposed by"
            value={by}
            choices={selectors}
            onChoose={(value) => onChange({ by: value })}
          />
        </>
      )}
      <details className="columns" onKeyDown={closeByEscape}>
        <summary>columns</summary>
        <div>
          {columns.map(({ id, name }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={!hidden.includes(id)}
                onChange={() => onChange({ hide: hiddenText(toggled(id)) })}
              />{' '}
              {name}
            </label>
          ))}
        </div>
      </details>
      <span className="quiet" role="status">
        {countText(props)}
      </span>
      <span className="buttons">
        <button type="button" onClick={() => onSave('csv')}>
          CSV
        </button>
        <button type="button" onClick={() => onSave('json')}>
          JSON
        </button>
      </span>
    </search>
  );
}
