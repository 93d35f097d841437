/**
 * Typed access to an untrusted parsed JSON object. Every mismatch is an InputError that names the place, the
 * field, what was expected and what was found.
 */
import { InputError, inOneLine } from '../../errors.ts';

export class Settings {
  readonly where: string;
  private readonly fields: Readonly<Record<string, unknown>>;

  /** Throws InputError unless `value` is an object. */
  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InputError(`${where}: expected an object, found ${shown(value)}`);
    this.where = where;
    this.fields = value as Record<string, unknown>;
  }

  /** The field's value; undefined where it is absent or null. */
  get(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined;
  }

  /**
   * The name among `names` (one setting's names over the years) whose field is given; the first where none
   * is.
   */
  given(...names: readonly [string, ...string[]]): string {
    return names.find((name) => this.get(name) !== undefined) ?? names[0];
  }

  /** The object in a field; an empty one where it is absent. */
  object(name: string): Settings {
    return new Settings(this.get(name) ?? {}, `${this.where}: ${name}`);
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(name, 'text');
  }

  flag(name: string, absent: boolean): boolean {
    const value = this.get(name) ?? absent;
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  /** A required whole number within least..most. */
  count(name: string, least: number, most: number, unit = ''): number {
    const value = this.get(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.fail(name, `a whole number from ${least} to ${most}${unit}`);
  }

  /** A required number above 0. */
  positive(name: string): number {
    const value = this.get(name);
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    return this.fail(name, 'a number above 0');
  }

  /** One of the texts of `choices`. */
  choice<C extends string>(name: string, choices: readonly C[], absent: C): C {
    const value = this.get(name) ?? absent;
    return choices.find((choice) => choice === value) ?? this.fail(name, choices.join(', '));
  }

  /** Throws InputError: the field is not what was expected. */
  fail(name: string, expected: string): never {
    const found = shown(this.get(name));
    throw new InputError(`${this.where}: ${name}: expected ${inOneLine(expected)}, found ${found}`);
  }
}

/** A value on one short line. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
