/** Where a study's files come from: a server, or the page itself when it is a report. Knows no file's format. */

export interface SourceFile {
  /** within the study's folder */
  readonly path: string;
  readonly size: number;
}

export interface StageProgress {
  readonly name: string;
  readonly state: 'finished' | 'running' | 'waiting' | 'stale';
  readonly done: number;
  readonly units: number;
  readonly seconds_left?: number | null | undefined;
}

export interface StudyProgress {
  readonly stages: readonly StageProgress[];
  readonly running: boolean;
  /** why its progress cannot be told, in one line */
  readonly problem?: string | undefined;
}

export type SourceEvent =
  | { readonly kind: 'files'; readonly changed: readonly string[] }
  | { readonly kind: 'status'; readonly status: StudyProgress };

export interface Source {
  readonly id: string;
  readonly name: string;
  readonly served: boolean;
  /** what a server asks for before it runs a model */
  readonly token?: string | undefined;
  /** what was left out of a report's files, in words, by path */
  readonly trimmed: Readonly<Record<string, string>>;
  files(): Promise<readonly SourceFile[]>;
  /** A file's bytes; undefined where there is none of that name. */
  read(path: string): Promise<ArrayBuffer | undefined>;
  /** Tells of changes until what it returns is called; absent where nothing changes. */
  onChange?(listener: (event: SourceEvent) => void): () => void;
}
