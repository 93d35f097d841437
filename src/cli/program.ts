/**
 * All commands as one program. Exit codes: 0 done, 1 a bug of ours, 2 something given was wrong, 3 a judge's
 * or an explainer's budget is spent.
 */
import { Command, CommanderError } from 'commander';
import { InputError } from '../errors.ts';
import { openStudyJudge } from '../study/run/studyJudge.ts';
import { versions } from '../study/store/runRecord.ts';
import { attributeCommand } from './attribute.ts';
import { baselineCommand } from './baseline.ts';
import { checkCommand } from './check.ts';
import { demoCommand } from './demo.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { initCommand } from './init.ts';
import { interpretCommand } from './interpret.ts';
import { judgeCommand } from './judge.ts';
import { powerCommand } from './power.ts';
import { reportCommand } from './report.ts';
import { saeCommand } from './sae.ts';
import { steerCommand } from './steer.ts';
import { runCommand, stageCommands, statusCommand } from './study.ts';
import { viewCommand } from './view.ts';

/**
 * commander's own exits become exceptions without output, so that wrong usage is told in one line and ends
 * with 2.
 */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(throwInsteadOfExit);
}

function culpritProgram(): Command {
  const program = new Command('culprit');
  program
    .description('Find the latents behind a misaligned completion, and test each causally.')
    .version(versions.culprit!, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this text')
    .helpCommand('help [command...]', 'show the help of a command')
    .addCommand(demoCommand())
    .commandsGroup('A study, from prompts to latents:')
    .addCommand(initCommand())
    .addCommand(checkCommand())
    .addCommand(powerCommand())
    .addCommand(runCommand())
    .addCommand(statusCommand());
  for (const command of stageCommands()) program.addCommand(command);
  program
    .addCommand(attributeCommand())
    .addCommand(interpretCommand())
    .addCommand(reportCommand())
    .addCommand(viewCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(judgeCommand(openStudyJudge))
    .commandsGroup('Parts of it:')
    .addCommand(steerCommand())
    .addCommand(baselineCommand())
    .addCommand(saeCommand())
    .addHelpText('after', '\n`culprit COMMAND --help` explains a command, with an example.');
  throwInsteadOfExit(program);
  return program;
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

function exitCodeOf(error: unknown, program: Command, args: readonly string[]): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  // A command without its subcommand has shown its help.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2;
  if (error instanceof CommanderError || error instanceof InputError) {
    const line = error instanceof InputError ? error.message : usageLine(error, program, args);
    process.stderr.write(`culprit: ${line}\n`);
    return 2;
  }
  process.stderr.write(`culprit: unexpected error, please report it\n${(error as Error).stack ?? error}\n`);
  return 1;
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
