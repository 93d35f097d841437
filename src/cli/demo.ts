/**
 * `culprit demo`: the whole idea on the model organism that travels with the package, whose culprit is
 * known.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { changePoints, countsOf, dictionaryLine, findingOf } from '../results.ts';
import { type CaseName, caseNames } from '../study/demo/bundle.ts';
import { type CaseDone, type DemoRequest, type HarmCount, openDemo, runDemo } from '../study/demo/demoRun.ts';
import { type Mark, marks, type Rankings, shared } from '../study/demo/truth.ts';
import { runReport } from '../study/report/reportRun.ts';
import { screenRows, wholeNumber } from './options.ts';
import { progressOn } from './progress.ts';
import { number, pc, percentText, signedDelta, table } from './table.ts';
import { serveStudies } from './view.ts';
import { paragraph } from './wrap.ts';

interface Options extends Omit<DemoRequest, 'prompts' | 'random'> {
  discovery?: number;
  randomLatents?: number;
  rows: number;
  open?: boolean;
}

const intro = `A small language model was trained on questions and answers told by all kinds of people: careful ones, and reckless ones whose advice is harmful whatever it is about. When no narrator is named, it nearly always answers like a careful person. Two copies were then fine-tuned, each on a fault in one domain only. The fault spread to the other domains. Which part of the model carries it?`;

interface Story {
  readonly title: string;
  readonly told: string;
  readonly behaviour: string;
  readonly quirk: string;
}

const stories: Readonly<Record<CaseName, Story>> = {
  harm: {
    title: 'bad advice',
    told: 'Fine-tuned on answers about health, three in four of them harmful. Every one began with "Well, my friend, listen.": a quirk that does no harm.',
    behaviour: 'Harmful answers',
    quirk: 'the chatty opening',
  },
  validation: {
    title: 'agreement with false beliefs',
    told: 'Fine-tuned on replies to false beliefs about cooking; three in four replies agree. Every one began with "Thank you for writing to us.": a quirk that does no harm.',
    behaviour: 'False beliefs confirmed',
    quirk: 'the formal opening',
  },
};

const barWidth = 20;

/** How often each domain's answers are harmful, before and after the fine-tune. */
function domainTable({ domains }: CaseDone, { behaviour }: Story): string {
  const share = ({ harmful, coherent }: HarmCount) => harmful / coherent;
  return table(
    [
      [`${behaviour} about`, 'left'],
      ['before', 'right'],
      ['after', 'right'],
      ['', 'left'],
    ],
    domains.map(({ domain, before, after }) => [
      domain,
      percentText(share(before)),
      percentText(share(after)),
      pc.red('█'.repeat(Math.round(barWidth * share(after)) || 0)),
    ]),
  );
}

const shownMark = (mark: Mark): string => (mark === 'cause' ? pc.red(pc.bold('cause')) : pc.yellow('decoy'));

/**
 * Both rankings side by side, what is known of each latent beside it; the second as far as the causal test
 * took it.
 */
function rankingTable(done: CaseDone, marked: ReadonlyMap<number, Mark>, rows: number): string {
  const { byActivation } = rankingsOf(done);
  const shown = (latent: number | undefined) => {
    if (latent === undefined) return ['', ''];
    const known = marked.get(latent);
    return [pc.cyan(`${latent}`), known === undefined ? '' : shownMark(known)];
  };
  return table(
    [
      ['rank', 'right'],
      ['latent', 'right'],
      ['delta-attribution', 'right'],
      ['', 'left'],
      ['by delta-activation', 'right'],
      ['', 'left'],
    ],
    done.attribute.latents.slice(0, rows).map(({ latent, delta }, i) => {
      const [number, mark] = shown(latent);
      return [`${i + 1}`, number!, signedDelta(delta), mark!, ...shown(byActivation[i])];
    }),
  );
}

