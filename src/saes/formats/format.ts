/** What a published SAE format is. One file per format beside this one, one line per format in formats.ts. */
import type { Sae } from '../sae.ts';
import type { StoredWeights } from '../weights.ts';

/**
 * What lies in one SAE's folder, read as it is asked for. Reads throw InputError, naming the file, where they
 * cannot.
 */
export interface SaeFolder {
  /** its path, for messages; also for formats that say the site in it */
  readonly where: string;
  /** names of the files that lie in it, those of folders within it left out */
  readonly names: readonly string[];
  /** The value of a JSON file. */
  json(name: string): Promise<unknown>;
  /** The tensors of a safetensors file; their values are still to be read. */
  tensors(name: string): Promise<StoredWeights>;
  /** Bytes `from` ≤ i < `to` of a file; by default all of it. */
  bytes(name: string, from?: number, to?: number): Promise<Uint8Array>;
}

export interface SaeFormat {
  readonly name: string;
  /** What its folders hold, for messages: 'cfg.json and sae_weights.safetensors'. */
  readonly expects: string;
  /** Whether a folder with files of these names is one of its own. */
  owns(names: readonly string[]): boolean;
  /**
   * Checks settings and shapes; throws InputError where they are not of this format. Weights are read later.
   */
  open(folder: SaeFolder): Promise<Sae>;
}
