/**
 * Stage 1: completions of the discovery prompts, drawn from the subject. Each depends on its prompt and its
 * own seed alone.
 */

import { createHash } from 'node:crypto';
import type { TextCodec } from '../../files/textCodec.ts';
import type { Completion } from '../../methods/completions/sample.ts';
import { type CompletionRecord, completionRecord, resultFiles } from '../../results.ts';
import { leftToTheStudy } from '../config/schema.ts';
import { type SamplingConfig, samplingSection } from '../config/sections/sampling.ts';
import { factsWork, keepFacts, keptFacts } from '../engines/keptFacts.ts';
import { engineField, engineIdentity, engineOf } from '../engines/openEngine.ts';
import type { StudyPrompt } from '../open/promptsFile.ts';
import { completionsAreImported } from '../open/records.ts';
import { type StageOutcome, studyStage } from '../open/stage.ts';
import { beforeStop, stopsAt, textOf } from '../open/stopTexts.ts';
import type { OpenStudy } from '../open/study.ts';
import { runUnits, stageOf, type UnitPlan, type UnitResult, unitsOf } from '../open/units.ts';
import { promptHash } from '../store/contentHash.ts';
import { stageState } from '../store/stageState.ts';

const idOf = (prompt: StudyPrompt, index: number) => `${prompt.id}/${index}`;

/** A completion's seed: 32 bits of a hash, so that it is the same whatever else is sampled. */
function seedOf(seed: number, prompt: StudyPrompt, index: number): number {
  return createHash('sha256')
    .update(JSON.stringify([seed, prompt.id, index]))
    .digest()
    .readInt32LE();
}

/** What a completion depends on, beside prompt and seed. */
function unitOptions({ temperature, top_p, top_k, min_p, max_tokens, stop, seed }: SamplingConfig) {
  return {
    temperature,
    top_p,
    max_tokens,
    seed,
    ...(top_k !== undefined && { top_k }),
    ...(min_p !== undefined && { min_p }),
    ...(stop !== undefined && { stop }),
  };
}

async function samplePlan(study: OpenStudy): Promise<UnitPlan<typeof completionRecord>> {
  const { config } = study;
  const prompts = await study.prompts();
  const { completions } = config.sampling;
  const hashes = new Map(prompts.discovery.map((prompt) => [prompt.id, promptHash(prompt.prompt)]));
  const engine = engineIdentity(study, config.subject);
  const plan: UnitPlan<typeof completionRecord> = {
    name: 'sample',
    file: resultFiles.completions,
    schema: completionRecord,
    idOf: ({ id }) => id,
    order: prompts.discovery.flatMap((prompt) =>
      Array.from({ length: completions }, (_, index) => idOf(prompt, index)),
    ),
    fits: ({ prompt_id, prompt }) => hashes.get(prompt_id) === promptHash(prompt),
    unitOptions: { ...unitOptions(config.sampling), ...(engine && { engine }) },
    computed: true,
    inputs: await study.modelHashes('subject', config.subject),
    units: { completions, prompts: Object.fromEntries(hashes) },
  };
  if (engine === undefined) return plan;
  const stage = stageOf(plan, study.recorder.versions);
  return {
    ...plan,
    work: [factsWork(study.folder, stage)],
    engines: () => keptFacts(study.folder, stage),
  };
}

function recordOf(
  codec: TextCodec,
  prompt: StudyPrompt,
  index: number,
  { ids, logProbabilities, stop }: Completion,
  stops: readonly string[],
  seed: number,
): CompletionRecord {
  return {
    id: idOf(prompt, index),
    prompt_id: prompt.id,
    index,
    prompt: prompt.prompt,
    text: beforeStop(textOf(codec, ids), stops).text,
    ids,
    log_probabilities: logProbabilities,
    stop,
    seed,
    model: 'subject',
  };
}

