/** A field for a number, which may be half-typed. */
import { useState } from 'react';

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** `any`, or what the value is a multiple of */
  readonly step: number | 'any';
  readonly onNumber: (value: number) => void;
  readonly hideLabel?: boolean;
}

export function NumberField({ label, value, min, max, step, onNumber, hideLabel = false }: NumberFieldProps) {
  const [draft, setDraft] = useState<string>();
  const typed = (text: string) => {
    setDraft(text);
    const number = Number(text);
    const fits = text !== '' && number >= min && number <= max && (step !== 1 || Number.isInteger(number));
    if (fits) onNumber(number);
  };
  return (
    <label className="number-field">
      <span className={hideLabel ? 'sr-only' : undefined}>{label}</span>
      <input
        type="number"
        min={min}
        max={max}
        step={step}
        value={draft ?? value}
        onChange={({ target }) => typed(target.value)}
        onBlur={() => setDraft(undefined)}
      />
    </label>
  );
}
