import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take a minute or more. One that starts last has the other worker wait for it. */
const long = [
  'study/demo/demo',
  'study/run/everyStageKill',
  'golden/attribution',
  'study/steering/stage',
  'web/servedDemo',
  'cli/causalTest',
  'cli/wrongInput',
  'organism/recipe',
  'study/interpretation/explainRun',
  'judges/chatServer',
  'cli/demo',
  'cli/steer',
].map((name) => `test/${name}.test.ts`);
for (const name of long) if (!existsSync(name)) throw new Error(`vitest.config.ts: ${name} is not there`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = long.indexOf(relative(this.ctx.config.root, moduleId));
      return at < 0 ? long.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  // the examples of docs/library.md import the package by its name, as others do
  resolve: { alias: { culprit: new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // two files side by side: with a thread each for their products they do not wait for one another
    env: { CULPRIT_THREADS: '1' },
  },
});