/** Samples what is missing. */
async function runSample(study: OpenStudy): Promise<StageOutcome<UnitResult<CompletionRecord>>> {
  const { config, progress } = study;
  const { sampling } = config;
  const prompts = await study.prompts();
  const plan = await samplePlan(study);
  return runUnits(
    study,
    plan,
    async ({ missing, begin, save }) => {
      const { codec } = await study.model(config.subject);
      const engine = engineOf(study, config.subject);
      const indices = (prompt: StudyPrompt) =>
        Array.from({ length: sampling.completions }, (_, index) => index).filter((index) =>
          missing.has(idOf(prompt, index)),
        );
      const wanted = prompts.discovery.filter((prompt) => indices(prompt).length > 0);
      const { max_tokens: maxTokens } = sampling;
      const what = `sampling.max_tokens ${maxTokens}`;
      const ids = await study.encoded(config.subject, wanted, { maxTokens, what });
      const jobs = wanted.map((prompt, i) => ({
        prompt: ids[i]!,
        seeds: indices(prompt).map((index) => seedOf(sampling.seed, prompt, index)),
      }));
      const stops = sampling.stop ?? [];
      const samples = await engine.sampler({
        rows: Math.min(sampling.rows, missing.size),
        capacity: Math.max(...ids.map(({ length }) => length)) + sampling.max_tokens,
      });
      await keepFacts(study.folder, stageOf(plan, study.recorder.versions), [engine]);
      begin();
      const stage = progress.stage('Sampling', plan.order.length, plan.order.length - missing.size);
      try {
        await samples.sample(
          jobs,
          {
            temperature: sampling.temperature,
            topK: sampling.top_k,
            topP: sampling.top_p,
            minP: sampling.min_p,
            maxTokens: sampling.max_tokens,
            endIds: codec.endOfTurnIds,
            stops: stopsAt(codec, stops),
          },
          async (job, completion, sampled) => {
            const prompt = wanted[job]!;
            const index = indices(prompt)[completion]!;
            const seed = jobs[job]!.seeds[completion]!;
            await save([recordOf(codec, prompt, index, sampled, stops, seed)]);
            stage.advance();
          },
        );
      } finally {
        stage.end();
      }
      await samples.release();
      return undefined;
    },
    (records) => ({
      completions: records.length,
      prompts: new Set(records.map(({ prompt_id }) => prompt_id)).size,
      tokens: records.reduce((sum, { ids }) => sum + (ids?.length ?? 0), 0),
      ended: records.filter(({ stop }) => stop !== 'length').length,
    }),
  );
}

/** Throws InputError where a server is not what study.yaml has it be, unless nothing is left to ask of it. */
async function checkEngine(study: OpenStudy): Promise<void> {
  const { folder, config, recorder } = study;
  if (engineIdentity(study, config.subject) === undefined) return;
  const { done } = await stageState(folder, stageOf(await samplePlan(study), recorder.versions));
  if (!done) await engineOf(study, config.subject).ready();
}

export const sampleStage = studyStage({
  name: 'sample',
  about: 'completions of the discovery prompts, drawn from the subject',
  needs: [],
  outputs: [resultFiles.completions],
  section: samplingSection(engineField()),
  imported: completionsAreImported,
  skip: ({ config }) => leftToTheStudy(config),
  plan: async (study) => stageOf(await samplePlan(study), study.recorder.versions),
  async check(study) {
    await study.model(study.config.subject);
    if (study.config.prompts === undefined || (await completionsAreImported(study.folder))) return;
    await study.prompts();
    await checkEngine(study);
  },
  run: runSample,
  units: async (study) => ({
    ...(await unitsOf(study, await samplePlan(study))),
    abreast: { units: study.config.sampling.rows, firstAlone: false },
  }),
  async estimate({ config: { sampling } }, { prompt, token, status }) {
    const tokens = status.left * (prompt / sampling.completions + sampling.max_tokens);
    const note = `completions of at most ${sampling.max_tokens} tokens, prompts of ${Math.round(prompt)} on average`;
    return { seconds: tokens * token, note };
  },
});
