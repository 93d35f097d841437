/** Which latents are steered along, and how much. */
import { useRef } from 'react';
import { flushSync } from 'react-dom';
import type { Dose } from '../../doseQuery.ts';
import { signed } from '../../format.ts';
import { inStudy, type Route } from '../../routes.ts';
import { NumberField } from './numberField.tsx';

interface DoseSlidersProps {
  readonly doses: readonly Dose[];
  /** proposed when one is added */
  readonly next: number;
  readonly route: Route;
  readonly onDoses: (doses: readonly Dose[]) => void;
}

interface OneDoseProps {
  readonly dose: Dose;
  readonly route: Route;
  readonly onDose: (dose: Dose) => void;
  readonly onRemove: (() => void) | undefined;
}

const greatestLatent = 2 ** 31 - 1;
const mostDose = 100;
/** what the slider reaches at least */
const usualReach = 1;

function OneDose({ dose: { latent, dose }, route, onDose, onRemove }: OneDoseProps) {
  const reach = Math.max(usualReach, Math.abs(dose));
  return (
    <li>
      <NumberField
        label="latent"
        value={latent}
        min={0}
        max={greatestLatent}
        step={1}
        onNumber={(other) => onDose({ latent: other, dose })}
      />
      <input
        type="range"
        aria-label={`Dose of latent ${latent}, in parts of s`}
        aria-valuetext={`${signed(dose, 2)} s`}
        min={-reach}
        max={reach}
        step={0.05}
        value={dose}
        onChange={({ target }) => onDose({ latent, dose: Number(target.value) })}
      />
      <NumberField
        label={`Dose of latent ${latent}`}
        hideLabel
        value={dose}
        min={-mostDose}
        max={mostDose}
        step="any"
        onNumber={(other) => onDose({ latent, dose: other })}
      />
      <span className="quiet">s</span>
      <a href={inStudy(route, 'latent', `${latent}`)}>more about it</a>
      {onRemove && (
        <button type="button" aria-label={`Remove latent ${latent}`} onClick={onRemove}>
          remove
        </button>
      )}
    </li>
  );
}

export function DoseSliders({ doses, next, route, onDoses }: DoseSlidersProps) {
  const fields = useRef<HTMLFieldSetElement>(null);
  const replaced = (at: number, ...by: Dose[]) => onDoses(doses.toSpliced(at, 1, ...by));
  /** To the latent that was added, or, where one was removed, to the last that is left. */
  const focusLast = () => fields.current?.querySelector<HTMLElement>('li:last-child input')?.focus();
  const changed = (change: () => void) => {
    flushSync(change);
    focusLast();
  };
  return (
    <fieldset className="doses" ref={fields}>
      <legend>
        Latents to steer, and how much is added along each at every token, in parts of s, the mean residual
        norm
      </legend>
      <ul>
        {doses.map((dose, at) => (
          <OneDose
            // biome-ignore lint/suspicious/noArrayIndexKey: a latent may stand there twice while it is typed
            key={at}
            dose={dose}
            route={route}
            onDose={(other) => replaced(at, other)}
            onRemove={doses.length > 1 ? () => changed(() => replaced(at)) : undefined}
          />
        ))}
      </ul>
      <button type="button" onClick={() => changed(() => onDoses([...doses, { latent: next, dose: 0 }]))}>
        add a latent
      </button>
    </fieldset>
  );
}
