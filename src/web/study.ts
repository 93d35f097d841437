/**
 * A study's results, each loaded when it is first asked for, and once. Knows not where the files come from.
 */
import { z } from 'zod';
import {
  type CheckLine,
  type CheckpointsRecord,
  type CompletionRecord,
  type ControlsRecord,
  checkpointsSchema,
  checkSchema,
  completionRecord,
  controlsSchema,
  decodeLatents,
  decodeSteering,
  type FidelityRecord,
  type FixRecord,
  fidelitySchema,
  fixSchema,
  type GradeRecord,
  gradeRecord,
  type JudgeErrorFile,
  judgeErrorSchema,
  type LatentPage,
  type LatentRow,
  latentOfPage,
  latentPageSchema,
  manifestSchema,
  type PairRecord,
  type PairTokens,
  pageFile,
  pairRecord,
  pairTokens,
  type RankedSteeringRow,
  resultFiles,
  type SteeringSummary,
  type StudyManifest,
  steeringSummarySchema,
  studyManifestSchema,
  type TraceRecord,
  type TrialRecord,
  traceSchema,
  trialRecord,
} from '../results.ts';
import { checkedRecord, jsonOf, linesOf, parsedJson, recordsOf, textOfBytes } from './records.ts';
import type { ListedFile, Source } from './source.ts';
import { type StudySaid, studySaidIn } from './studySaid.ts';
import { UnreadFile } from './unreadFile.ts';

export interface SteeringRecords {
  readonly rows: readonly RankedSteeringRow[];
  readonly summary: SteeringSummary;
}

export interface LatentTrials {
  readonly along: readonly TrialRecord[];
  readonly alone: readonly TrialRecord[];
}

/** What a study's files hold; undefined where a file is not there. */
export interface LoadedStudy {
  readonly source: Source;
  /** stages whose results are of an earlier state of the study, and why */
  readonly stale: Readonly<Record<string, string>>;
  files(): Promise<readonly ListedFile[]>;
  /** A run of one command stands in it as the only stage. */
  manifest(): Promise<StudyManifest | undefined>;
  yaml(): Promise<string | undefined>;
  /** What its study.yaml says. */
  said(): Promise<StudySaid | undefined>;
  /** What was looked at before the run. */
  check(): Promise<CheckLine[] | undefined>;
  latents(): Promise<LatentRow[] | undefined>;
  /** How far the ranking agrees with the removal of latents. */
  fidelity(): Promise<FidelityRecord | undefined>;
  steering(): Promise<SteeringRecords | undefined>;
  /** Which latents are held so that the behaviour goes. */
  fix(): Promise<FixRecord | undefined>;
  /** What the latents do in other subjects. */
  checkpoints(): Promise<CheckpointsRecord | undefined>;
  /** Which training examples push the model along latents. */
  trace(): Promise<TraceRecord | undefined>;
  /** What was sampled along a latent's direction, and with nothing done, the dose search too. */
  trials(latent: number): Promise<LatentTrials | undefined>;
  /** What was sampled in the causal test, under whatever direction. */
  allTrials(): Promise<TrialRecord[] | undefined>;
  page(latent: number): Promise<LatentPage | undefined>;
  /** Latents that have a page. */
  pageNumbers(): Promise<ReadonlySet<number>>;
  pairs(): Promise<PairRecord[] | undefined>;
  pairTokens(): Promise<ReadonlyMap<string, PairTokens> | undefined>;
  completions(): Promise<ReadonlyMap<string, CompletionRecord> | undefined>;
  grades(): Promise<ReadonlyMap<string, GradeRecord> | undefined>;
  /** How often the judge errs, as it was measured on steered texts. */
  judgeError(): Promise<JudgeErrorFile | undefined>;
  /** What its controls came to beside it. */
  controls(): Promise<ControlsRecord | undefined>;
  /** The same study with nothing known of it. */
  afresh(): LoadedStudy;
  /** The same study where these files have changed. */
  without(changed: readonly string[]): LoadedStudy;
  /** The same study with these stages of an earlier state. */
  withStale(stale: Readonly<Record<string, string>>): LoadedStudy;
}

type Cache = Map<string, Promise<unknown>>;

function manifestOf(bytes: ArrayBuffer, path: string): StudyManifest {
  const value = parsedJson(textOfBytes(bytes, path), path) as { command?: unknown } | null;
  if (value?.command === 'study') return checkedRecord(studyManifestSchema, value, path);
  const { command, created, versions, ...run } = checkedRecord(manifestSchema, value, path);
  const stage = { ...run, finished: created, versions, outputs: {}, edited: [] };
  return { command: 'study', created, versions, stages: { [command]: stage }, writing: [] };
}

const byId = <T extends { id: string }>(records: readonly T[]) =>
  new Map(records.map((record) => [record.id, record]));

interface TrialLine {
  readonly value: unknown;
  readonly place: string;
}

/** What a line of steered.jsonl is sorted by; the rest of it is checked with its latent's trials. */
const trialHead = z.object({
  kind: z.string(),
  direction: z.string().nullish(),
  latent: z.number().nullable(),
});

interface TrialLines {
  /** those left alone under null, those along another direction left out */
  readonly byLatent: ReadonlyMap<number | null, readonly TrialLine[]>;
  readonly all: readonly TrialLine[];
}

