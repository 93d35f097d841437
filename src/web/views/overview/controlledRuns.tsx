/** The study beside its controls: the same pipeline with one thing broken on purpose. */
import {
  type ControlledRun,
  type ControlsRecord,
  changePoints,
  isOfEarlierRun,
  pText,
  type StudyManifest,
} from '../../../results.ts';
import { count, percent, scientific } from '../../format.ts';
import { Scroll } from '../../parts/scroll.tsx';

function removalText({ test }: ControlledRun): string {
  const removal = test?.strongest_removal;
  if (removal == null) return '–';
  const { latent, effect, low, high } = removal;
  const interval = low === null || high === null ? '' : ` [${changePoints(low)}, ${changePoints(high)}]`;
  return `${latent}: ${changePoints(effect)}${interval}`;
}

const Row = ({ run }: { readonly run: ControlledRun }) => {
  const { control, first, q_below_05, alive, split_half, shared, test } = run;
  return (
    <tr>
      <th scope="row">{control ?? 'the study itself'}</th>
      <td className="num">
        {first.latent}: {scientific(first.delta)}
      </td>
      <td className="num">{pText(first.max_p)}</td>
      <td className="num">
        {count(q_below_05)} of {count(alive)}
      </td>
      <td className="num">{split_half === null ? '–' : percent(split_half.overlap)}</td>
      <td className="num">{control === null ? '' : `${shared.latents} of ${shared.of}`}</td>
      <td>{removalText(run)}</td>
      <td className="num">{test === null ? '–' : pText(test.least_family_wise_p)}</td>
      <td className="num">{test === null ? '–' : `${test.confirmed.either} of ${test.candidates}`}</td>
    </tr>
  );
};

interface ControlledRunsProps {
  readonly controls: ControlsRecord;
  readonly manifest: StudyManifest | undefined;
}

export function ControlledRuns({ controls: { runs }, manifest }: ControlledRunsProps) {
  const earlier = runs[0] !== undefined && isOfEarlierRun(runs[0], manifest?.stages ?? {});
  return (
    <>
      {earlier && (
        <p className="note note-warn">
          The study has run again since: these are numbers of its earlier results. `culprit run STUDY
          --control KIND` makes them anew.
        </p>
      )}
      <Scroll label="The study beside its controls">
        <table>
          <thead>
            <tr>
              <td />
              <th className="num">first by Δ</th>
              <th className="num">its p</th>
              <th className="num">q &lt; .05</th>
              <th className="num">halves agree</th>
              <th className="num">shared</th>
              <th>removed, points</th>
              <th className="num">least p</th>
              <th className="num">confirmed</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Row key={run.control ?? ''} run={run} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <ul className="quiet">
        {runs.map(
          ({ control, about }) =>
            control !== null && (
              <li key={control}>
                {control}: {about}
              </li>
            ),
        )}
        <li>
          its p: family-wise p of the first Δ, over all latents. halves agree: share of the first 100 that two
          halves of the prompts share. shared: how many of the study&rsquo;s own first latents are among these
          first. removed: the candidate whose removal has the least p. least p: family-wise, of any candidate.
        </li>
      </ul>
    </>
  );
}
