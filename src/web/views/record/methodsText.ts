/** A study's methods as a paper would tell them: every number from its files, and nothing where a file does not say. */
import { judgeQuality, type StageRecord, type StudyManifest } from '../../../results.ts';
import { count, fixed, percent, plural, signed } from '../../format.ts';
import type { Steering } from '../../study.ts';

type Options = StageRecord['options'];

const numberOf = (options: Options, name: string) =>
  typeof options[name] === 'number' ? options[name] : undefined;
const textOf = (options: Options, name: string) =>
  typeof options[name] === 'string' ? options[name] : undefined;

/** The last part of a path or of `hf:org/name`, or all of it where it is one. */
const nameOf = (path: string) => path.split('/').findLast((part) => part !== '') ?? path;

/** Parts that are known, in one sentence. */
const listed = (parts: readonly (string | undefined | false)[]) => parts.filter(Boolean).join(', ');

function sampled({ options, counts, inputs }: StageRecord): string {
  const { completions, prompts, ended } = counts;
  const model = inputs.subject && nameOf(inputs.subject.path);
  const adapter = inputs.subjectAdapter && `adapter ${nameOf(inputs.subjectAdapter.path)}`;
  const [temperature, topP, most, seed] = ['temperature', 'top_p', 'max_tokens', 'seed'].map((name) =>
    numberOf(options, name),
  );
  const how = listed([
    model,
    adapter,
    temperature !== undefined && `temperature ${temperature}`,
    topP !== undefined && topP !== 1 && `top-p ${topP}`,
    most !== undefined && `at most ${most} tokens`,
    seed !== undefined && `seed ${seed}`,
  ]);
  const share =
    ended !== undefined && completions ? ` ${percent(ended / completions)} of them ended by themselves.` : '';
  return `We sampled ${count(completions ?? 0)} completions of ${plural(prompts ?? 0, 'prompt')} from the subject model${how === '' ? '' : ` (${how})`}.${share}`;
}

function graded({ options, counts }: StageRecord): string {
  const kind = textOf(options, 'kind');
  const known = judgeQuality(counts);
  const quality = known
    ? ` On ${plural(known.heldOut, 'prompt')} held out the judge was right for ${percent(known.accuracy, 1)} of the answers.`
    : '';
  return `A judge${kind === undefined ? '' : ` (${kind})`} graded ${count(counts.grades ?? 0)}: ${count(counts.positive ?? 0)} positive, ${count(counts.negative ?? 0)} negative, ${count(counts.incoherent ?? 0)} incoherent.${quality}`;
}

function paired({ counts, options }: StageRecord): string {
  const each = options.per_prompt === 'all' ? ', all with all,' : '';
  return `From these we formed ${plural(counts.pairs ?? 0, 'pair')} of a positive and a negative completion of the same prompt${each} both coherent and ended.`.replace(
    'prompt both',
    'prompt, both',
  );
}

const tokenSets: Readonly<Record<string, string>> = {
  prompt: 'the tokens of the prompt',
  completion: 'the tokens of the completion',
  all: 'the tokens of prompt and completion',
};

function attributed({ options, counts, inputs }: StageRecord, site: string | undefined): string {
  const tokens = tokenSets[textOf(options, 'tokens') ?? ''];
  const loss = textOf(options, 'loss') === 'sum' ? 'summed' : 'mean';
  const dictionary = inputs.sae ? ` (${nameOf(inputs.sae.path)})` : '';
  const pairs = counts.pairs === undefined ? 'pairs' : `the ${plural(counts.pairs, 'pair')}`;
  return `For each of the ${count(counts.latents ?? 0)} latents of a sparse autoencoder${dictionary}${site === undefined ? '' : ` at ${site}`} we estimated to first order how mean ablation of its direction d changes the loss, −(g·d)((a − ā)·d), with g the gradient of the ${loss} cross-entropy of the completion's tokens; averaged over ${tokens ?? 'tokens'}, attention sinks left out, positive minus negative completion, and over ${pairs}.`;
}

function steered({ options }: StageRecord, { summary }: Steering): string {
  const { selectors, random, norm, zone, alone, behaviour } = summary;
  const named = selectors.map(({ selector, candidates }) => `${selector} (${candidates})`).join(', ');
  const doses = Array.isArray(options.doses) ? ` of ${options.doses.join(', ')}` : '';
  const incoherent = numberOf(options, 'incoherent');
  const bound = incoherent === undefined ? '' : ` by at most ${percent(incoherent)}`;
  const range = ({ low, high }: { low: number; high: number }) =>
    `${signed(100 * low, 1)} to ${signed(100 * high, 1)}`;
  const share = ({ positives, coherent }: { positives: number; coherent: number }) =>
    percent(positives / coherent);
  return `Candidates were proposed by ${named}. Each was steered alone, the subject away from it (α < 0) and the reference model toward it (α > 0), by a ← a + α·s·d, with s the mean residual norm (${fixed(norm.away, 1)} and ${fixed(norm.toward, 1)}) and α the strongest${doses} at which the share of incoherent completions on calibration prompts exceeded that of completions left alone${bound}. Left alone, ${share(alone.away)} of the subject's and ${share(alone.toward)} of the reference's completions of the evaluation prompts show ${behaviour}. An effect is the change of that share among coherent completions; its 95 % interval is bootstrapped over prompts. ${plural(random, 'random latent')}, matched in frequency and treated identically, give the gray zone, the central 95 % of their effects: ${range(zone.away)} (away) and ${range(zone.toward)} (toward) percentage points.`;
}

/** Paragraphs of one stage each; empty where nothing was run. */
export function methodsText(manifest: StudyManifest | undefined, steering: Steering | undefined): string[] {
  const { sample, grade, pair, attribute, steer } = manifest?.stages ?? {};
  const version = manifest?.versions.culprit;
  const site = steering?.summary.site ?? (attribute && textOf(attribute.options, 'site'));
  const parts = [
    sample && sampled(sample),
    grade && graded(grade),
    pair && paired(pair),
    attribute && attributed(attribute, site),
    steer && steering && steered(steer, steering),
    version && attribute && `All was computed with culprit ${version}.`,
  ];
  return parts.flatMap((part) => part || []);
}
