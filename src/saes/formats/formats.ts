/**
 * Every SAE format. The first that owns a folder opens it: those that the names of files tell apart, then those
 * of a single file, by the names of its tensors.
 */
import { dictionaryLearning } from './dictionaryLearning.ts';
import type { SaeFormat } from './format.ts';
import { gemmaScope } from './gemmaScope.ts';
import { gemmaScope2 } from './gemmaScope2.ts';
import { goodfire } from './goodfire.ts';
import { llamaScope } from './llamaScope.ts';
import { openai } from './openai.ts';
import { plain } from './plain.ts';
import { qwenScope } from './qwenScope.ts';
import { saelens } from './saelens.ts';
import { sparsify } from './sparsify.ts';

export const saeFormats: readonly SaeFormat[] = [
  saelens,
  sparsify,
  dictionaryLearning,
  gemmaScope,
  gemmaScope2,
  llamaScope,
  qwenScope,
  goodfire,
  openai,
  plain,
];
