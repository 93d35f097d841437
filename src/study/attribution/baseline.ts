/** The baseline ā of a study: of a file, of a corpus, or over the study's own prompts. */

import type { Prompt } from '../../results.ts';
import type { OpenModel } from '../open/openModel.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import { completionsAreImported } from '../open/records.ts';
import type { Hashed, OpenStudy } from '../open/study.ts';
import { tokensUpTo } from '../open/tokenCount.ts';
import { jsonHash } from '../store/hash.ts';
import type { RowStore } from '../store/rowStore.ts';
import { readBaseline } from './attributeRun.ts';
import { corpusBaseline, corpusTokens, withinLimits } from './baselineRun.ts';

/**
 * The prompts of the study: of its files, `prompts.file` first, each in the file's own order; or of the
 * completions where those were imported.
 */
export async function allPrompts(study: OpenStudy): Promise<Prompt[]> {
  if (await completionsAreImported(study.folder)) {
    const completions = await study.completions();
    return [...new Map(completions.map(({ prompt_id, prompt }) => [prompt_id, prompt])).values()];
  }
  const { discovery, evaluation, calibration, others } = await study.prompts();
  const all = [...discovery, ...evaluation, ...calibration, ...others];
  const later = ({ file }: StudyPrompt) => Number(file !== study.config.prompts?.file);
  return all.sort((a, b) => later(a) - later(b) || a.row - b.row).map(({ prompt }) => prompt);
}

/** What the baseline is taken from: a file of it, a corpus, or the study's own prompts. */
export async function baselineInputs(study: OpenStudy): Promise<{
  readonly inputs: Record<string, Hashed>;
  readonly options: Record<string, string | number>;
}> {
  const { baseline } = study.config;
  if (baseline === undefined)
    return {
      inputs: {},
      options: { baseline: 'prompts', baseline_prompts: jsonHash(await allPrompts(study)) },
    };
  if ('file' in baseline) return { inputs: { baseline: await study.hashed(baseline.file) }, options: {} };
  return {
    inputs: { baselineCorpus: await study.hashed(baseline.corpus) },
    options: { baseline_tokens: baseline.max_tokens },
  };
}

/** Tokens of the study's prompts, within the limits of a corpus. */
async function promptTokens(study: OpenStudy, { model, codec }: OpenModel): Promise<number[][]> {
  const { passages, add } = withinLimits({}, model);
  for (const prompt of await allPrompts(study)) if (!add(codec.encodePrompt(prompt))) break;
  return passages;
}

export async function studyBaseline(
  study: OpenStudy,
  opened: OpenModel,
  layer: number,
  store: RowStore,
): Promise<Float32Array> {
  const { baseline } = study.config;
  const { model } = opened;
  if (baseline !== undefined && 'file' in baseline)
    return readBaseline(baseline.file, model.decoder.width, layer);
  return store.mean(async () => {
    const passages =
      baseline === undefined
        ? await promptTokens(study, opened)
        : await corpusTokens(baseline.corpus, opened, { maxTokens: baseline.max_tokens });
    return (await corpusBaseline(study.runtime(), model, layer, passages, study.progress)).mean;
  });
}

/** Tokens that the baseline is to be measured on; none where a file has it. */
export async function baselineSize(study: OpenStudy): Promise<number> {
  const { baseline, subject } = study.config;
  if (baseline !== undefined && 'file' in baseline) return 0;
  const opened = await study.model(subject);
  const passages =
    baseline === undefined
      ? await promptTokens(study, opened)
      : await corpusTokens(baseline.corpus, opened, { maxTokens: baseline.max_tokens });
  return tokensUpTo(passages, Number.POSITIVE_INFINITY);
}

/** Throws InputError where a file of the baseline does not fit, or a corpus has no tokens. */
export async function checkBaseline(study: OpenStudy, layer: number): Promise<void> {
  const { baseline, subject } = study.config;
  const { model, codec } = await study.model(subject);
  if (baseline !== undefined && 'file' in baseline)
    await readBaseline(baseline.file, model.decoder.width, layer);
  if (baseline !== undefined && 'corpus' in baseline)
    await corpusTokens(baseline.corpus, { model, codec }, { maxTokens: 1 });
}