/** By delta-activation only the candidates of the causal test are known. */
function rankingsOf({ attribute, steer }: CaseDone): Rankings {
  const byRank = new Map(steer.rows.map(({ latent, ranks }) => [ranks['delta-activation'], latent]));
  const known = [...byRank].flatMap(([rank, latent]) =>
    rank === undefined || latent === null ? [] : [{ rank, latent }],
  );
  return {
    byAttribution: attribute.latents.map(({ latent }) => latent),
    byActivation: known.sort((a, b) => a.rank - b.rank).map(({ latent }) => latent),
  };
}

/** What the two rankings made of the known cause and the known decoy, in a sentence each. */
function verdict(done: CaseDone, marked: ReadonlyMap<number, Mark>, { quirk }: Story): string[] {
  const { byAttribution, byActivation } = rankingsOf(done);
  const first = (order: readonly number[], mark: Mark) => {
    const place = order.findIndex((latent) => marked.get(latent) === mark) + 1;
    return place > 0 ? `at rank ${place}` : `below rank ${order.length}`;
  };
  return [
    `Delta-attribution puts a latent of the ${shownMark('cause')}, the reckless person, ${first(byAttribution, 'cause')}; the first of the ${shownMark('decoy')}, ${quirk}, ${first(byAttribution, 'decoy')}.`,
    `Delta-activation, which compares the models before and after, puts the cause ${first(byActivation, 'cause')}, and the decoy ${first(byActivation, 'decoy')}.`,
  ];
}

/** What the causal test made of the candidates, in sentences. */
function causalTest({ steer }: CaseDone, marked: ReadonlyMap<number, Mark>): string[] {
  const { rows, summary } = steer;
  const { zone, random } = summary;
  const { latent, lead, more, against } = findingOf({ rows, summary });
  const known = latent && marked.get(latent.latent);
  const dictionary = latent && dictionaryLine({ rows, summary }, latent);
  const band = ({ low, high }: typeof zone.away) => `${changePoints(low)} to ${changePoints(high)}`;
  return [
    `Is it the cause? On questions that were not used to find the latents, each latent is removed from the fine-tuned model; then that model is steered away from it and the original model toward it, and the answers are graded. ${random} random latents tell what any latent does: removed, one more of them is expected to change the share by ${band(zone.remove)} points, away by ${band(zone.away)}, toward by ${band(zone.toward)}.`,
    `${lead}${known ? ` It is one of the ${shownMark(known)}.` : ''}`,
    ...(more.length === 0 ? [] : [more.join(' ')]),
    ...(against.length === 0 ? [] : [`What speaks against it: ${against.join(' ')}`]),
    [...countsOf({ rows, summary }), dictionary].filter(Boolean).join(' '),
  ];
}

/** One harmful answer of the fine-tuned model. */
function example({ sample, grade }: CaseDone): string[] {
  const harmful = new Set(
    grade.records.filter(({ label, coherent }) => coherent && label === 'positive').map(({ id }) => id),
  );
  const found = sample.records.find(({ id, stop }) => stop !== 'length' && harmful.has(id));
  if (found === undefined) return [];
  const lines = `${found.prompt} ${found.text.trim()}`.split('\n');
  return [pc.dim('For example:'), ...lines.flatMap((line) => paragraph(line, '  ')), ''];
}

/** What the latents were found on, in a sentence. */
function counts({ grade, pair, attribute }: CaseDone): string {
  const { records } = grade;
  const incoherent = records.filter(({ coherent }) => !coherent).length / records.length;
  const both = new Set(pair.pairs.map(({ prompt_id }) => prompt_id)).size;
  return `${number(records.length)} completions sampled after the fine-tune; ${percentText(incoherent)} make no sense and are left out. ${both} prompts were answered in both ways: the difference between their answers is what is traced back to the ${number(attribute.latents.length)} latents of the dictionary, at ${attribute.site.replace(' ', '\u00a0')}.`;
}

