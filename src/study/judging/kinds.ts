/**
 * The kinds of judge that a study can name, in the order in which they are shown; the first is what
 * `culprit init` takes where nothing is said.
 */
import type { JudgeConfig } from '../config/schema.ts';
import type { JudgeKind } from './judgeKind.ts';
import { chatKind } from './kinds/chat.ts';
import { classifierKind } from './kinds/classifier.ts';
import { exactKind } from './kinds/exact.ts';
import { localKind } from './kinds/local.ts';
import { patternKind } from './kinds/pattern.ts';

const kinds: JudgeKind[] = [chatKind, localKind, classifierKind, patternKind, exactKind];

export const judgeKinds: readonly JudgeKind[] = kinds;

/**
 * Adds a kind of judge to this process: the section `judge` of study.yaml takes it from then on. Throws
 * RangeError where its name is taken by another.
 */
export function addJudgeKind<C extends JudgeConfig>(kind: JudgeKind<C>): void {
  const added = kind as unknown as JudgeKind;
  const found = kinds.find((one) => one.kind === kind.kind);
  if (found === added) return;
  if (found) throw new RangeError(`judge ${kind.kind}: expected a name of its own, found one that is taken`);
  kinds.push(added);
}