/** Trials, checked only when they are asked for: they are most of a study. */
function trialLines(bytes: ArrayBuffer, path: string): TrialLines {
  const byLatent = new Map<number | null, TrialLine[]>();
  const all: TrialLine[] = [];
  for (const line of linesOf(bytes, path)) {
    const { kind, direction, latent } = checkedRecord(trialHead, line.value, line.place);
    if (kind !== 'trial') continue;
    all.push(line);
    if (direction !== null && latent === null) continue;
    const own = byLatent.get(latent) ?? [];
    own.push(line);
    byLatent.set(latent, own);
  }
  return { byLatent, all };
}

export function loadStudy(
  source: Source,
  cache: Cache = new Map(),
  stale: LoadedStudy['stale'] = source.stale ?? {},
): LoadedStudy {
  /** What failed is asked for again the next time. */
  function kept<T>(name: string, load: () => Promise<T>): Promise<T> {
    const before = cache.get(name);
    if (before) return before as Promise<T>;
    const loading = load();
    cache.set(name, loading);
    loading.catch(() => {
      if (cache.get(name) === loading) cache.delete(name);
    });
    return loading;
  }

  const files = () => kept('', () => source.files());

  async function bytesOf(path: string, latent?: number): Promise<ArrayBuffer | undefined> {
    try {
      const listed = (await files()).some((file) => file.path === path);
      return listed ? await source.read(path, latent) : undefined;
    } catch (error) {
      throw UnreadFile.notGiven(path, error as Error);
    }
  }

  /** The file decoded, or what of it is about a latent; what was decoded before is given again. */
  const once = <T>(
    path: string,
    decode: (bytes: ArrayBuffer, path: string) => T | Promise<T>,
    latent?: number,
  ) =>
    kept(latent === undefined ? path : `${path} ${latent}`, async () => {
      const bytes = await bytesOf(path, latent);
      try {
        return bytes && (await decode(bytes, path));
      } catch (error) {
        throw UnreadFile.damaged(path, error as Error, source.served);
      }
    });

  const yaml = () => once(resultFiles.study, textOfBytes);
  const steered = () => once(resultFiles.steered, trialLines);

  function checkedTrials(lines: readonly TrialLine[]): TrialRecord[] {
    try {
      return lines.map(({ value, place }) => checkedRecord(trialRecord, value, place));
    } catch (error) {
      throw UnreadFile.damaged(resultFiles.steered, error as Error, source.served);
    }
  }

  return {
    source,
    stale,
    files,
    manifest: () => once(resultFiles.manifest, manifestOf),
    yaml,
    said: () =>
      kept(`${resultFiles.study} said`, async () => {
        const text = await yaml();
        return text === undefined ? undefined : studySaidIn(text, resultFiles.study);
      }),
    check: () => once(resultFiles.check, (bytes, path) => jsonOf(checkSchema, bytes, path)),
    latents: () => once(resultFiles.latents, (bytes) => decodeLatents(bytes)),
    controls: () => once(resultFiles.controls, (bytes, path) => jsonOf(controlsSchema, bytes, path)),
    fidelity: () => once(resultFiles.fidelity, (bytes, path) => jsonOf(fidelitySchema, bytes, path)),
    checkpoints: () => once(resultFiles.checkpoints, (bytes, path) => jsonOf(checkpointsSchema, bytes, path)),
    trace: () => once(resultFiles.trace, (bytes, path) => jsonOf(traceSchema, bytes, path)),
    fix: () => once(resultFiles.fix, (bytes, path) => jsonOf(fixSchema, bytes, path)),
    async steering() {
      const [rows, summary] = await Promise.all([
        once(resultFiles.steering, (bytes) => decodeSteering(bytes)),
        once(resultFiles.steeringSummary, (bytes, path) => jsonOf(steeringSummarySchema, bytes, path)),
      ]);
      return rows && summary && { rows, summary };
    },
    async trials(latent) {
      const lines = await (source.narrows ? once(resultFiles.steered, trialLines, latent) : steered());
      if (!lines) return undefined;
      const of = (key: number | null) => checkedTrials(lines.byLatent.get(key) ?? []);
      return { along: of(latent), alone: of(null) };
    },
    async allTrials() {
      const lines = await steered();
      return lines && checkedTrials(lines.all);
    },
    page: (latent) => once(pageFile(latent), (bytes, path) => jsonOf(latentPageSchema, bytes, path)),
    async pageNumbers() {
      return new Set((await files()).flatMap(({ path }) => latentOfPage(path) ?? []));
    },
    pairs: () => once(resultFiles.pairs, (bytes, path) => recordsOf(pairRecord, bytes, path)),
    pairTokens: () =>
      once(
        resultFiles.pairTokens,
        (bytes, path) => new Map(recordsOf(pairTokens, bytes, path).map((record) => [record.pair, record])),
      ),
    completions: () =>
      once(resultFiles.completions, (bytes, path) => byId(recordsOf(completionRecord, bytes, path))),
    judgeError: () => once(resultFiles.judgeError, (bytes, path) => jsonOf(judgeErrorSchema, bytes, path)),
    grades: () => once(resultFiles.grades, (bytes, path) => byId(recordsOf(gradeRecord, bytes, path))),
    without(changed) {
      const gone = new Set(['', ...changed]);
      return loadStudy(source, new Map([...cache].filter(([name]) => !gone.has(name.split(' ')[0]!))), stale);
    },
    afresh: () => loadStudy(source, new Map(), stale),
    withStale: (now) => loadStudy(source, cache, now),
  };
}
