/** A progress that remembers what was to be done, and how much of it was there. */
import type { Progress } from '../../src/study/open/progress.ts';

export function recordedStages() {
  const stages: [label: string, total: number, done: number][] = [];
  const progress: Progress = {
    stage(label, total, done = 0) {
      stages.push([label, total, done]);
      return { advance() {}, end() {} };
    },
    note() {},
  };
  return { stages, progress };
}
