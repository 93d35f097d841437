/** `culprit interpret`: what a study's first latents do and seem to mean. */
import { Command } from 'commander';
import type { LatentPage } from '../results.ts';
import { interpretStudy } from '../study/interpretRun.ts';
import { interpretDefaults } from '../study/stages/interpretStage.ts';
import { wholeNumber } from './options.ts';
import { duration, progressOn } from './progress.ts';
import { shownToken } from './shownToken.ts';
import { number, pc, signed } from './table.ts';
import { paragraph } from './wrap.ts';

interface Options {
  corpus?: string[];
  labels?: string[];
  tokens: number;
  passageTokens: number;
  latents: number;
  rows: number;
  cache?: string;
}

const about = `
For each of the first latents by delta, and for those that steering has proven, a
file latents/NNN.json in the study's folder:
  logit lens   the tokens that its direction makes likelier and less likely
  passages     where in the texts it is most active, samples of weaker activity,
               how often it is active, and a histogram
  pairs        the pairs that count most for it, each token with its activation
               and its delta
  neighbours   the latents nearest to it, and the group that it belongs to
  labels       what Neuronpedia says of it, where --labels gives that
A run that was stopped goes on where it was.

Example:
  culprit interpret my-study --corpus chats.jsonl prose.jsonl --tokens 1000000`;

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
  const { latent, rank, delta, lens, passages, neighbours, group, labels } = page;
  const { active, tokens, top } = passages;
  const others = group.filter((one) => one !== latent);
  const often =
    active === 0 ? 'never active' : `active at ${((100 * active) / tokens).toPrecision(2)} % of tokens`;
  return [
    '',
    `${pc.cyan(pc.bold(`Latent ${latent}`))}  rank ${rank}, delta ${signed(delta)}; ${often}`,
    ...labels.flatMap(({ text, by, source }) =>
      paragraph(`called        ${shownToken(text)} (${shownToken(by ?? source)})`, '  '),
    ),
    ...paragraph(`likelier      ${words(lens.cosine.top, 8)}`, '  '),
    ...paragraph(`less likely   ${words(lens.cosine.bottom, 8)}`, '  '),
    ...top.slice(0, 3).map((window) => `  ${pc.dim('…')}${snippet(window)}`),
    `  nearest       ${neighbours
      .slice(0, 3)
      .map(({ latent: near, cosine }) => `${near} (${cosine.toFixed(2)})`)
      .join(', ')}`,
    ...(others.length > 0 ? [`  goes with     ${others.join(', ')}`] : []),
  ];
}

async function interpret(study: string, options: Options): Promise<void> {
  const { corpus = [], labels = [], tokens, passageTokens, latents, rows, cache } = options;
  const start = Date.now();
  const { pages, folder, upToDate } = await interpretStudy({
    study,
    corpora: corpus,
    labels,
    tokens,
    passageTokens,
    latents,
    cacheDir: cache,
    progress: progressOn(process.stderr),
  });
  const shown = pages.slice(0, rows);
  process.stdout.write(
    [
      ...shown.flatMap(pageLines),
      '',
      `${shown.length} of ${number(pages.length)} latents shown; all of them are in ${folder}/latents${upToDate ? pc.dim(' (done before)') : ''}`,
      `took ${duration((Date.now() - start) / 1000)}`,
      '',
    ].join('\n'),
  );
}

export function interpretCommand(): Command {
  return new Command('interpret')
    .summary("tell what a study's latents seem to mean")
    .description('Tell what the first latents of a study do and seem to mean: a file of evidence for each.')
    .argument('<study>', 'a folder with study.yaml, or the file itself')
    .option(
      '--corpus <files...>',
      "texts to look for them in: JSONL of {text} or {messages}, or .txt files of paragraphs (default: the study's own completions)",
    )
    .option(
      '--labels <paths...>',
      "Neuronpedia's explanations of the same SAE's latents: its export's batch-N.jsonl.gz, a feature's JSON, or folders of them",
    )
    .option('--tokens <count>', 'read this many tokens of them', wholeNumber(1), interpretDefaults.tokens)
    .option(
      '--passage-tokens <count>',
      'cut each passage to this many tokens',
      wholeNumber(1),
      interpretDefaults.passageTokens,
    )
    .option(
      '--latents <count>',
      'latents to report, by delta, beside the proven ones',
      wholeNumber(1),
      interpretDefaults.latents,
    )
    .option('--rows <count>', 'latents to show on the screen', wholeNumber(0), 10)
    .option(
      '--cache <folder>',
      "where the weights of a GGUF are kept as float32 (default: $CULPRIT_CACHE, or the user's cache folder)",
    )
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', about)
    .action(interpret);
}
