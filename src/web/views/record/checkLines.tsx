/** What was looked at before a run, a line each: what needs care first. */
import { type CheckLine, checkNumbers, checkTroubles } from '../../../results.ts';
import { Scroll } from '../../parts/scroll.tsx';

export function CheckLines({ lines }: { readonly lines: readonly CheckLine[] }) {
  const troubles = checkTroubles(lines);
  const rest = lines.filter((line) => !troubles.includes(line));
  return (
    <Scroll label="Check">
      <table className="text-list check-lines">
        <thead>
          <tr>
            {['check', 'came to', 'found', 'expected'].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...troubles, ...rest].map((line) => (
            <tr key={line.name}>
              <th scope="row" title={line.about}>
                {line.name}
              </th>
              <td data-name="came to">{line.status}</td>
              <td data-name="found">{line.status === 'skipped' ? line.what_to_do : checkNumbers(line)}</td>
              <td data-name="expected" className="quiet">
                {line.expected}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
