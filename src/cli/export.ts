/** `culprit export`: what was found of a study's latents, in the form that others publish. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { exportStudy } from '../study/report/exportRun.ts';
import { jsonFlag, printDocument } from './json.ts';
import { wholeNumber } from './options.ts';
import { staleLines } from './staleLines.ts';
import { number } from './table.ts';
import { paragraph } from './wrap.ts';

interface Options {
  to: 'neuronpedia';
  out: string;
  modelId?: string;
  layer?: string;
  latent?: number;
  creatorId?: string;
  json?: boolean;
}

const about = `
Writes FOLDER/MODEL-ID/LAYER/ from the pages that \`culprit interpret\` has made:
  features/batch-N.jsonl.gz      logit lens, density, histogram, nearest latents
  activations/batch-N.jsonl.gz   passages with the activation at each token
  explanations/batch-N.jsonl.gz  labels, where \`interpret --neuronpedia\` gave some
as Neuronpedia publishes its data and takes it in. With --latent N only N.json,
as its API answers for one feature. docs/files.md tells what stays empty.

Example:
  culprit export my-study --to neuronpedia --out export/ --model-id smollm2-135m`;

async function run(study: string, { to, json, ...options }: Options): Promise<void> {
  const { files, features, activations, explanations, staleness } = await exportStudy({ study, ...options });
  if (json)
    return printDocument({
      document: 'export',
      study: resolve(study),
      to,
      files: files.map((file) => resolve(file)),
      features,
      activations,
      explanations,
      stale: staleness.stale.interpret ?? null,
      unchecked: staleness.unchecked ?? null,
    });
  process.stdout.write(
    [
      `features: ${number(features)}, activations: ${number(activations)}, explanations: ${number(explanations)}`,
      ...files.map((file) => `  ${file}`),
      ...staleLines(staleness).flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

export function exportCommand(): Command {
  return new Command('export')
    .summary("write a study's pages of latents in Neuronpedia's format")
    .description("Write a study's pages of latents in the format that Neuronpedia publishes.")
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .addOption(new Option('--to <form>', 'format to write').choices(['neuronpedia']).makeOptionMandatory())
    .requiredOption('--out <folder>', 'where to write')
    .option('--model-id <name>', "Neuronpedia's name of the model (default: its folder's)")
    .option(
      '--layer <name>',
      "Neuronpedia's name of the dictionary at its layer, such as 15-my-sae (default: the layer and the dictionary's folder)",
    )
    .option('--latent <index>', 'only this latent, as JSON', wholeNumber(0))
    .option(
      '--creator-id <id>',
      "Neuronpedia's id of the account that the records are of (default: the one that SAEDashboard writes)",
    )
    .option(...jsonFlag)
    .addHelpText('after', about)
    .action(run);
}
