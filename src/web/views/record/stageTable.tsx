/** A stage as it was run: inputs and outputs with their hashes, options, counts, times. */
import type { ReactNode } from 'react';
import type { StageRecord } from '../../../results.ts';
import { count, duration } from '../../format.ts';
import { Clipped } from './clipped.tsx';

const shownOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function Part({ name, rows }: { name: string; rows: readonly (readonly [string, ReactNode])[] }) {
  if (rows.length === 0) return null;
  return (
    <>
      <tr>
        <th colSpan={2} scope="rowgroup" className="quiet">
          {name}
        </th>
      </tr>
      {rows.map(([key, value]) => (
        <tr key={key}>
          <th scope="row">{key}</th>
          <td>{value}</td>
        </tr>
      ))}
    </>
  );
}

const Hash = ({ sha256 }: { sha256: string }) => <code title={sha256}>{sha256.slice(0, 16)}…</code>;

interface StageTableProps {
  readonly name: string;
  readonly stage: StageRecord;
  /** why it is of an earlier state of the study, where it is */
  readonly stale: string | undefined;
}

export function StageTable({ name, stage, stale }: StageTableProps) {
  const { finished, versions, inputs, outputs, options, counts, seconds } = stage;
  const total = Object.values(seconds).reduce((sum, each) => sum + each, 0);
  return (
    <details className="stage-record">
      <summary>
        <strong>{name}</strong>{' '}
        <span className="quiet">
          {finished.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}, {duration(total)}
        </span>
      </summary>
      {stale !== undefined && <p className="note note-bad">Of an earlier state of the study: {stale}.</p>}
      <div className="stage-scroll">
        <table>
          <tbody>
            <Part
              name="options"
              rows={Object.entries(options).map(([key, value]) => [
                key,
                <Clipped key={key} text={shownOf(value)} />,
              ])}
            />
            <Part
              name="inputs: path, SHA-256"
              rows={Object.entries(inputs).map(([key, { path, sha256 }]) => [
                key,
                <span key={key}>
                  <Clipped text={path} /> <Hash sha256={sha256} />
                </span>,
              ])}
            />
            <Part
              name="outputs: SHA-256"
              rows={Object.entries(outputs).map(([path, sha256]) => [
                path,
                <Hash key={path} sha256={sha256} />,
              ])}
            />
            <Part name="counts" rows={Object.entries(counts).map(([key, n]) => [key, count(n)])} />
            <Part name="time" rows={Object.entries(seconds).map(([key, each]) => [key, duration(each)])} />
            <Part name="versions" rows={Object.entries(versions)} />
            <Part name="key" rows={[['key', <Hash key="key" sha256={stage.key} />]]} />
          </tbody>
        </table>
      </div>
    </details>
  );
}
