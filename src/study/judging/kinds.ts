/**
 * The kinds of judge that a study can name, in the order in which they are shown; the first is what
 * `culprit init` takes where nothing is said.
 */
import type { JudgeKind } from './judgeKind.ts';
import { chatKind } from './kinds/chat.ts';
import { classifierKind } from './kinds/classifier.ts';
import { exactKind } from './kinds/exact.ts';
import { localKind } from './kinds/local.ts';
import { patternKind } from './kinds/pattern.ts';

export const judgeKinds: readonly JudgeKind[] = [chatKind, localKind, classifierKind, patternKind, exactKind];