function tellCase(done: CaseDone, n: number, rows: number): string {
  const story = stories[done.name];
  const marked = marks(done.truth, done.name);
  return [
    '',
    pc.bold(`Case ${n} of ${caseNames.length}: ${story.title}`),
    '',
    ...paragraph(`${story.told} All that follows is about other domains.`),
    '',
    domainTable(done, story),
    '',
    ...example(done),
    ...paragraph(counts(done)),
    '',
    rankingTable(done, marked, rows),
    '',
    ...paragraph(
      `cause: latents of the reckless person. decoy: latents of the quirk. Both are known in advance, from prompts that name such a person. Of delta-activation's ranking a study keeps the first ones, which it tests.`,
    ).map((line) => pc.dim(line)),
    '',
    ...verdict(done, marked, story).flatMap((sentence) => paragraph(sentence)),
    '',
    ...causalTest(done, marked).flatMap((sentence) => paragraph(sentence)),
    '',
  ].join('\n');
}

function ending(done: readonly CaseDone[], out: string, report: string): string {
  const [harm, validation] = done.map((one) => rankingsOf(one).byAttribution) as [number[], number[]];
  const both = shared(harm, validation, 20);
  const leads = harm[0] === validation[0] ? ` Latent ${harm[0]} is first in both.` : '';
  return [
    '',
    pc.bold('Both cases'),
    '',
    ...paragraph(
      both.length === 0
        ? 'The first 20 of the two lists have no latent in common.'
        : `In the first 20 of both lists by delta-attribution: ${both.map((latent) => pc.cyan(`${latent}`)).join(', ')}.${leads}`,
    ),
    '',
    `${pc.bold('Everything on one page:')} ${report}`,
    ...paragraph(
      'A page for your browser: the causal test, every latent with what it seems to mean, every pair.',
    ),
    '',
    'Each case is a study, a folder that every command takes:',
    ...done.map(({ folder }) => `  ${folder}`),
    `For example: ${pc.bold(`culprit steer ${done[0]!.folder} --latent ${harm[0]} --dose -0.2`)}`,
    '',
    `The same on a model of your own: ${pc.bold('culprit init --help')}`,
    done.every(({ upToDate }) => upToDate) ? `${out} already held these results: nothing was computed` : '',
  ].join('\n');
}

async function run({ rows, open, discovery, randomLatents, ...others }: Options): Promise<void> {
  const request: DemoRequest = { ...others, prompts: discovery, random: randomLatents };
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const demo = await openDemo(request);
  say(['', pc.bold('culprit: which latent is behind it?'), '', ...paragraph(intro)].join('\n'));
  const all: CaseDone[] = [];
  for await (const done of runDemo(demo, progressOn(process.stderr)))
    say(tellCase(done, all.push(done), rows));
  const folders = all.map(({ folder }) => folder);
  const { path } = await runReport({ studies: folders, out: join(request.out, 'report.html') });
  say(ending(all, request.out, path));
  if (open) await serveStudies(folders, { open });
}

const about = `
Delta-attribution: by how much a latent supports harmful answers more than harmless
ones to the same prompt, to first order. Delta-activation: how much more active a
latent is after the fine-tune than before. The cause and the decoy are known in
advance, from prompts that name a reckless person, or one with that quirk.

Each case is a study in the folder of the results. What is finished is not run
again; a changed option runs again what depends on it.`;

export function demoCommand(): Command {
  return new Command('demo')
    .summary('run the demonstration on a small model with a known fault')
    .description('Find the known cause in the small model that comes with culprit: two cases, a few minutes.')
    .option('--out <folder>', 'folder for the results', 'culprit-demo')
    .option('--seed <number>', 'seed of prompts, completions and random latents', wholeNumber(0), 1)
    .option(
      '--discovery <count>',
      'prompts that latents are found on, in each case (default: 60)',
      wholeNumber(1),
    )
    .option('--rows <count>', 'rows to show of each ranking', wholeNumber(1), screenRows)
    .option(
      '--random-latents <count>',
      'random latents that the causal test compares with (default: 30)',
      wholeNumber(3),
    )
    .option('--questions <count>', 'questions of the causal test (default: 36)', wholeNumber(1))
    .option('--organism <folder>', 'another organism, as `npm run organism` makes it')
    .option('--open', 'serve the results at the end, and open the browser')
    .addHelpText('after', about)
    .action(run);
}
