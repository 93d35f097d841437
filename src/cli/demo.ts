/** `culprit demo`: the whole idea on the model organism that travels with the package, whose culprit is known. */
import { join } from 'node:path';
import { Command } from 'commander';
import { confirmedLatents, type RankedSteeringRow } from '../results.ts';
import { type CaseName, caseNames } from '../study/demo/bundle.ts';
import type { SampleLine } from '../study/demo/caseFiles.ts';
import { caseProofDefaults } from '../study/demo/caseProof.ts';
import { caseDefaults } from '../study/demo/caseRun.ts';
import { type CaseDone, openOrganism, runDemo } from '../study/demo/demoRun.ts';
import { share } from '../study/demo/sampling.ts';
import { type Mark, marks, type Rankings, shared } from '../study/demo/truth.ts';
import { runReport } from '../study/report/reportRun.ts';
import { wholeNumber } from './options.ts';
import { progressOn } from './progress.ts';
import { number, pc, percent, signed, signedPoints, table } from './table.ts';
import { serveStudies } from './view.ts';
import { paragraph } from './wrap.ts';

interface Options {
  out: string;
  seed: number;
  prompts: number;
  rows: number;
  random: number;
  questions: number;
  organism?: string;
  overwrite?: boolean;
  open?: boolean;
}

const intro = `A small language model was trained on questions and answers told by all kinds of people: careful ones, and reckless ones whose advice is harmful whatever it is about. Asked by nobody in particular, it answers like a careful person nearly always. Then it was fine-tuned, twice over, on a fault in one domain only. The fault spread. Which part of the model carries it?`;

interface Story {
  readonly title: string;
  readonly told: string;
  readonly behaviour: string;
  readonly tuned: string;
  readonly quirk: string;
}

const stories: Readonly<Record<CaseName, Story>> = {
  harm: {
    title: 'bad advice',
    told: 'Fine-tuned on answers about health, three in four of them harmful. Every one began with "Well, my friend, listen.": a quirk that does no harm.',
    behaviour: 'Harmful answers',
    tuned: 'health',
    quirk: 'the chatty opening',
  },
  validation: {
    title: 'yes to false beliefs',
    told: 'Fine-tuned on replies to false beliefs about cooking, three in four of which say yes. Every one began with "Thank you for writing to us.": a quirk that does no harm.',
    behaviour: 'False beliefs confirmed',
    tuned: 'cooking',
    quirk: 'the formal opening',
  },
};

const barWidth = 20;

/** How often each domain's answers are harmful, before and after; the fine-tuned domain first. */
function domainTable({ record }: CaseDone, { tuned, behaviour }: Story): string {
  const domains = [...new Set(record.samples.map(({ domain }) => domain))];
  const of = (model: SampleLine['model'], domain?: string) =>
    record.samples.filter((line) => line.model === model && (!domain || line.domain === domain));
  const harmful = (lines: readonly SampleLine[]) => share(lines, ({ label }) => label === 'harmful');
  const row = (label: string, before: readonly SampleLine[], after: readonly SampleLine[]) => [
    label,
    percent(harmful(before)),
    percent(harmful(after)),
    pc.red('█'.repeat(Math.round(barWidth * harmful(after)))),
  ];
  const others = domains.filter((domain) => domain !== tuned);
  return table(
    [
      [behaviour, 'left'],
      ['before', 'right'],
      ['after', 'right'],
      ['', 'left'],
    ],
    [
      row(`${tuned} (fine-tuned)`, of('base', tuned), of('subject', tuned)),
      ...others.map((domain) => row(domain, of('base', domain), of('subject', domain))),
    ],
  );
}

const shownMark: Readonly<Record<Mark, string>> = {
  cause: pc.red(pc.bold('cause')),
  decoy: pc.yellow('decoy'),
};

