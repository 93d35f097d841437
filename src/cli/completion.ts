/** `culprit completion`: a script with which a shell completes commands, flags and their values. */
import { Argument, Command, type Option } from 'commander';
import { pathOf } from './grammar.ts';

/** A command as a shell needs it. */
interface Level {
  /** `culprit sae train` */
  readonly path: string;
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
}

const shown = (command: Command) => command.createHelp().visibleOptions(command);

/** The program and all commands below it. */
function levels(program: Command): Level[] {
  const common = shown(program);
  const below = (command: Command): Level[] => [
    {
      path: pathOf(command),
      commands: command.commands,
      options:
        command === program ? common : [...shown(command), ...common.filter(({ long }) => long !== '--help')],
    },
    ...command.commands.flatMap(below),
  ];
  return below(program);
}

const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const flagsOf = ({ short, long }: Option) => [short, long].filter((flag) => flag !== undefined);
const wordsOf = ({ commands, options }: Level) => [
  ...commands.map((command) => command.name()),
  ...options.flatMap(flagsOf),
];

/** Flags that take one of some words, with the command that they are of. */
const choicesOf = (all: readonly Level[]) =>
  all.flatMap(({ path, options }) =>
    options.flatMap((option) =>
      option.argChoices ? [{ at: `${path} ${option.long}`, words: option.argChoices }] : [],
    ),
  );

/** `'culprit run'|'culprit sae'`: what a word after a command can make of it. */
const pathsOf = (all: readonly Level[]) =>
  all
    .slice(1)
    .map(({ path }) => single(path))
    .join('|');

/** What bash and zsh have in common: which command the line is at, and the words that can follow. */
const cases = (all: readonly Level[], offer: (words: readonly string[]) => string) => `  case "$at $prev" in
${choicesOf(all)
  .map(({ at, words }) => `    ${single(at)}) ${offer(words)}; return ;;`)
  .join('\n')}
  esac
  case "$at" in
${all
  .map((level) => {
    const always = level.commands.length > 0 ? '*' : '-*';
    return `    ${single(level.path)}) [[ $cur == ${always} ]] && { ${offer(wordsOf(level))}; return; } ;;`;
  })
  .join('\n')}
  esac`;

const bash = (all: readonly Level[]) => `# culprit completion bash
_culprit() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at=culprit word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${pathsOf(all)}) at="$at $word" ;;
    esac
  done
${cases(all, (words) => `COMPREPLY=($(compgen -W ${single(words.join(' '))} -- "$cur"))`)}
}
complete -o default -F _culprit culprit
`;

const zsh = (all: readonly Level[]) => `#compdef culprit
_culprit() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}" at=culprit word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${pathsOf(all)}) at="$at $word" ;;
    esac
  done
${cases(all, (words) => `compadd -- ${words.map(single).join(' ')}`)}
  _files
}
if [[ "\${funcstack[1]}" == _culprit ]]; then _culprit "$@"; else compdef _culprit culprit; fi
`;

/** The entries of one command for fish. */
function fishLines({ path, commands, options }: Level): string[] {
  const at = `complete -c culprit -n ${single(`__culprit_at ${single(path)}`)}`;
  return [
    ...commands.map(
      (command) =>
        `${at} -f -a ${single(command.name())} -d ${single(command.summary() || command.description())}`,
    ),
    ...options.map((option) =>
      [
        at,
        ...(option.short ? [`-s ${option.short.slice(1)}`] : []),
        `-l ${option.long!.slice(2)}`,
        ...(option.argChoices
          ? [`-x -a ${single(option.argChoices.join(' '))}`]
          : option.required
            ? ['-r']
            : []),
        `-d ${single(option.description)}`,
      ].join(' '),
    ),
  ];
}

const fish = (all: readonly Level[]) => `# culprit completion fish
function __culprit_at
  set -l at culprit
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${all
        .slice(1)
        .map(({ path }) => single(path))
        .join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv"
end
${all.flatMap(fishLines).join('\n')}
`;

const scripts = { bash, zsh, fish } as const;
type Shell = keyof typeof scripts;

const about = `
Load it at the start of the shell:
  bash  in ~/.bashrc: source <(culprit completion bash)
  zsh   in ~/.zshrc, after compinit: source <(culprit completion zsh)
  fish  culprit completion fish > ~/.config/fish/completions/culprit.fish`;

/** `program` gives the commands, once they are all there. */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .summary('print a script with which a shell completes commands')
    .description('Print a script with which a shell completes commands, flags and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', about)
    .action((shell: Shell) => void process.stdout.write(scripts[shell](levels(program()))));
}
