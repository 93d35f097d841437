/** What a published SAE format is. One file per format beside this one, one line per format in formats.ts. */
import type { Sae } from '../sae.ts';
import type { StoredWeights } from '../weights.ts';

/** What a checkpoint holds beside tensors, by name. */
export type PlainValues = ReadonlyMap<string, string | number | bigint | boolean | null>;

/** What the user says of a dictionary whose files do not say it. */
export interface SaeSaid {
  readonly kind?: string | undefined;
  readonly k?: number | undefined;
  readonly threshold?: number | undefined;
  readonly subtractBias?: boolean | undefined;
}

/**
 * What lies in one SAE's folder, read as it is asked for. Reads throw InputError, naming the file, where they
 * cannot.
 */
export interface SaeFolder {
  /** the path that was given, for messages */
  readonly where: string;
  /** its absolute path, for formats that say the site, the model or k in it */
  readonly path: string;
  /** names of the files that lie in it, those of folders within it left out */
  readonly names: readonly string[];
  /** The value of a JSON file. */
  json(name: string): Promise<unknown>;
  /** The tensors of a .safetensors, .pt, .pth or .npz file; their values are still to be read. */
  tensors(name: string): Promise<StoredWeights & { readonly values: PlainValues }>;
  /** Bytes `from` ≤ i < `to` of a file; by default all of it. */
  bytes(name: string, from?: number, to?: number): Promise<Uint8Array>;
}

export interface SaeFormat {
  readonly name: string;
  /** Whether its files leave open what SaeSaid says; default no. */
  readonly asks?: true;
  /** What its folders hold, for messages: 'cfg.json and sae_weights.safetensors'. */
  readonly expects: string;
  /**
   * Whether a folder with files of these names is one of its own. A format of a single file, whose name says
   * little, looks into it.
   */
  owns(names: readonly string[], folder: SaeFolder): boolean | Promise<boolean>;
  /**
   * Checks settings and shapes; throws InputError where they are not of this format, or where they leave open
   * what `said` does not say. Weights are read later.
   */
  open(folder: SaeFolder, said?: SaeSaid): Promise<Sae>;
}
