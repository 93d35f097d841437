/** What the stages of a study tell when they are done, in words a newcomer understands. */
import type { WithoutPair } from '../methods/pair.ts';
import type { StudyResult } from '../study/studyRun.ts';
import { duration } from './progress.ts';
import { latentTable, number, pc, percent } from './table.ts';
import { paragraph } from './wrap.ts';

type Part = (result: StudyResult, rows: number) => string[];

const upToDate = (is: boolean) => (is ? pc.dim(' (done before)') : '');

const sampled: Part = ({ sample }) => {
  if (!sample) return [];
  const { records } = sample;
  const prompts = new Set(records.map(({ prompt_id }) => prompt_id)).size;
  const ended = records.filter(({ stop }) => stop !== 'length').length;
  return [
    `${pc.bold('Sampled')}  ${number(records.length)} completions of ${number(prompts)} prompts; ${percent(ended / records.length)} came to their end within the token limit${upToDate(sample.upToDate)}`,
  ];
};

const graded: Part = ({ grade, study }) => {
  if (!grade || grade.records.length === 0) return [];
  const { records } = grade;
  const coherent = records.filter((one) => one.coherent);
  const positive = coherent.filter(({ label }) => label === 'positive').length;
  const price = records.reduce((sum, { cost }) => sum + cost.price, 0);
  return [
    `${pc.bold('Graded')}   ${number(records.length)} by the ${records[0]!.judge}: ${percent(positive / coherent.length)} of the coherent ones show ${study.config.behaviour.name}, ${percent(1 - coherent.length / records.length)} are incoherent${price > 0 ? `; the judge's price is ${price.toFixed(2)}` : ''}${upToDate(grade.upToDate)}`,
  ];
};

const count = (n: number, what: string) => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

/** What to change where prompts gave no pair. */
const advice: Readonly<Record<WithoutPair, string>> = {
  'none finished': 'a greater sampling.max_tokens lets answers come to their end',
  'none coherent': 'a lower sampling.temperature gives more coherent text',
  'no positive usable':
    'its positives were cut at the token limit or incoherent: try a greater sampling.max_tokens',
  'no negative usable':
    'its negatives were cut at the token limit or incoherent: try a greater sampling.max_tokens',
  'all positive': 'more completions a prompt, or prompts that are less leading, give both kinds',
  'all negative':
    'more completions a prompt, or prompts nearer to what the model was tuned on, give both kinds',
};

const paired: Part = ({ pair }) => {
  if (!pair) return [];
  const none = Object.entries(pair.without).filter(([, count]) => count > 0);
  const answered = new Set(pair.pairs.map(({ prompt_id }) => prompt_id)).size;
  return [
    `${pc.bold('Paired')}   ${count(pair.pairs.length, 'pair')} from ${number(answered)} of ${number(pair.prompts)} prompts${pair.beyondLimit > 0 ? `; ${number(pair.beyondLimit)} more are beyond pairs.limit` : ''}${upToDate(pair.upToDate)}`,
    ...none.flatMap(([reason, prompts]) =>
      paragraph(
        `${count(prompts, 'prompt')} gave none: ${reason} (${advice[reason as WithoutPair]})`,
        '         ',
      ),
    ),
  ];
};

const attributed: Part = ({ attribute, study }, rows) => {
  if (!attribute) return [];
  const { latents, site, upToDate: before } = attribute;
  const { tokens, loss } = study.config.attribution;
  return [
    '',
    `${pc.bold(`Latents behind ${study.config.behaviour.name}`)}, by delta at ${site}, tokens: ${tokens}, loss: ${loss}${upToDate(before)}`,
    '',
    latentTable(latents, rows),
    '',
    pc.dim('delta: nats a token; same sign: share of pairs whose own delta has the sign of the mean'),
    `${Math.min(rows, latents.length)} of ${number(latents.length)} latents shown; all of them are in ${study.folder}`,
  ];
};

export function stageReport(result: StudyResult, rows: number, seconds: number): string {
  const { stopped } = result;
  return [
    '',
    ...[sampled, graded, paired, attributed].flatMap((part) => part(result, rows)),
    ...(stopped
      ? [
          '',
          pc.yellow(
            `Stopped at ${stopped.stage}: ${stopped.reason}.${stopped.stage === 'grade' ? ' What is done is kept; the same command goes on from there.' : ''}`,
          ),
        ]
      : []),
    `took ${duration(seconds)}`,
    '',
  ].join('\n');
}
