/**
 * Everything that may be wired wrongly, looked at once: some of the study's prompts are answered by both
 * models, texts are read by both, the dictionary and the judge are tried. Knows neither manifest nor stage.
 */
import { InputError } from '../../errors.ts';
import { firstCompletions, samplingSanity } from '../../methods/check/sampling.ts';
import type { TextSite } from '../../methods/check/textPass.ts';
import {
  type Completion,
  type SampleJob,
  type SampleOptions,
  sampler,
} from '../../methods/completions/sample.ts';
import { randomDirection } from '../../methods/statistics/random.ts';
import { meanNorm } from '../../methods/steering/meanNorm.ts';
import type { CheckLine } from '../../results.ts';
import { readBaseline } from '../attribution/attributeRun.ts';
import type { OpenModel } from '../open/openModel.ts';
import { beforeStop, stopsAt, textOf } from '../open/stopTexts.ts';
import type { FittingDictionary, OpenStudy } from '../open/study.ts';
import { withoutCausalTest } from '../steering/causalTestChecks.ts';
import { gradientLines, withoutGradient } from './gradientLine.ts';
import { fails, found, type Look, skipped } from './lines.ts';
import { type Material, materialOf } from './material.ts';
import { promptsLine } from './promptLines.ts';
import { type ModelReading, modelReading, type TextRead } from './reading.ts';
import { diskLine, memoryLine, timeLine } from './roomLines.ts';
import { baselineLine, rowsOf, saeLines, saeLooks, sitesAround } from './saeLines.ts';
import { samplingLines, withoutSampling } from './samplingLines.ts';
import {
  adapterLine,
  bosLossLine,
  labelledLosses,
  labelsLine,
  referenceLine,
  templateLossLine,
  textLossLine,
} from './textLines.ts';
import { bosLine, roundTripLine, templateLine } from './tokenLines.ts';
import { verdictLines, whyNotAsked } from './verdictLines.ts';

/** Tokens of an answer at most, and answers that are sampled a second time alone. */
const answerTokens = 40;
const aloneAgain = 2;
/** Prompts with their answers that are read as texts where no corpus is named. */
const ownTexts = 8;
/** Texts that the subject's model without its adapter reads. */
const bareTexts = 2;

const site: Look = {
  name: 'site',
  about:
    'The dictionary was trained at a site that this model has: the residual stream after one of its blocks.',
  expected: 'one of its blocks',
};

/** What the work goes on with, and lines in the order that they were found. */
interface Work {
  readonly study: OpenStudy;
  readonly subject: OpenModel;
  readonly reference: OpenModel;
  /** whether they are two models, as study.yaml has it */
  readonly two: boolean;
  readonly material: Material;
  readonly layer: number;
  readonly dictionary: FittingDictionary | undefined;
}