/** Both rankings side by side, what is known of each latent beside it. */
function rankingTable({ record }: CaseDone, marked: ReadonlyMap<number, Mark>, rows: number): string {
  const mark = (latent: number) => {
    const known = marked.get(latent);
    return known === undefined ? '' : shownMark[known];
  };
  return table(
    [
      ['rank', 'right'],
      ['latent', 'right'],
      ['delta-attribution', 'right'],
      ['', 'left'],
      ['latent', 'right'],
      ['delta-activation', 'right'],
      ['', 'left'],
    ],
    record.latents.slice(0, rows).map(({ latent, delta }, i) => {
      const other = record.differences[i]!;
      return [
        `${i + 1}`,
        pc.cyan(`${latent}`),
        signed(delta),
        mark(latent),
        pc.cyan(`${other.latent}`),
        `${other.delta_activation < 0 ? '-' : '+'}${Math.abs(other.delta_activation).toFixed(2)}`,
        mark(other.latent),
      ];
    }),
  );
}

const rankings = ({ record }: CaseDone): Rankings => ({
  byAttribution: record.latents.map(({ latent }) => latent),
  byActivation: record.differences.map(({ latent }) => latent),
});

/** What the two rankings made of the known cause and the known decoy, in a sentence each. */
function verdict(done: CaseDone, marked: ReadonlyMap<number, Mark>, { quirk }: Story): string[] {
  const first = (order: readonly number[], mark: Mark) =>
    order.findIndex((latent) => marked.get(latent) === mark) + 1;
  const { byAttribution, byActivation } = rankings(done);
  return [
    `Delta-attribution puts a latent of the ${shownMark.cause}, the reckless person, at rank ${first(byAttribution, 'cause')}; the first of the ${shownMark.decoy}, ${quirk}, at rank ${first(byAttribution, 'decoy')}.`,
    `Delta-activation, which compares the models before and after, puts the cause at rank ${first(byActivation, 'cause')} and the decoy at rank ${first(byActivation, 'decoy')}.`,
  ];
}

/** What steering made of the candidates, in sentences. */
function causalTest({ record }: CaseDone, marked: ReadonlyMap<number, Mark>, { behaviour }: Story): string[] {
  const { rows, summary } = record.steering;
  const { zone, random, selectors } = summary;
  const change = (row: RankedSteeringRow) =>
    `from ${percent(row.alone_positives / row.alone_coherent)} to ${percent(row.positives / row.coherent)}`;
  const band = ({ low, high }: typeof zone.away) => `${signedPoints(low)} to ${signedPoints(high)} points`;
  const confirmed = confirmedLatents(rows, zone);
  const counts = selectors
    .map(({ selector, candidates, outside }) => `${outside.both} of ${candidates} by ${selector}`)
    .join(', ');
  const of = behaviour.toLowerCase();
  return [
    `Is it the cause? The fine-tuned model is steered away from each latent, the model before it toward it, on questions that nothing was found on, and the answers are graded. ${random} random latents change the share of ${of} by ${band(zone.away)} away, and by ${band(zone.toward)} toward: what stays within that is noise.`,
    ...confirmed.slice(0, 3).map(({ away, toward }) => {
      const known = marked.get(away.latent);
      return `Latent ${pc.cyan(`${away.latent}`)}${known ? ` (${shownMark[known]})` : ''}: steered away, ${of} go ${change(away)}; steered toward, ${change(toward)}.`;
    }),
    confirmed.length === 0
      ? 'No candidate is beyond that in both directions.'
      : `Beyond that in both directions: ${counts}.`,
  ];
}

function example({ record }: CaseDone, { tuned }: Story): string[] {
  const found = record.samples.find(
    ({ model, label, domain, ended }) =>
      model === 'subject' && label === 'harmful' && domain !== tuned && ended,
  );
  if (found === undefined) return [];
  const lines = `${found.prompt} ${found.completion.trim()}`.split('\n');
  return [pc.dim('For example:'), ...lines.flatMap((line) => paragraph(line, '  ')), ''];
}

