/**
 * What a published SAE format is: two file names, and a reader of their parsed contents. One file a format beside this one.
 */
import type { Sae } from '../sae.ts';
import type { Weights } from '../weights.ts';

/** The contents of one SAE's folder: its parsed configuration and its weights. */
export interface SaeFiles extends Weights {
  readonly config: unknown;
}

export interface SaeFormat {
  readonly name: string;
  /** Name of the JSON file that describes the SAE. */
  readonly configFile: string;
  /** Name of the file that holds the weights. */
  readonly weightsFile: string;
  /** Checks configuration and tensor shapes; throws InputError where they are not of this format. Weights are read later. */
  open(files: SaeFiles): Promise<Sae>;
}
