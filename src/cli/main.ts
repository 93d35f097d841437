#!/usr/bin/env node
/**
 * The command `culprit`. Exit codes: 0 done, 1 a bug of ours, 2 something given was wrong, 3 a judge's or
 * an explainer's budget is spent, 130 (in a shell) stopped by Ctrl-C.
 */
import { Command, CommanderError } from 'commander';
import { InputError } from '../errors.ts';
import { openStudyJudge } from '../study/run/studyJudge.ts';
import { versions } from '../study/store/runRecord.ts';
import { attributeCommand } from './attribute.ts';
import { baselineCommand } from './baseline.ts';
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

const program = new Command('culprit');
program
  .description('Find the latents behind a misaligned completion, and test each causally.')
  .version(versions.culprit!, '-V, --version', 'show the version')
  .helpOption('-h, --help', 'show this text')
  .helpCommand('help [command]', 'show the help of a command')
  .addCommand(demoCommand())
  .commandsGroup('A study, from prompts to latents:')
  .addCommand(initCommand())
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

/**
 * commander's own exits become exceptions without output, so that wrong usage is told in one line and ends
 * with 2.
 */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(throwInsteadOfExit);
}

/** What commander says of wrong usage, as the one line that we say. */
function usageLine({ message }: CommanderError): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  let command: Command = program;
  const names = [command.name()];
  for (const word of process.argv.slice(2)) {
    const inner = command.commands.find((c) => c.name() === word);
    if (!inner) break;
    names.push(word);
    command = inner;
  }
  return `${line}; see \`${names.join(' ')} --help\``;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  // A command without its subcommand has shown its help.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2;
  if (error instanceof CommanderError || error instanceof InputError) {
    const line = error instanceof InputError ? error.message : usageLine(error);
    process.stderr.write(`culprit: ${line}\n`);
    return 2;
  }
  process.stderr.write(`culprit: unexpected error, please report it\n${(error as Error).stack ?? error}\n`);
  return 1;
}

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
  ['judge', 'nothing was compared, and the grades so far are lost'],
]);
const kept =
  keptBy.get(process.argv[2]) ?? 'what is finished is kept, and the same command continues from there';
// A terminal has shown ^C on the line.
stopAt('SIGINT', `${process.stderr.isTTY ? '\n' : ''}culprit: stopped; ${kept}\n`);
stopAt('SIGTERM', '');
// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

throwInsteadOfExit(program);
try {
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, '--help']);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
