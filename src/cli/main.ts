#!/usr/bin/env node
/** The command `culprit`. Exit codes: 0 done, 1 a bug of ours, 2 something given was wrong, 130 stopped by Ctrl-C. */
import { Command, CommanderError } from 'commander';
import { InputError } from '../errors.ts';
import { versions } from '../study/manifest.ts';
import { attributeCommand } from './attribute.ts';
import { baselineCommand } from './baseline.ts';

const program = new Command('culprit')
  .description('Find the latents behind a misaligned completion, and prove it.')
  .version(versions.culprit!)
  .showHelpAfterError('(add --help for the options)')
  .addCommand(attributeCommand())
  .addCommand(baselineCommand());

/** commander's own exits become exceptions, so that wrong usage ends with 2. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExit);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InputError) {
    process.stderr.write(`culprit: ${error.message}\n`);
    return 2;
  }
  process.stderr.write(`culprit: unexpected error, please report it\n${(error as Error).stack ?? error}\n`);
  return 1;
}

process.on('SIGINT', () => {
  process.stderr.write(
    '\nculprit: stopped; finished work is kept, and the same command goes on from there\n',
  );
  process.exit(130);
});

throwInsteadOfExit(program);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
