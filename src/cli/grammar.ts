/**
 * What all commands have in common, put on them in one place: the flags that each takes, help that fits the
 * terminal, and one line for all that is missing.
 */
import type { Command } from 'commander';
import { InputError } from '../errors.ts';
import { quieten } from './progress.ts';
import { forgetInput, takeInput } from './standardInput.ts';
import { colour } from './table.ts';
import { fitted, terminalColumns } from './wrap.ts';

/** What a command needs and was not given, as one would type it. */
function missingOf(command: Command): string[] {
  const places = command.registeredArguments
    .filter((one, i) => one.required && command.args[i] === undefined)
    .map((one) => `<${one.name()}>`);
  const options = command.options
    .filter((one) => needed.get(command)?.has(one.long!))
    .filter((one) => command.getOptionValue(one.attributeName()) === undefined)
    .map(({ flags }) => flags);
  return [...places, ...options];
}

/** Options that a command cannot do without, by their long flags. */
const needed = new WeakMap<Command, ReadonlySet<string>>();

function checkAllThere(command: Command): void {
  const missing = missingOf(command);
  if (missing.length > 0) throw new InputError(missingLine(pathOf(command), missing));
}

/** `culprit sae train` of the command `train`. */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

/** All that is missing, in one line. */
export const missingLine = (path: string, missing: readonly string[]): string =>
  `${path.replace(/^culprit /, '')}: expected ${missing.join(', ')}, found none; see \`${path} --help\``;

/**
 * Puts the grammar on a command and all below it. commander's own exits become exceptions without output, so that
 * wrong usage is told in one line.
 */
function commonTo(command: Command): void {
  command
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => void process.stdout.write(fitted(text)),
      getOutHelpWidth: terminalColumns,
    })
    .configureHelp({ showGlobalOptions: true })
    .helpOption('-h, --help', 'show this text');
  const mandatory = command.options.filter((one) => one.mandatory);
  needed.set(command, new Set(mandatory.map(({ long }) => long!)));
  // commander would tell the first only
  for (const option of mandatory) option.mandatory = false;
  // as commander calls it, before it has looked at the options
  Object.assign(command, { missingArgument: () => checkAllThere(command) });
  command.commands.forEach(commonTo);
}

/** The flags of every command, and what they do. */
export function withGrammar(program: Command): Command {
  program
    .option('--quiet', 'tell no progress: only the result, and what is wrong')
    .option('--no-color', 'no colours, whatever the terminal')
    .hook('preAction', async (_, command) => {
      const { quiet = false, color } = program.opts<{ quiet?: boolean; color: boolean }>();
      quieten(quiet);
      colour(color);
      checkAllThere(command);
      await takeInput(command, pathOf(command));
    })
    .hook('postAction', forgetInput);
  commonTo(program);
  return program;
}