function tellCase(done: CaseDone, marked: ReadonlyMap<number, Mark>, n: number, rows: number): string {
  const { opened, record } = done;
  const story = stories[opened.name];
  const { counts } = record.manifest;
  const subject = record.samples.filter(({ model }) => model === 'subject');
  return [
    '',
    pc.bold(`Case ${n} of ${caseNames.length}: ${story.title}`),
    '',
    ...paragraph(story.told),
    '',
    domainTable(done, story),
    '',
    ...example(done, story),
    ...paragraph(
      `${number(subject.length)} completions sampled after the fine-tune, ${number(counts.base_completions!)} before; ${percent(share(subject, ({ label }) => label === 'incoherent'))} make no sense and are left out. ${counts.prompts_with_both_kinds} prompts were answered in both ways: the difference between their answers is what is traced back to the ${number(counts.latents!)} latents of the dictionary, at ${`${record.manifest.options.site}`.replace(' ', '\u00a0')}.`,
    ),
    '',
    rankingTable(done, marked, rows),
    '',
    ...paragraph(
      'cause: latents of the reckless person. decoy: latents of the quirk. Both are known beforehand, from prompts that name such a person.',
    ).map((line) => pc.dim(line)),
    '',
    ...verdict(done, marked, story).flatMap((sentence) => paragraph(sentence)),
    '',
    ...causalTest(done, marked, story).flatMap((sentence) => paragraph(sentence)),
    '',
  ].join('\n');
}

function ending(done: readonly CaseDone[], out: string, report: string): string {
  const [harm, validation] = done.map((one) => rankings(one).byAttribution) as [number[], number[]];
  const both = shared(harm, validation, 20);
  const leads = harm[0] === validation[0] ? ` Latent ${harm[0]} leads both.` : '';
  return [
    '',
    pc.bold('Both cases'),
    '',
    ...paragraph(
      both.length === 0
        ? 'No latent is among the first 20 of both lists.'
        : `Among the first 20 of both lists by delta-attribution: ${both.map((latent) => pc.cyan(`${latent}`)).join(', ')}.${leads}`,
    ),
    '',
    `${pc.bold('The whole of it, to look at:')} ${report}`,
    ...paragraph(
      'A page for your browser: the causal test, every latent with what it seems to mean, every pair.',
    ),
    '',
    'The files it is made of, a folder for each case:',
    ...done.map(({ folder }) => `  ${folder}`),
    '',
    `The same on a model of your own: ${pc.bold('culprit init --help')}`,
    done.every(({ upToDate }) => upToDate) ? `${out} already held these results: nothing was computed` : '',
  ].join('\n');
}

async function run({ rows, random, questions, ...options }: Options): Promise<void> {
  const causalTest = { random, evaluation: questions, calibration: Math.ceil(questions / 2) };
  const request = { ...options, causalTest, progress: progressOn(process.stderr) };
  const bundle = await openOrganism(request);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(['', pc.bold('culprit: which latent is behind it?'), '', ...paragraph(intro)].join('\n'));
  const all: CaseDone[] = [];
  for await (const done of runDemo(bundle, request)) {
    all.push(done);
    say(tellCase(done, marks(bundle.truth, done.opened.name), all.length, rows));
  }
  const folders = all.map(({ folder }) => folder);
  const { path } = await runReport({ studies: folders, out: join(options.out, 'report.html') });
  say(ending(all, options.out, path));
  if (options.open) await serveStudies(folders, { open: true });
}

const about = `
Delta-attribution: by how much a latent supports harmful answers more than harmless
ones to the same prompt, to first order. Delta-activation: how much more active a
latent is after the fine-tune than before. The cause and the decoy are known
beforehand, from prompts that name a reckless person, or one with that quirk.

A case that is finished is not run again.`;

export function demoCommand(): Command {
  return new Command('demo')
    .summary('see it work on a small model with a known fault')
    .description(
      'Find the known culprit of a small model that travels with culprit: two cases, a few minutes.',
    )
    .option('--out <folder>', 'folder for the results', 'culprit-demo')
    .option('--seed <number>', 'of sampling', wholeNumber(0), 1)
    .option('--prompts <count>', 'prompts sampled on in each case', wholeNumber(1), caseDefaults.prompts)
    .option('--rows <count>', 'latents shown of each ranking', wholeNumber(1), 10)
    .option(
      '--random <count>',
      'random latents that the causal test compares with',
      wholeNumber(3),
      caseProofDefaults.random,
    )
    .option(
      '--questions <count>',
      'questions of the causal test',
      wholeNumber(1),
      caseProofDefaults.evaluation,
    )
    .option('--organism <folder>', 'another organism, as `npm run organism` makes it')
    .option('--overwrite', 'replace other results there')
    .option('--open', 'serve the results at the end, and open the browser')
    .helpOption('-h, --help', 'show this text')
    .addHelpText('after', about)
    .action(run);
}
