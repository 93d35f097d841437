/** `culprit view`: studies in a browser, while they run and after. */
import { Command, InvalidArgumentError } from 'commander';
import { type MachineFlags, machineOf, wholeNumber, withMachineOptions } from './options.ts';
import { pc } from './table.ts';

interface Options extends MachineFlags {
  port?: number;
  open?: boolean;
}

function portNumber(text: string): number {
  const port = wholeNumber(1)(text);
  if (port > 65535) throw new InvalidArgumentError('Expected a port, 1 to 65535.');
  return port;
}

/** Serves studies until the process is stopped, and says where. */
export async function serveStudies(studies: readonly string[], options: Options): Promise<void> {
  const { startView } = await import('../study/view/viewServer.ts');
  const { url } = await startView({
    studies,
    port: options.port,
    ...machineOf(options),
    onBug: (error) => {
      process.stderr.write(
        `culprit: unexpected error, please report it\n${error instanceof Error ? error.stack : error}\n`,
      );
    },
  });
  process.stdout.write(`\n${pc.bold(url)}\n${pc.dim('Stop it with Ctrl-C.')}\n`);
  if (options.open) await (await import('open')).default(url);
}

const about = `
The address contains a token. Without it the page shows everything but cannot
steer. The server listens on this machine only. The page follows a run of the
study in another process.

Example:
  culprit view my-study --open`;

export function viewCommand(): Command {
  const command = new Command('view')
    .summary('look at a study in the browser')
    .description('Show studies in the browser, follow them while they run, and steer their models.')
    .argument('<study>', 'a study, or a folder of `culprit attribute --out`')
    .argument('[others...]', 'more studies, to compare')
    .option('--port <number>', 'listen on this port (default: any free port)', portNumber)
    .option('--open', 'open the browser');
  return withMachineOptions(command)
    .addHelpText('after', about)
    .action((study: string, others: string[], options: Options) => serveStudies([study, ...others], options));
}
