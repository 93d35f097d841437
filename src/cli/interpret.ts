/** `culprit interpret`: what a study's first latents do and seem to mean. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { counted, inDecimals, type LatentPage } from '../results.ts';
import { interpretDefaults, type Reader, readers } from '../study/config/sections/interpret.ts';
import { interpretStudy } from '../study/run/interpretRun.ts';
import { explanationLine } from './explanationLine.ts';
import { jsonFlag, printDocument } from './json.ts';
import { pagePart } from './jsonParts.ts';
import {
  dateOption,
  exitCodes,
  type MachineFlags,
  machineOf,
  screenRows,
  studyDate,
  wholeNumber,
  withMachineOptions,
} from './options.ts';
import { durationText, progressOn } from './progress.ts';
import { shownToken } from './shownToken.ts';
import { pc, signedDelta } from './table.ts';
import { paragraph } from './wrap.ts';

interface Options extends MachineFlags {
  corpus?: string[];
  neuronpedia?: string[];
  reader?: Reader;
  tokens?: number;
  passageTokens?: number;
  pages?: number;
  /** false with --no-explainer */
  explainer: boolean;
  explainerUrl?: string;
  explainerModel?: string;
  explainerKeyEnv?: string;
  maxCalls?: number;
  rows: number;
  date?: Date;
  json?: boolean;
}

const about = `
Writes a file latents/NNN.json in the study's folder for each of the first
latents by delta and each latent that the causal test has confirmed:
  logit lens   the tokens that its direction makes likelier and less likely
  passages     where in the texts it is most active, samples of weaker activity,
               how often it is active, and a histogram
  pairs        the pairs that count most for it, each token with its activation
               and its delta
  neighbours   the latents nearest to it, and the group that it belongs to
  labels       Neuronpedia's explanations of it, if --neuronpedia names files of them
  explanation  with an explainer (interpret.explainer in study.yaml, or the
               flags): a sentence written from some of the passages, and its
               score on others: balanced accuracy, where 0.5 is guessing
Options that are not given are taken from the section interpret of study.yaml. A
run that was stopped continues where it stopped, and pays for no reply twice.

Examples:
  culprit interpret my-study --corpus chats.jsonl prose.jsonl --tokens 1000000
  culprit interpret my-study --explainer-url http://localhost:8080/v1 \\
    --explainer-model NAME`;

const words = (tokens: readonly { token: string }[], count: number) =>
  tokens
    .slice(0, count)
    .map(({ token }) => shownToken(token))
    .join('  ');

const around = 8;

/** The tokens beside the peak of a window, the peak itself marked. */
function snippet({ tokens, peak }: LatentPage['passages']['top'][number]): string {
  const before = tokens.slice(Math.max(0, peak - around), peak).join('');
  const after = tokens.slice(peak + 1, peak + 1 + around / 2).join('');
  const plain = (text: string) => shownToken(text).replaceAll('␣', ' ');
  return `${plain(before)}${pc.bold(`[${plain(tokens[peak]!)}]`)}${plain(after)}`;
}

function pageLines(page: LatentPage): string[] {
  const { latent, rank, delta, lens, passages, neighbours, group, explanation, labels } = page;
  const { active, tokens, top } = passages;
  const others = group.filter((one) => one !== latent);
  const often =
    active === 0 ? 'never active' : `active at ${((100 * active) / tokens).toPrecision(2)} % of tokens`;
  return [
    '',
    `${pc.cyan(pc.bold(`Latent ${latent}`))}  rank ${rank}, delta ${signedDelta(delta)}; ${often}`,
    ...(explanation ? paragraph(explanationLine(explanation), '  ') : []),
    ...labels.flatMap(({ text, by, source }) =>
      paragraph(`label         ${shownToken(text)} (${shownToken(by ?? source)})`, '  '),
    ),
    ...paragraph(`likelier      ${words(lens.cosine.top, 8)}`, '  '),
    ...paragraph(`less likely   ${words(lens.cosine.bottom, 8)}`, '  '),
    ...top.slice(0, 3).map((window) => `  ${pc.dim('…')}${snippet(window)}`),
    `  nearest       ${neighbours
      .slice(0, 3)
      .map(({ latent: near, cosine }) => `${near} (${inDecimals(cosine, 2)})`)
      .join(', ')}`,
    ...(others.length > 0 ? [`  same group    ${others.join(', ')}`] : []),
  ];
}

