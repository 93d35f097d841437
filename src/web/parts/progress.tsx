/** How far a study that is running is, stage by stage. */
import type { StageProgress, StudyProgress } from '../../results.ts';
import { count, duration } from '../format.ts';
import { Failed } from './notes.tsx';

const stateNames: Readonly<Record<StageProgress['state'], string>> = {
  finished: 'finished',
  running: 'running',
  waiting: 'waiting',
  stale: 'will be run again',
};

function StageBar({ name, state, done, units, seconds_left }: StageProgress) {
  const share = state === 'finished' ? 1 : units > 0 ? Math.min(1, done / units) : 0;
  const left = seconds_left === null || state === 'finished' ? '' : `, about ${duration(seconds_left)} left`;
  const counted = state === 'running' && units > 0 ? ` ${count(done)} of ${count(units)}` : '';
  return (
    <li className={`stage stage-${state}`}>
      <span>
        {name}{' '}
        <span className="quiet">
          {stateNames[state]}
          {counted}
          {left}
        </span>
      </span>
      <progress value={share} max={1} aria-label={`${name}: ${stateNames[state]}`} />
    </li>
  );
}

/** Nothing where the study stands still and is complete. */
export function ProgressBar({ progress: { stages, running, problem } }: { progress: StudyProgress }) {
  if (problem !== undefined) return <Failed error={new Error(problem)} />;
  const unfinished = stages.some(({ state }) => state !== 'finished');
  if (!running && !unfinished) return null;
  return (
    <section className="banner" aria-label="Progress">
      <strong>{running ? 'Running' : 'Not running, and not finished'}</strong>
      <ol>
        {stages.map((stage) => (
          <StageBar key={stage.name} {...stage} />
        ))}
      </ol>
    </section>
  );
}
