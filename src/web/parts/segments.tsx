/** One of a few choices, all in sight. */
interface SegmentsProps<T extends string> {
  readonly label: string;
  readonly choices: readonly T[];
  /** undefined where none is */
  readonly chosen: T | undefined;
  readonly onChoose: (choice: T) => void;
  /** what stands on it; default itself */
  readonly nameOf?: (choice: T) => string;
}

export function Segments<T extends string>({
  label,
  choices,
  chosen,
  onChoose,
  nameOf = (choice) => choice,
}: SegmentsProps<T>) {
  return (
    <fieldset className="segments">
      <legend className="sr-only">{label}</legend>
      {choices.map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === chosen} onClick={() => onChoose(choice)}>
          {nameOf(choice)}
        </button>
      ))}
    </fieldset>
  );
}
