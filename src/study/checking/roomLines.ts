/** Lines about what a run takes: disk, memory, time. Bounds, not estimates: a run that has less may fail. */
import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import type { Model } from '../../models/decoder.ts';
import type { CheckLine } from '../../results.ts';
import { heldValues, isReadInBlocks } from '../../saes/encoder.ts';
import type { Sae } from '../../saes/sae.ts';
import { sizeOf } from '../../tensor.ts';
import type { OpenStudy } from '../open/study.ts';
import { withoutCausalTest } from '../steering/causalTestChecks.ts';
import { causalTestSize } from '../steering/size.ts';
import { fails, found, type Look, skipped, warns } from './lines.ts';

const disk: Look = {
  name: 'disk',
  about: "The results' folder has room for the results.",
  unit: 'MB',
  expected: 'free at least twice what is needed',
};

const memory: Look = {
  name: 'memory',
  about: 'Memory that is free holds the weights, the cache of the sampler and the dictionary.',
  unit: 'MB',
  expected: 'free at least what is needed',
};

const time: Look = {
  name: 'time',
  about: 'How long all completions of the study take at the speed measured just now.',
  unit: 'hours',
  expected: 'at most 48',
};

const mega = 2 ** 20;
/** Bytes of a token of a completion, its text, id and ln p, in a file of records. */
const bytesPerToken = 40;
const bytesPerCompletion = 400;

/** Completions of the whole study, and their most tokens. */
function sampled({ config }: OpenStudy): { completions: number; tokens: number } {
  const { sampling, steering, prompts } = config;
  const own = (prompts?.discovery ?? 0) * sampling.completions;
  const test =
    withoutCausalTest({ config }) === undefined ? causalTestSize(steering, prompts).completions : 0;
  const { max_tokens = sampling.max_tokens } = steering;
  return { completions: own + test, tokens: own * sampling.max_tokens + test * max_tokens };
}

export async function diskLine(study: OpenStudy, sae: Sae | undefined): Promise<CheckLine> {
  const { completions, tokens } = sampled(study);
  const { pairs, attribution } = study.config;
  const d = sae?.width ?? 0;
  const arrays = 4 * (d * d + (sae?.latents ?? 0) * 8 + 2 * pairs.limit * attribution.top);
  const needed = (completions * bytesPerCompletion + tokens * bytesPerToken + arrays) / mega;
  const { bavail, bsize } = await statfs(study.folder);
  const numbers = { free: (bavail * bsize) / mega, needed };
  if (numbers.free >= 2 * needed) return found(disk, numbers);
  const what = `make room on the disk of ${study.folder}, or lower steering.completions, prompts.evaluation or sampling.max_tokens`;
  return found(disk, numbers, numbers.free < needed ? fails(what) : warns(what));
}

const bytesOf = (model: Model) =>
  [...model.weights.values()].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);

/** Encoder and decoder in float32, or the blocks that they are read in. */
const bytesOfSae = (sae: Sae) => 8 * (isReadInBlocks(sae) ? heldValues : sae.width * sae.latents);

export function memoryLine(
  { config }: OpenStudy,
  model: Model,
  sae: Sae | undefined,
  longestPrompt: number,
): CheckLine {
  const { rows, max_tokens } = config.sampling;
  const { width, blocks } = model.decoder;
  const cache = 4 * 2 * width * blocks * (rows + 1) * (longestPrompt + max_tokens);
  const needed = (1.5 * bytesOf(model) + cache + (sae ? bytesOfSae(sae) : 0)) / mega;
  const numbers = { free: freemem() / mega, needed };
  if (numbers.free >= needed) return found(memory, numbers);
  return found(memory, numbers, warns('close other programs, or lower sampling.rows in study.yaml'));
}

/** `seconds`: of so many tokens of texts that were read; sampling many answers side by side is about as fast. */
export function timeLine(study: OpenStudy, measured: { tokens: number; seconds: number }): CheckLine {
  const { tokens, completions } = sampled(study);
  const numbers = { about: ((tokens / measured.tokens) * measured.seconds) / 3600 };
  if (completions === 0) return skipped(time, 'the study samples nothing: its completions are imported');
  if (numbers.about <= 48) return found(time, numbers);
  const what =
    '`culprit run --dry-run` says what takes how long; lower steering.candidates, prompts.evaluation or sampling.max_tokens';
  return found(time, numbers, warns(what));
}
