/**
 * The data of a report: the result files of its studies, inside the page. Knows neither the page nor what
 * is cut from the files.
 */
import { z } from 'zod';

/** The id of the page's element that holds the data. */
export const reportDataId = 'culprit-data';

const heldStudy = z.object({
  id: z.string(),
  name: z.string(),
  /** by path: the size in bytes, and the bytes as gzip in base64 */
  files: z.record(z.string(), z.object({ size: z.number(), data: z.base64() })),
  /** what was left out of a file, in words, by path */
  trimmed: z.record(z.string(), z.string()),
  /** stages that are of an earlier state of the study, and why, in words */
  stale: z.record(z.string(), z.string()),
});
export type HeldStudy = z.output<typeof heldStudy>;

export const reportSchema = z.object({
  /** of culprit */
  version: z.string(),
  created: z.string(),
  studies: z.array(heldStudy),
});
export type ReportData = z.output<typeof reportSchema>;