const stoppedLine = (reason: string) =>
  `Stopped: ${reason}. Replies that were paid for are kept; the same command continues from there.`;

async function interpret(study: string, options: Options): Promise<void> {
  const { corpus, neuronpedia, reader, tokens, passageTokens, pages: most, rows, date } = options;
  const { explainer, explainerUrl, explainerModel, explainerKeyEnv, maxCalls } = options;
  const start = Date.now();
  const { pages, folder, upToDate, stopped } = await interpretStudy({
    study,
    corpora: corpus,
    labels: neuronpedia,
    reader,
    explainer: explainer && {
      base_url: explainerUrl,
      model: explainerModel,
      api_key_env: explainerKeyEnv,
      max_calls: maxCalls,
    },
    tokens,
    passageTokens,
    latents: most,
    ...machineOf(options),
    date,
    progress: progressOn(process.stderr),
  });
  const shown = pages.slice(0, rows);
  const seconds = (Date.now() - start) / 1000;
  if (stopped !== undefined) process.exitCode = exitCodes.budget;
  if (options.json)
    return printDocument({
      document: 'interpret',
      study: resolve(study),
      up_to_date: upToDate,
      seconds,
      stopped: stopped ?? null,
      pages: pages.length,
      latents: shown.map(pagePart),
    });
  process.stdout.write(
    [
      ...shown.flatMap(pageLines),
      '',
      `${shown.length} of ${counted(pages.length, 'latent')} shown; all are in ${folder}/latents${upToDate ? pc.dim(' (already done)') : ''}`,
      ...(stopped === undefined ? [] : [pc.yellow(stoppedLine(stopped))]),
      `took ${durationText(seconds)}`,
      '',
    ].join('\n'),
  );
}

export function interpretCommand(): Command {
  const command = new Command('interpret')
    .summary("collect evidence on what a study's latents mean")
    .description(
      'Collect evidence on what the first latents of a study do and seem to mean, one file for each.',
    )
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .option(
      '--corpus <files...>',
      "texts to search for activity: JSONL of {text} or {messages}, or .txt files of paragraphs (default: the study's own completions)",
    )
    .addOption(
      new Option('--reader <model>', 'which model reads the texts (default: subject)').choices(readers),
    )
    .option(
      '--neuronpedia <paths...>',
      "Neuronpedia's explanations of the same SAE's latents: its export's batch-N.jsonl.gz, a feature's JSON, or folders of them",
    )
    .option(
      '--tokens <count>',
      `read this many tokens of the texts (default: ${interpretDefaults.tokens})`,
      wholeNumber(1),
    )
    .option(
      '--passage-tokens <count>',
      `cut each passage to this many tokens (default: ${interpretDefaults.passage_tokens})`,
      wholeNumber(1),
    )
    .option(
      '--pages <count>',
      `how many of the first latents by delta to report, besides the confirmed ones (default: ${interpretDefaults.latents})`,
      wholeNumber(1),
    )
    .option(
      '--explainer-url <url>',
      'base URL of a chat endpoint that explains latents, without /chat/completions',
    )
    .option('--explainer-model <name>', 'the model that explains, as the endpoint names it')
    .option('--explainer-key-env <variable>', 'environment variable that holds its key')
    .option('--max-calls <count>', 'stop explaining after this many requests', wholeNumber(1))
    .option('--no-explainer', 'explain nothing, whatever study.yaml says')
    .option('--rows <count>', 'latents to show on the screen', wholeNumber(0), screenRows)
    .addOption(dateOption(studyDate));
  return withMachineOptions(command)
    .option(...jsonFlag)
    .addHelpText('after', about)
    .action(interpret);
}
