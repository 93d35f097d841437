/** All commands as one program, and how they end: `exitCodes`. */
import { Command, CommanderError } from 'commander';
import { InputError, NothingToWorkOn } from '../errors.ts';
import { explained } from '../files/bytes.ts';
import { openStudyJudge } from '../study/run/studyJudge.ts';
import { versions } from '../study/store/runRecord.ts';
import { attributeCommand } from './attribute.ts';
import { baselineCommand } from './baseline.ts';
import { checkCommand } from './check.ts';
import { compareCommand } from './compare.ts';
import { completionCommand } from './completion.ts';
import { demoCommand } from './demo.ts';
import { exportCommand } from './export.ts';
import { fetchCommand } from './fetch.ts';
import { gradeCommand } from './grade.ts';
import { withGrammar } from './grammar.ts';
import { importCommand } from './import.ts';
import { initCommand } from './init.ts';
import { interpretCommand } from './interpret.ts';
import { judgeCommand } from './judge.ts';
import { monitorCommand } from './monitor.ts';
import { exitCodes } from './options.ts';
import { powerCommand } from './power.ts';
import { reportCommand } from './report.ts';
import { saeCommand } from './sae.ts';
import { namingInput } from './standardInput.ts';
import { steerCommand } from './steer.ts';
import { runCommand, stageCommands, statusCommand } from './study.ts';
import { traceCommand } from './trace.ts';
import { viewCommand } from './view.ts';

/** All commands, with what they have in common. */
export function culpritProgram(): Command {
  const program = new Command('culprit');
  program
    .description('Find the latents behind a misaligned completion, and test each causally.')
    .version(versions.culprit!, '-V, --version', 'show the version')
    .helpCommand('help [command...]', 'show the help of a command')
    .addCommand(demoCommand())
    .commandsGroup('A study, from prompts to latents:')
    .addCommand(initCommand())
    .addCommand(checkCommand())
    .addCommand(powerCommand())
    .addCommand(runCommand())
    .addCommand(statusCommand());
  for (const command of stageCommands([gradeCommand()])) program.addCommand(command);
  program
    .addCommand(attributeCommand())
    .addCommand(interpretCommand())
    .addCommand(reportCommand())
    .addCommand(viewCommand())
    .addCommand(exportCommand())
    .addCommand(monitorCommand())
    .addCommand(compareCommand())
    .addCommand(traceCommand())
    .addCommand(importCommand())
    .addCommand(judgeCommand(openStudyJudge))
    .commandsGroup('Parts of it:')
    .addCommand(steerCommand())
    .addCommand(baselineCommand())
    .addCommand(saeCommand())
    .addCommand(fetchCommand())
    .addCommand(completionCommand(() => program))
    .addHelpText('after', '\n`culprit COMMAND --help` explains a command, with an example.');
  return withGrammar(program);
}

/** What commander says of wrong usage, as the one line that we say. */
function usageLine({ message }: CommanderError, program: Command, args: readonly string[]): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  let command: Command = program;
  const names = [command.name()];
  for (const word of args) {
    const inner = command.commands.find((c) => c.name() === word);
    if (!inner) break;
    names.push(word);
    command = inner;
  }
  return `${line}; see \`${names.join(' ')} --help\``;
}

/** What a disk says that takes no more; it may say so wherever something is written. */
const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** The error of a full or failing disk as one that the user can mend; undefined for any other. */
function fullDisk(error: unknown): InputError | undefined {
  if (error instanceof InputError || !(error instanceof Error)) return undefined;
  const { code = '', path = 'the disk' } = error as NodeJS.ErrnoException;
  const told = diskCodes.has(code) ? explained(error, path) : undefined;
  return told instanceof InputError ? told : undefined;
}

function exitCodeOf(error: unknown, program: Command, args: readonly string[]): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  // A command without its subcommand has shown its help.
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.input;
  const told = fullDisk(error);
  if (told !== undefined) return exitCodeOf(told, program, args);
  if (error instanceof CommanderError || error instanceof InputError) {
    const line = error instanceof InputError ? error.message : usageLine(error, program, args);
    process.stderr.write(`culprit: ${namingInput(line)}\n`);
    return error instanceof NothingToWorkOn ? exitCodes.nothing : exitCodes.input;
  }
  process.stderr.write(`culprit: unexpected error, please report it\n${(error as Error).stack ?? error}\n`);
  return exitCodes.bug;
}

/** `help sae train` as `sae train --help`. Throws InputError for a command that there is not. */
function helpArguments(program: Command, names: readonly string[]): string[] {
  let command: Command = program;
  for (const name of names) {
    const inner = command.commands.find((one) => one.name() === name);
    if (!inner) throw new InputError(`help: there is no command ${names.join(' ')}; see \`culprit --help\``);
    command = inner;
  }
  return [...names, '--help'];
}

/** Runs `culprit ARGS` to its end; tells what went wrong on standard error. Gives the exit code. */
export async function runCulprit(args: readonly string[]): Promise<number> {
  const program = culpritProgram();
  try {
    const [first, ...names] = args;
    const asked = first === 'help' ? helpArguments(program, names) : args;
    await program.parseAsync(asked.length > 0 ? asked : ['--help'], { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error, program, args);
  }
}
