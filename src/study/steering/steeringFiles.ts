/** The files of a causal test in a folder, written whole and read back. */

import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { nothingToDraw } from '../../figure/figureData.ts';
import { figureOf } from '../../figure/figureOf.ts';
import { replaceFile } from '../../files/atomic.ts';
import { encodeSteering, resultFiles, type SteeredRecord, type TrialRecord } from '../../results.ts';
import type { SteeringResult } from '../open/records.ts';
import type { CausalTest } from './causalTest.ts';

/** The trials, by id. */
export const trialsOf = ({ trials }: Pick<CausalTest, 'trials'>): TrialRecord[] =>
  [...trials].sort((a, b) => (a.id < b.id ? -1 : 1));

/** What steered.jsonl holds: the trials, and the log-odds of every direction. */
export const steeredOf = (test: Pick<CausalTest, 'trials' | 'forced'>): SteeredRecord[] =>
  [...test.trials, ...test.forced].sort((a, b) => (a.id < b.id ? -1 : 1));

/** Characters that are written at once: all lines may be more than one string holds. */
const piece = 2 ** 20;

async function writeLines(file: FileHandle, records: Iterable<SteeredRecord>): Promise<void> {
  let text = '';
  for (const record of records) {
    text += `${JSON.stringify(record)}\n`;
    if (text.length < piece) continue;
    await file.writeFile(text);
    text = '';
  }
  await file.writeFile(text);
}

/** The figure, or where no random latent has an effect a line that says so. */
async function svgOf({ rows, summary }: SteeringResult): Promise<string> {
  const figure = figureOf(rows, summary);
  // loaded when a figure is drawn: it would double the time in which any command starts
  if (figure.random.length > 0) return (await import('./figureSvg.ts')).steeringSvg(figure);
  const font = `font-family="'Open Sans', sans-serif" font-size="14"`;
  const ground = '<rect width="100%" height="100%" fill="white"/>';
  const text = `<text x="20" y="35">${nothingToDraw}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="60" ${font}>${ground}${text}</svg>\n`;
}

export async function writeSteering(
  folder: string,
  { rows, summary }: SteeringResult,
  steered: Iterable<SteeredRecord>,
): Promise<void> {
  const svg = await svgOf({ rows, summary });
  const { steeringPng } = await import('./figurePng.ts');
  const png = await steeringPng(svg);
  const put = (name: string, content: string | Uint8Array) =>
    replaceFile(join(folder, name), async (file) => {
      await file.writeFile(content);
    });
  await put(resultFiles.steering, new Uint8Array(encodeSteering(rows)));
  await put(resultFiles.steeringSummary, `${JSON.stringify(summary, undefined, 2)}\n`);
  await replaceFile(join(folder, resultFiles.steered), (file) => writeLines(file, steered));
  await put(resultFiles.steeringSvg, svg);
  await put(resultFiles.steeringPng, png);
}
