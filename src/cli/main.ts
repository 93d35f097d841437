#!/usr/bin/env node
/**
 * The command `culprit` as a process: what signals and its reader's end do to it. Stopped by Ctrl-C its exit
 * code is 130 in a shell.
 */
import { runCulprit } from './program.ts';

/**
 * Ends by the signal itself, which a shell shows as 128 + its number: an orderly exit would abort in the
 * midst of ONNX Runtime. Exit listeners clear the progress bar and release locks.
 */
function stopAt(signal: 'SIGINT' | 'SIGTERM', line: string): void {
  process.once(signal, () => {
    process.emit('exit', 1);
    process.stderr.write(line);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const keptBy: ReadonlyMap<string | undefined, string> = new Map([
  ['baseline', 'nothing was written'],
  ['report', 'nothing was written'],
  ['view', 'the studies are as they were'],
  ['steer', 'the same command continues a causal test; single texts were not written'],
  // A judge that is trained goes on from there; verdicts are not kept.
  ['judge', 'nothing was measured, and the grades so far are lost'],
]);
const kept =
  keptBy.get(process.argv[2]) ?? 'what is finished is kept, and the same command continues from there';
// A terminal has shown ^C on the line.
stopAt('SIGINT', `${process.stderr.isTTY ? '\n' : ''}culprit: stopped; ${kept}\n`);
stopAt('SIGTERM', '');
// Where this is heard, a limit on the size of files is an error of the write, and told in a line.
process.on('SIGXFSZ', () => {});
// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const code = await runCulprit(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
