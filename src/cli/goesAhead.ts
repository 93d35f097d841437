/** What a run says of its causal test before it begins, and whether it asks. */
import { createInterface } from 'node:readline/promises';
import { InputError } from '../errors.ts';
import type { OpenStudy } from '../study/open/study.ts';
import { estimateOf } from '../study/run/studyEstimate.ts';
import { statusOf } from '../study/run/studyStatus.ts';
import { durationText, progressOn } from './progress.ts';

const hour = 3600;

/**
 * Tells on standard error what the causal test will take, where it is not done. On a terminal it asks before one of
 * more than an hour, unless `yes`; elsewhere nobody is there to ask. Throws InputError where the answer is
 * no.
 */
export async function tellCausalTest(study: OpenStudy, yes: boolean): Promise<void> {
  const { stages } = await statusOf(study);
  if (stages.every(({ name, finished }) => name !== 'steer' || finished)) return;
  const { lines } = await estimateOf(study);
  const { seconds, note } = lines.find(({ stage }) => stage === 'steer')!;
  progressOn(process.stderr).note(`The causal test will take about ${durationText(seconds)}: ${note}.`);
  if (yes || seconds <= hour || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question('Run it? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new InputError('nothing was run: --until fidelity leaves the causal test for later');
  } finally {
    asking.close();
  }
}