/** The dictionary with the line about its place; without one, a layer at which models can be read all the same. */
async function placed(study: OpenStudy, { model }: OpenModel) {
  try {
    const dictionary = await study.dictionary();
    const numbers = { resid_post: dictionary.layer, blocks: model.decoder.blocks };
    return { dictionary, layer: dictionary.layer, line: found(site, numbers) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const embedding = (await study.sae().catch(() => undefined))?.trainedOn.hook;
    const at = embedding === undefined ? '' : ` (its files say ${embedding})`;
    const layer = Math.floor(model.decoder.blocks / 2);
    return { dictionary: undefined, layer, line: found(site, {}, fails(`${error.message}${at}`)) };
  }
}

interface Answers {
  readonly jobs: readonly SampleJob[];
  readonly made: readonly Completion[];
  readonly lines: readonly CheckLine[];
}

function sampleOptions({ config }: OpenStudy, { codec }: OpenModel): SampleOptions {
  const { temperature, top_p, top_k, min_p, max_tokens, stop = [] } = config.sampling;
  return {
    temperature,
    topP: top_p,
    topK: top_k,
    minP: min_p,
    maxTokens: Math.min(max_tokens, answerTokens),
    endIds: codec.endOfTurnIds,
    stops: stopsAt(codec, stop),
  };
}

/** Answers that are needed: for the judge, as texts where no corpus is named, to be sampled again alone. */
async function answersNeeded({ study, material }: Work): Promise<{ own: number; judged: number }> {
  const judged = (await whyNotAsked(study)) === undefined ? study.config.check.answers : 0;
  return { own: Math.max(judged, aloneAgain, material.passages.length > 0 ? 0 : ownTexts), judged };
}

/** One answer of a model to each of the first prompts; `sane`: steered and alone again, too. */
async function answersOf(work: Work, opened: OpenModel, count: number, sane: boolean): Promise<Answers> {
  const { study, material, layer } = work;
  const asked = material.prompts.slice(0, count);
  if (asked.length === 0) {
    const lines = withoutSampling('no prompt leaves room for an answer');
    return { jobs: [], made: [], lines };
  }
  const jobs = asked.map(
    ({ ids }, i): SampleJob => ({ prompt: ids, seeds: [study.config.sampling.seed + i] }),
  );
  const options = sampleOptions(study, opened);
  const runtime = study.runtime();
  const direction = randomDirection(opened.model.decoder.width, 1).direction;
  const prompts = asked.slice(0, 2).map(({ ids }) => ids);
  const norm = sane ? await meanNorm(runtime, opened.model, layer, prompts) : 0;
  const loaded = await sampler(runtime, opened.model, {
    rows: jobs.length,
    capacity: Math.max(...asked.map(({ ids }) => ids.length)) + options.maxTokens,
    ...(sane && { steerAt: layer }),
  });
  const made = await firstCompletions(loaded, jobs, options);
  const lines = sane
    ? samplingLines(await samplingSanity(loaded, jobs, made, options, { direction, norm, again: aloneAgain }))
    : [];
  await loaded.release();
  return { jobs, made, lines };
}

/** Texts to read: passages of a corpus, else prompts with their answers. */
const textsOf = ({ material }: Work, { jobs, made }: Answers) =>
  material.passages.length > 0
    ? material.passages
    : jobs.slice(0, ownTexts).map(({ prompt }, i) => [...prompt, ...made[i]!.ids].slice(-256));

async function readTexts(reading: ModelReading, texts: readonly (readonly number[])[]): Promise<TextRead[]> {
  const read: TextRead[] = [];
  for (const ids of texts) if (ids.length > 1) read.push(await reading.read(ids));
  return read;
}

/** The subject without its adapter, on the first texts; undefined where it has none. */
async function bareRead(
  { study, layer }: Work,
  texts: readonly TextRead[],
  byReference: readonly TextRead[],
): Promise<readonly TextRead[] | undefined> {
  const { model, adapter } = study.config.subject;
  if (adapter === undefined) return undefined;
  const { reference } = study.config;
  if (reference.model === model && reference.adapter === undefined) return byReference;
  const bare = await study.model({ model });
  const reading = await modelReading(study.runtime(), bare.model, layer, [layer]);
  const read = await readTexts(
    reading,
    texts.slice(0, bareTexts).map(({ ids }) => ids),
  );
  await reading.release();
  return read;
}

const dictionarySkipped = (why: string) => saeLooks.map((look) => skipped(look, why));

interface ReadLines {
  readonly lines: readonly CheckLine[];
  /** of the subject alone, texts read one by one */
  readonly speed: { readonly tokens: number; readonly seconds: number };
}

/** What both models make of texts, and the dictionary of their residuals. */
async function readLines(work: Work, answers: Answers): Promise<ReadLines> {
  const { study, subject, reference, material, layer, dictionary, two } = work;
  const runtime = study.runtime();
  const sites: TextSite[] = dictionary ? sitesAround(subject.model, layer) : [layer];
  const own = await modelReading(runtime, subject.model, layer, sites);
  const start = study.clock().getTime();
  const texts = await readTexts(own, textsOf(work, answers));
  const seconds = (study.clock().getTime() - start) / 1000;
  if (texts.length === 0)
    throw new InputError(`${study.file}: expected texts of two tokens or more to check`);
  const [job, made] = [answers.jobs[0], answers.made[0]];
  const lines = [
    await textLossLine(own, texts),
    await bosLossLine(own, subject.codec, texts),
    await templateLossLine(own, subject.codec, material),
    ...(job && made
      ? await gradientLines(
          own,
          { layer, width: subject.model.decoder.width },
          job.prompt,
          made,
          dictionary?.sae,
        )
      : withoutGradient('no answer of the subject could be sampled')),
  ];
  const labelled = await labelledLosses(own, subject.codec, material.labelled);
  const other = two ? await modelReading(runtime, reference.model, layer, [layer]) : undefined;
  const read = other
    ? await readTexts(
        other,
        texts.map(({ ids }) => ids),
      )
    : texts;
  lines.push(
    adapterLine(texts, await bareRead(work, texts, read), study.config.subject.adapter),
    referenceLine(texts, read, two),
    labelsLine(
      material.labelled,
      labelled,
      other ? await labelledLosses(other, reference.codec, material.labelled) : labelled,
    ),
  );
  if (dictionary === undefined) lines.push(...dictionarySkipped('see site'));
  else {
    const { sae } = dictionary;
    const sides = { runtime, sae, layer, model: subject.model, subject: { texts, reading: own } };
    lines.push(...(await saeLines(sides, other && { texts: read, reading: other })));
    const { baseline } = study.config;
    const given =
      baseline && 'file' in baseline ? await readBaseline(baseline.file, sae.width, layer) : undefined;
    lines.push(await baselineLine(sae, rowsOf(texts, layer, sae.width).rows, given));
  }
  await Promise.all([own.release(), other?.release()]);
  return { lines, speed: { tokens: texts.reduce((sum, { ids }) => sum + ids.length, 0), seconds } };
}

function judgeItems(work: Work, { made }: Answers, opened: OpenModel) {
  const stops = work.study.config.sampling.stop ?? [];
  return made.map((one, i) => {
    const { id, prompt } = work.material.prompts[i]!;
    const completion = beforeStop(textOf(opened.codec, one.ids), stops).text;
    return { id, prompt, completion, ended: one.stop !== 'length' };
  });
}

/** All lines, in the order of a run. Throws InputError as opening the study's parts does. */
export async function checkLines(study: OpenStudy): Promise<CheckLine[]> {
  const { config } = study;
  const [subject, reference] = [await study.model(config.subject), await study.model(config.reference)];
  const { line: siteLine, ...at } = await placed(study, subject);
  const material = await materialOf(study, subject);
  const two =
    config.subject.adapter !== undefined ||
    config.reference.adapter !== undefined ||
    config.reference.model !== config.subject.model ||
    withoutCausalTest({ config }) === undefined ||
    /^reference:/m.test(study.text);
  const work: Work = { study, subject, reference, two, material, ...at };
  const stage = study.progress.stage('Checking', 4);
  try {
    const needed = await answersNeeded(work);
    const answers = await answersOf(work, subject, needed.own, true);
    stage.advance();
    const others =
      two && needed.judged > 0 ? await answersOf(work, reference, needed.judged, false) : undefined;
    stage.advance();
    const read = await readLines(work, answers);
    stage.advance();
    const asked = judgeItems(work, answers, subject).slice(0, needed.judged);
    const verdicts = await verdictLines(study, {
      subject: asked,
      reference: others ? judgeItems(work, others, reference) : [],
      labelled: material.labelled,
      apart: material.labels === 'check.labels',
    });
    stage.advance();
    const longest = Math.max(0, ...material.prompts.map(({ ids }) => ids.length));
    const texts = [
      ...material.labelled.map(({ completion }) => completion),
      ...asked.map(({ completion }) => completion),
      ...material.prompts.map(({ prompt }) =>
        typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n'),
      ),
    ].filter((text) => text !== '');
    return [
      roundTripLine(subject.codec, texts),
      templateLine(
        subject.codec,
        material.prompts.map(({ prompt }) => prompt),
      ),
      bosLine(
        subject.codec,
        material.prompts.map(({ ids }) => ids),
      ),
      siteLine,
      ...read.lines,
      ...answers.lines,
      ...verdicts,
      promptsLine(config.prompts === undefined ? undefined : await study.prompts()),
      await diskLine(study, at.dictionary?.sae),
      memoryLine(study, subject.model, at.dictionary?.sae, longest),
      timeLine(study, read.speed),
    ];
  } finally {
    stage.end();
  }
}
