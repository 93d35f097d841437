/**
 * The metadata keys that all GGUF files share, as gguf-py 0.19 names them; those of one architecture are in the
 * family's own table. Of an architecture's keys each that is not known is suspect: llama.cpp reads them all.
 */
import type { KeyTable } from './keys.ts';

export const ggufKeys: KeyTable = {
  applied: ['general.architecture', 'general.alignment'],
  refused: {
    'general.type': { means: 'a file of something else than a model', unless: ['model'] },
    'split.count': { means: 'one part of a model in several files', unless: [0, 1] },
    'adapter.*': { means: 'an adapter' },
    'controlvector.*': { means: 'a control vector' },
    'clip.*': { means: 'an encoder of pictures or sound' },
  },
  // The tokenizer's keys are read by the tokenizer.
  withoutEffect: ['general.*', 'tokenizer.*', 'split.no', 'split.tensors.count', 'quantize.*', 'imatrix.*'],
};
