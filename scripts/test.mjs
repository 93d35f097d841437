/**
 * Runs the test suite and ends with the one line that says how it went: `N passed, N failed[, N skipped]`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'culprit-test-'));
const report = join(folder, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);

let counts = {
  numPassedTests: 0,
  numFailedTests: 1,
  numPendingTests: 0,
  numTodoTests: 0,
  numFailedTestSuites: 1,
  success: false,
};
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch (error) {
  process.stderr.write(`no report was written: ${error}\n`);
}
rmSync(folder, { recursive: true, force: true });
const failed = counts.numFailedTests || (counts.success && status === 0 ? 0 : 1);
const skipped = counts.numPendingTests + counts.numTodoTests;
process.stdout.write(
  `\n${counts.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
);
process.exit(status || (failed ? 1 : 0));
