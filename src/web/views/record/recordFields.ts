/** Fields of a stage's record as the methods text reads them. */
import type { StageRecord } from '../../../results.ts';

type Options = StageRecord['options'];

/** Sentences of one paragraph; false or undefined for one that the files do not support. */
export type Sentences = readonly (string | false | undefined)[];

export const numberOption = (options: Options, name: string): number | undefined =>
  typeof options[name] === 'number' ? options[name] : undefined;

export const textOption = (options: Options, name: string): string | undefined =>
  typeof options[name] === 'string' ? options[name] : undefined;

/** `2.5 %`: as many digits as it has. */
export const exactPercent = (share: number): string => `${Number((100 * share).toPrecision(9))}\u202f%`;

/** Parts that are known, one after another. */
export const listed = (parts: Sentences): string => parts.filter(Boolean).join(', ');
