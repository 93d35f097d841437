/** manifest.json: what was run, on what, and what came of it, so that the run can be repeated and checked. */
import { z } from 'zod';

/** A file or folder that went into a run, with the hash of its contents. */
const inputFile = z.object({ path: z.string(), sha256: z.string() });

/** manifest.json: what was run, on what, and what came of it, so that the run can be repeated and checked. */
export const manifestSchema = z.object({
  command: z.enum(['attribute', 'baseline']),
  /** hash of inputs, options and versions: equal keys mean equal results */
  key: z.string(),
  created: z.iso.datetime(),
  versions: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), inputFile),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** numbers about the run, such as token counts */
  counts: z.record(z.string(), z.number()),
  /** seconds by part of the work */
  seconds: z.record(z.string(), z.number()),
  /** SHA-256 of the files it made, by their names; absent in those of older versions */
  outputs: z.record(z.string(), z.string()).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

const engineRecord = z.record(z.string(), z.union([z.string(), z.number()]));
/** What was found of an engine. Holds no key. */
export type EngineRecord = z.output<typeof engineRecord>;

const stageRecord = z.object({
  /** hash of inputs, options, earlier stages' results and versions: equal keys mean equal results */
  key: z.string().min(1),
  finished: z.iso.datetime(),
  versions: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), z.object({ path: z.string(), sha256: z.string() })),
  options: z.record(z.string(), z.json()),
  /** numbers about the results, such as how many completions */
  counts: z.record(z.string(), z.number()),
  /** seconds by part of the work */
  seconds: z.record(z.string(), z.number()),
  /** SHA-256 of the files it made, by their names in the study's folder */
  outputs: z.record(z.string(), z.string()),
  /** those of them that were changed by hand, and accepted so */
  edited: z.array(z.string()),
  /** threads of one matrix product, in the run that finished it */
  threads: z.int().min(1).optional(),
  /** where completions came from other than this machine: its versions, and how far it agrees with the local files */
  engines: z.array(engineRecord).optional(),
});
export type StageRecord = z.output<typeof stageRecord>;

/** manifest.json of a study: which stages are done, from what and how, and the hashes of what they made. */
export const studyManifestSchema = z.object({
  command: z.literal('study'),
  created: z.iso.datetime(),
  /** what chat templates print as the date, where that is not `created` */
  date: z.iso.datetime().optional(),
  /** of the last run that wrote here */
  versions: z.record(z.string(), z.string()),
  /** threads of one matrix product in the last run; absent in manifests of older versions */
  threads: z.int().min(1).optional(),
  stages: z.record(z.string(), stageRecord),
  /** the stages whose files are being written, or were when a run was stopped */
  writing: z.array(z.string()),
});
export type StudyManifest = z.output<typeof studyManifestSchema>;
