/** `culprit fetch`: what a study takes from the Hugging Face hub, or what is named, downloaded ahead. */
import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { type HubWant, hubFetch, type PlannedDownload } from '../files/hub/fetch.ts';
import { isHub } from '../files/hub/reference.ts';
import type { HubUse } from '../files/hub/selection.ts';
import { hubParts } from '../study/open/hubParts.ts';
import { readStudy } from '../study/run/ownStudy.ts';
import { downloadAll, planLine } from './download.ts';
import { jsonFlag, printDocument } from './json.ts';
import { progressOn } from './progress.ts';

interface Options {
  as?: HubUse;
  dryRun?: boolean;
  json?: boolean;
}

const uses: readonly HubUse[] = ['model', 'adapter', 'dictionary', 'file'];

const about = `
WHAT is a study, or hf:ORG/NAME[@REVISION][/PATH] of the hub: a model, an adapter,
a dictionary; hf:datasets/ORG/NAME/FILE: prompts, completions, texts. Only the
files that are needed come: of a model its safetensors, else its one GGUF file,
with config and tokenizer. They lie in the folder that Hugging Face's tools use.
A download that was cut goes on where it stopped; hashes are checked.

Environment: HF_TOKEN for what is private or gated; HF_HOME, HF_HUB_CACHE: where
the folder is; HF_ENDPOINT: another hub; HF_HUB_OFFLINE=1: download nothing.

Example:
  culprit fetch my-study
  culprit fetch hf:Qwen/Qwen2.5-0.5B-Instruct --dry-run`;

async function wantsOf(what: readonly string[], use: HubUse | undefined): Promise<HubWant[]> {
  const wants: HubWant[] = [];
  for (const given of what)
    if (isHub(given)) wants.push({ given, use });
    else wants.push(...hubParts((await readStudy(given)).config));
  return wants;
}

const partOf = ({ reference, use, commit, size, here, files }: PlannedDownload) => ({
  name: reference.given,
  use,
  commit,
  bytes: size,
  bytes_here: here,
  files: files.map(({ path, size: bytes }) => ({ path, bytes })),
});

async function run(what: readonly string[], { as, dryRun = false, json }: Options): Promise<void> {
  const wants = await wantsOf(what, as);
  if (wants.length === 0) {
    if (json) return printDocument({ document: 'fetch', downloads: [] });
    process.stdout.write(`${what.join(', ')} takes nothing from the hub\n`);
    return;
  }
  const hub = await hubFetch(process.env);
  const planned = await hub.plan(wants);
  if (dryRun && !json) {
    const lines = planned.flatMap((one) => [planLine(one), ...one.files.map(({ path }) => `  ${path}`)]);
    return void process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (!json) for (const one of planned) progressOn(process.stderr).note(planLine(one));
  const paths = dryRun ? [] : await downloadAll(hub, planned);
  if (json)
    return printDocument({
      document: 'fetch',
      downloads: planned.map((one, i) => ({ ...partOf(one), path: paths[i] ?? null })),
    });
  process.stdout.write(planned.map(({ reference }, i) => `${reference.given}: ${paths[i]}\n`).join(''));
}

export function fetchCommand(): Command {
  return new Command('fetch')
    .summary('download what a study takes from the Hugging Face hub')
    .description('Download models, adapters, dictionaries and prompts from the Hugging Face hub.')
    .argument('<what...>', 'a study, or references such as hf:ORG/NAME')
    .addOption(
      new Option('--as <use>', 'what a reference is for (default: what its files look like)').choices(uses),
    )
    .option('--dry-run', 'show which files would come, and their sizes')
    .option(...jsonFlag)
    .addHelpText('after', about)
    .action(async (what: string[], options: Options) => {
      if (what.some(isHub) || options.as === undefined) return run(what, options);
      throw new InputError(
        '--as: expected references such as hf:ORG/NAME, found a study: it says what they are',
      );
    });
}
