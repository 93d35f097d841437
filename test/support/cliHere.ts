/**
 * The command line in this process, where it is what a command says that is tested and not its process: a
 * process of its own takes a second to start. One command at a time.
 */
import { vi } from 'vitest';
import { runCulprit } from '../../src/cli/program.ts';
import type { Ended } from './cli.ts';

/** Runs `culprit ARGS` to its end. */
export async function culpritHere(args: readonly string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const code = await runCulprit(args);
    return { code: code || Number(process.exitCode ?? 0), signal: null, ...said };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
