/** `culprit export`: what a study found, in the form that others publish or take. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { exportStudy } from '../study/report/exportRun.ts';
import { exportFix } from '../study/report/fixExport.ts';
import { jsonFlag, printDocument } from './json.ts';
import { wholeNumber } from './options.ts';
import { staleLines } from './staleLines.ts';
import { number } from './table.ts';
import { paragraph } from './wrap.ts';

interface Options {
  to: 'neuronpedia' | 'transformers';
  out: string;
  modelId?: string;
  layer?: string;
  latent?: number;
  creatorId?: string;
  json?: boolean;
}

const about = `
--to neuronpedia
Writes FOLDER/MODEL-ID/LAYER/ from the pages that \`culprit interpret\` has made:
  features/batch-N.jsonl.gz      logit lens, density, histogram, nearest latents
  activations/batch-N.jsonl.gz   passages with the activation at each token
  explanations/batch-N.jsonl.gz  labels, where \`interpret --neuronpedia\` gave some
as Neuronpedia publishes its data and takes it in. With --latent N only N.json,
as its API answers for one feature. docs/files.md tells what stays empty.

--to transformers
Writes the fix that \`culprit fix\` has found: fix.safetensors, apply_fix.py, which
holds it in a model of PyTorch's transformers, and a README.md that says what it
was measured to do.

Examples:
  culprit export my-study --to neuronpedia --out export/ --model-id smollm2-135m
  culprit export my-study --to transformers --out fix/`;

/** What belongs to Neuronpedia's form alone. */
const ofNeuronpedia = {
  modelId: '--model-id',
  layer: '--layer',
  latent: '--latent',
  creatorId: '--creator-id',
} as const;

async function runFix(study: string, { to, out, json, ...others }: Options): Promise<void> {
  for (const [name, flag] of Object.entries(ofNeuronpedia))
    if (others[name as keyof typeof ofNeuronpedia] !== undefined)
      throw new InputError(`${flag}: expected it with --to neuronpedia only, found --to ${to}`);
  const { files, staleness } = await exportFix({ study, out });
  if (json)
    return printDocument({
      document: 'export',
      study: resolve(study),
      to,
      files: files.map((file) => resolve(file)),
      features: null,
      activations: null,
      explanations: null,
      stale: staleness.stale.fix ?? null,
      unchecked: staleness.unchecked ?? null,
    });
  process.stdout.write(
    [
      ...files.map((file) => `  ${file}`),
      ...staleLines(staleness).flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

async function run(study: string, options: Options): Promise<void> {
  await (options.to === 'transformers' ? runFix : runNeuronpedia)(study, options);
}

async function runNeuronpedia(study: string, { to, json, ...options }: Options): Promise<void> {
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
    .summary("write a study's fix, or its pages of latents in Neuronpedia's format")
    .description(
      "Write a study's pages of latents in the format that Neuronpedia publishes, or its fix for use elsewhere.",
    )
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .addOption(
      new Option('--to <form>', 'format to write')
        .choices(['neuronpedia', 'transformers'])
        .makeOptionMandatory(),
    )
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
