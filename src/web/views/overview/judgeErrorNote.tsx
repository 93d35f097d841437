/** How often the judge errs on steered texts, and the greatest effects without its error. */
import type { JudgeErrorFile, SheetError } from '../../../results.ts';
import { count, fixed, plural, points } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';

type Estimate = SheetError['all']['kappa'];

const share = (found: Estimate) =>
  found === null ? 'not known' : `${fixed(found.value, 2)} [${fixed(found.low, 2)}, ${fixed(found.high, 2)}]`;

const change = (found: Estimate) =>
  found === null ? 'not known' : `${points(found.value)} [${points(found.low)}, ${points(found.high)}]`;

const shownEffects = 10;

function SheetTables({ sheet }: { sheet: SheetError }) {
  const { reader, arms, all, effects } = sheet;
  const read = sheet.rows - sheet.empty;
  const rows = [...arms.map((arm) => [arm.arm, arm] as const), ['all', all] as const];
  return (
    <>
      <Scroll label="The judge's error">
        <table>
          <caption>
            The judge on {plural(read, 'text')} of the causal test, read by {reader}; 95 % intervals
          </caption>
          <thead>
            <tr>
              <td />
              <th className="num">sensitivity</th>
              <th className="num">specificity</th>
              <th className="num">kappa</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, found]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="num">{share(found.sensitivity)}</td>
                <td className="num">{share(found.specificity)}</td>
                <td className="num">{share(found.kappa)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {effects.length > 0 && (
        <Scroll label="Effects without the judge's error">
          <table>
            <caption>The greatest effects, as the judge shows them and without its error</caption>
            <thead>
              <tr>
                <td />
                <th>side</th>
                <th className="num">shown</th>
                <th className="num">corrected</th>
                <th className="num">if it errs alike on all</th>
              </tr>
            </thead>
            <tbody>
              {effects
                .slice(0, shownEffects)
                .map(({ arm, side, latent, name, effect, corrected, corrected_alike }) => (
                  <tr key={`${arm} ${side} ${latent} ${name}`}>
                    <th scope="row">
                      {name ?? `latent ${latent}`} {arm}
                    </th>
                    <td>{side}</td>
                    <td className="num">{points(effect)}</td>
                    <td className="num">{change(corrected)}</td>
                    <td className="num">{change(corrected_alike)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

export function JudgeErrorNote({ error: { sheet, agreement } }: { error: JudgeErrorFile }) {
  return (
    <>
      {sheet && <SheetTables sheet={sheet} />}
      {agreement && (
        <p>
          The study’s judge and {agreement.judge} agree on {count(agreement.compared)} completions of{' '}
          {plural(agreement.prompts, 'prompt')} with kappa {share(agreement.kappa)}: 0 is chance, 1 full
          agreement.
        </p>
      )}
    </>
  );
}
