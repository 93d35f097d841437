/** What a file of tensors gives, whatever its type. Knows none. */
import type { StoredView, Tensor } from '../tensor.ts';

export interface TensorFile {
  /** Where each tensor lies, by name. */
  readonly tensors: ReadonlyMap<string, StoredView>;
  /** What a checkpoint holds beside tensors. */
  readonly values: ReadonlyMap<string, string | number | bigint | boolean | null>;
  /** Reads a tensor, or a part of one. Throws InputError where the file has become shorter. */
  read(view: StoredView): Promise<Tensor>;
}
