/**
 * Where a study's files come from: a server, or the page itself when it is a report. Knows no file's
 * format.
 */

import type { ServedFile, StudyProgress } from '../results.ts';

export type ListedFile = Pick<ServedFile, 'path' | 'size'>;

export type SourceEvent =
  | { readonly kind: 'files'; readonly changed: readonly string[] }
  | { readonly kind: 'status'; readonly status: StudyProgress }
  /** whether the server answers */
  | { readonly kind: 'lost' | 'found' };

export interface Source {
  readonly id: string;
  readonly name: string;
  readonly served: boolean;
  /** what a server asks for before it runs a model */
  readonly token?: string | undefined;
  /** what was left out of a report's files, in words, by path */
  readonly trimmed: Readonly<Record<string, string>>;
  /** a report's stages of an earlier state of the study, and why; a server tells them as events */
  readonly stale?: Readonly<Record<string, string>>;
  files(): Promise<readonly ListedFile[]>;
  /**
   * A file's bytes; undefined where there is none of that name. `latent`: of steered.jsonl, lines of other directions
   * may be left blank.
   */
  read(path: string, latent?: number): Promise<ArrayBuffer | undefined>;
  /** whether it leaves them blank */
  readonly narrows?: boolean;
  /** Reports changes until what it returns is called; absent where nothing changes. */
  onChange?(listener: (event: SourceEvent) => void): () => void;
}
