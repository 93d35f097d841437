import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take half a minute or more. One that starts last has the other worker wait for it; the two that
 * look at the demonstration come when the first has run it.
 */
const long = [
  'study/demo/demo',
  'study/run/everyStageKill',
  'golden/attribution',
  'study/steering/stage',
  'study/run/studyKill',
  'golden/exact',
  'methods/steering/errorRates',
  'study/steering/stageKill',
  'web/servedStudy',
  'study/steering/stageJudge',
  'web/servedDemo',
  'web/browser',
  'cli/causalTest',
  'organism/recipe',
  'study/interpretation/explainRun',
  'golden/steering',
  'judges/chatServer',
  'study/run/studyRun',
  'cli/demo',
].map((name) => `test/${name}.test.ts`);
for (const name of long) if (!existsSync(name)) throw new Error(`vitest.config.ts: ${name} is not there`);

/**
 * Folders whose tests leave their process as it was, and speak to no judge and no app: their files run in one process one
 * after another, so that what they import is loaded and compiled once. The others have a process of their own.
 */
const together = [
  'files',
  'graph',
  'methods',
  'models',
  'results',
  'saes',
  'study/attribution',
  'study/checking',
  'study/completions',
  'study/config',
  'study/open',
  'study/report',
  'study/sae',
].map((name) => `test/${name}/**/*.test.ts`);

/** Those of a process of their own, then the others, which follow one another in theirs; of each the long ones first. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = long.indexOf(relative(this.ctx.config.root, moduleId));
      return [Number(!project.config.isolate), at < 0 ? long.length : at] as const;
    };
    return (await super.sort(files)).sort((a, b) => {
      const [[togetherA, placeA], [togetherB, placeB]] = [place(a), place(b)];
      return togetherA - togetherB || placeA - placeB;
    });
  }
}

export default defineConfig({
  // the examples of docs/library.md import the package by its name, as others do
  resolve: { alias: { culprit: new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    // more room for what lives a moment: a tenth less time goes into clearing it away
    execArgv: ['--max-semi-space-size=32'],
    sequence: { sequencer: LongestFirst },
    // two files side by side: with a thread each for their products they do not wait for one another
    env: { CULPRIT_THREADS: '1' },
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: together } },
      { extends: true, test: { name: 'together', include: together, isolate: false } },
    ],
  },
});
