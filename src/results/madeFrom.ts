/** What files that are made beside the stages have in common: a number with its interval, and what they were made from. */
import { z } from 'zod';

const nullable = z.number().nullable();

/** A number with its 95 % interval over prompts; null where it is not defined. */
export const estimate = z.strictObject({ value: nullable, low: nullable, high: nullable });

export const madeFrom = {
  /** by stage, why what this was made of is of an earlier state of the study */
  stale: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), z.strictObject({ path: z.string(), sha256: z.string() })),
  versions: z.record(z.string(), z.string()),
  created: z.iso.datetime(),
};
