/** What differs between a stage as its files were made and as a run would do it now, in words. */
import type { StageRecord } from '../../results.ts';
import type { Stage } from './stageState.ts';

/** Options that are hashes of others, and versions of record forms. */
const derived = /(?:^|_)key$|^records$/;
const isHash = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

type Versions = Readonly<Record<string, string>>;
const computing = ['culprit', 'onnxruntime-node'];

const longest = 40;

function shown(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** Names of either, in the order of the first. */
const names = (a: object, b: object) => [...new Set([...Object.keys(a), ...Object.keys(b)])];

/** Options of a stage, by name, that differ between two records of it. */
export const differingOptions = (before: Stage['options'], now: Stage['options']): string[] =>
  names(before, now).filter((name) => !derived.test(name) && !same(before[name], now[name]));

/** Inputs, by name, whose contents differ. */
export const differingInputs = (before: Stage['inputs'], now: Stage['inputs']): string[] =>
  names(before, now).filter((name) => before[name]?.sha256 !== now[name]?.sha256);

/** What computed them, by name, in another version. */
export const differingVersions = (made: Versions, now: Versions): string[] =>
  computing.filter((name) => made[name] !== now[name]);

function optionChanges(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
  within = '',
): string[] {
  return names(before, now).flatMap((name) => {
    const [a, b] = [before[name], now[name]];
    if (derived.test(name) || same(a, b)) return [];
    if (isObject(a) && isObject(b)) return optionChanges(a, b, `${within}${name}.`);
    return isHash(a) || isHash(b)
      ? [`${within}${name} changed`]
      : [`${within}${name} ${shown(a)} → ${shown(b)}`];
  });
}

function inputChanges(before: Stage['inputs'], now: Stage['inputs']): string[] {
  return differingInputs(before, now).flatMap((name) => {
    const [a, b] = [before[name], now[name]];
    if (a === undefined) return [`${name} is new: ${b!.path}`];
    if (b === undefined) return [`${name} is left out: ${a.path}`];
    return [a.path === b.path ? `${name} changed: ${b.path}` : `${name} ${a.path} → ${b.path}`];
  });
}

/**
 * Each option, input and version that differs; where none of these does, the stage is asked for other units, such as
 * more completions. Options come first, then inputs.
 */
export function stageChanges(made: StageRecord, now: Stage, versions: Versions): string[] {
  if (made.key === now.key) return [];
  const told = [...optionChanges(made.options, now.options), ...inputChanges(made.inputs, now.inputs)];
  if (told.length > 0) return told;
  const others = differingVersions(made.versions, versions);
  return others.length > 0
    ? others.map((name) => `${name} ${made.versions[name]} → ${versions[name]}`)
    : ['other prompts or completions, or another number of them'];
}
