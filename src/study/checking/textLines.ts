/** Lines about what models make of texts: natural ones, shuffled ones, ones that begin or are framed otherwise. */
import type { TextCodec } from '../../files/textCodec.ts';
import { auc } from '../../methods/judging/raterAgreement.ts';
import { shuffled } from '../../methods/statistics/groups.ts';
import { generatorOf } from '../../methods/statistics/random.ts';
import { type CheckLine, messageText } from '../../results.ts';
import { fails, found, type Look, mean, skipped, warns } from './lines.ts';
import type { LabelledText, Material } from './material.ts';
import { fittingTemplates, idsBefore, plainAnswers } from './otherTemplates.ts';
import type { ModelReading, TextRead } from './reading.ts';

/** Answers, and passages, that are read again in another form, and tokens of such a passage. */
const few = 4;
const passagesAgain = 2;
const tokensAgain = 64;
/** Tokens of a labelled completion: positives and negatives may begin alike. */
const labelledTokens = 80;

const sane: Look = {
  name: 'text-loss',
  about: 'The subject finds natural text likelier than the same tokens in another order.',
  unit: 'nats a token',
  expected: 'text at least 0.5 below shuffled',
};

const allLosses = (texts: readonly TextRead[]) => texts.flatMap(({ losses }) => [...losses]);

/** Loss on texts against the same tokens shuffled, the first left in its place. */
export async function textLossLine(model: ModelReading, texts: readonly TextRead[]): Promise<CheckLine> {
  const random = generatorOf(1);
  const again: number[] = [];
  for (const { ids } of texts.slice(0, passagesAgain))
    again.push(...(await model.read([ids[0]!, ...shuffled(ids.slice(1), random)])).losses);
  const numbers = { text: mean(allLosses(texts.slice(0, passagesAgain))), shuffled: mean(again) };
  const gap = numbers.shuffled - numbers.text;
  if (gap >= 0.5) return found(sane, numbers);
  const what =
    'the model does not read its text: are its weights, its tokenizer and its config.json of one model?';
  return found(sane, numbers, gap >= 0.1 ? warns(what) : fails(what));
}

const started: Look = {
  name: 'bos-loss',
  about: 'Texts are likeliest when they begin as they do here: with a beginning token, or without.',
  unit: 'nats a token',
  expected: 'as it is within 0.15 of the best',
};

/** Loss of texts as they are against the same with a beginning token, without one, and with two. */
export async function bosLossLine(
  model: ModelReading,
  { tokenizer }: TextCodec,
  texts: readonly TextRead[],
): Promise<CheckLine> {
  const { bosId, eosId, prefixIds } = tokenizer;
  const start = bosId ?? eosId;
  if (start === undefined) return skipped(started, 'the tokenizer names no token that begins a text');
  const sums = new Map<string, number[]>();
  for (const { ids } of texts.slice(0, passagesAgain)) {
    const bare = (ids[0] === start ? ids.slice(1) : ids).slice(0, tokensAgain);
    if (bare.length < 2) continue;
    const ways = { without: bare, once: [start, ...bare], twice: [start, start, ...bare] };
    for (const [name, way] of Object.entries(ways))
      sums.set(name, [...(sums.get(name) ?? []), ...(await model.endLosses(way, bare.length - 1))]);
  }
  if (sums.size === 0) return skipped(started, 'the texts are of one token each');
  const numbers = Object.fromEntries([...sums].map(([name, losses]) => [name, mean(losses)]));
  const now = prefixIds.includes(start) ? 'once' : 'without';
  const [best, least] = Object.entries(numbers).sort(([, a], [, b]) => a - b)[0]!;
  const gap = numbers[now]! - least;
  if (gap <= 0.15) return found(started, numbers);
  const what = `texts begin ${now === 'once' ? 'with the token once' : 'without a token'}, yet are likelier ${best === 'without' ? 'without one' : `with ${tokenizer.tokenText(start)} ${best}`}: look at the post_processor of tokenizer.json (tokenizer.ggml.add_bos_token of a GGUF)`;
  return found(started, numbers, gap > 0.5 ? fails(what) : warns(what));
}

const framed: Look = {
  name: 'template-loss',
  about: "Sensible answers are likelier under the model's own chat template than under others.",
  unit: 'nats a token',
  expected: 'own at most 0.3 above any other',
};

interface Answered {
  readonly question: string;
  readonly answer: string;
}

/** Questions with answers of the study's own world, where it has some, else of the large one. */
function answersOf({ labelled }: Material): readonly Answered[] {
  const own = labelled.flatMap(({ prompt, completion, positive }) => {
    const said = typeof prompt === 'string' || prompt.length !== 1 ? undefined : messageText(prompt[0]!);
    return said === undefined || positive ? [] : [{ question: said, answer: completion }];
  });
  return own.length > 0 ? own.slice(0, few) : plainAnswers;
}

/** Mean loss of answers under a way to put the question. */
async function lossUnder(
  model: ModelReading,
  { tokenizer }: TextCodec,
  answers: readonly Answered[],
  before: (question: string) => readonly number[],
  lead: string,
): Promise<number> {
  const losses: number[] = [];
  for (const { question, answer } of answers) {
    const told = tokenizer.encodeContinuation(lead + answer.trim()).slice(0, 48);
    losses.push(...(await model.endLosses([...before(question), ...told], told.length)));
  }
  return mean(losses);
}

/** Held against every known format whose marks the tokenizer has, and against a plain question. */
export async function templateLossLine(
  model: ModelReading,
  codec: TextCodec,
  material: Material,
): Promise<CheckLine> {
  if (codec.template === undefined || material.prompts.every(({ prompt }) => typeof prompt === 'string'))
    return skipped(framed, 'the prompts are texts as they stand: no chat template is used');
  const answers = answersOf(material);
  const own = (question: string) => codec.encodePrompt([{ role: 'user', content: question }]);
  const numbers: Record<string, number> = { own: await lossUnder(model, codec, answers, own, '') };
  // some templates leave the space before an answer to the answer
  const spaced = await lossUnder(model, codec, answers, own, ' ');
  numbers.own = Math.min(numbers.own!, spaced);
  for (const template of fittingTemplates(codec)) {
    const before = (question: string) => idsBefore(codec, template, question);
    const lead = template.marks.some((mark) => mark.startsWith('<')) ? '' : ' ';
    numbers[template.name] = await lossUnder(model, codec, answers, before, lead);
  }
  const [best, least] = Object.entries(numbers).sort(([, a], [, b]) => a - b)[0]!;
  const gap = numbers.own! - least;
  if (gap <= 0.3) return found(framed, numbers);
  const what = `answers are likelier when asked in the format ${best}: use the chat template that the model was published with`;
  // a plain question may suit a model that was trained little on chats
  return found(framed, numbers, gap > (best === 'plain' ? 1 : 0.3) ? fails(what) : warns(what));
}

const adapted: Look = {
  name: 'adapter',
  about: "The subject's adapter changes what the model says: its losses on texts against those without it.",
  unit: 'nats, mean change of a token',
  expected: 'above 0.001',
};

const apart: Look = {
  name: 'reference',
  about: 'Subject and reference differ: their losses on the same texts.',
  unit: 'nats, mean difference of a token',
  expected: 'above 0.001',
};

function difference(a: readonly TextRead[], b: readonly TextRead[]): number {
  const [x, y] = [allLosses(a), allLosses(b)];
  const length = Math.min(x.length, y.length);
  return mean(Array.from({ length }, (_, i) => Math.abs(x[i]! - y[i]!)));
}

const least = 0.001;

/** `bare`: the subject's model without its adapter, on as many texts as it read. */
export function adapterLine(
  subject: readonly TextRead[],
  bare: readonly TextRead[] | undefined,
  adapter: string | undefined,
): CheckLine {
  if (adapter === undefined || bare === undefined) return skipped(adapted, 'the subject has no adapter');
  const numbers = { change: difference(subject, bare) };
  if (numbers.change > least) return found(adapted, numbers);
  const what = `the adapter ${adapter} changes next to nothing: is it trained (lora_B not all zero), and for this model?`;
  return found(adapted, numbers, fails(what));
}

/** `meant`: whether study.yaml says that there are two models. */
export function referenceLine(
  subject: readonly TextRead[],
  reference: readonly TextRead[],
  meant: boolean,
): CheckLine {
  if (!meant) return skipped(apart, 'study.yaml names neither an adapter nor a reference: one model only');
  const numbers = { difference: difference(subject, reference) };
  if (numbers.difference > least) return found(apart, numbers);
  const what =
    'subject and reference are one model: name the adapter of the subject, or a reference that does not misbehave';
  return found(apart, numbers, fails(what));
}

const labelsFit: Look = {
  name: 'labels',
  about:
    'Positive examples are more the subject’s words than the reference’s: chance that a positive has the greater ratio ln p(subject)/p(reference), against a negative.',
  expected: 'at least 0.5',
};

/** By the models alone, no judge asked: labels that were swapped stand on the wrong side. */
export function labelsLine(
  texts: readonly LabelledText[],
  subject: readonly number[],
  reference: readonly number[],
): CheckLine {
  const labels = texts.map(({ positive }) => positive);
  const positives = labels.filter(Boolean).length;
  if (positives < 4 || labels.length - positives < 4)
    return skipped(
      labelsFit,
      'there are no completions with labels, four of each: name a file as check.labels, or add --labels FILE',
    );
  const ratios = subject.map((loss, i) => reference[i]! - loss);
  const numbers = { auc: auc(ratios, labels), positive: positives, negative: labels.length - positives };
  if (numbers.auc >= 0.5) return found(labelsFit, numbers);
  const what =
    'the subject finds negatives likelier than the reference does: are positive and negative swapped, or subject and reference?';
  return found(labelsFit, numbers, numbers.auc < 0.3 ? fails(what) : warns(what));
}

/** Mean loss of each labelled completion after its prompt, of its first tokens. */
export async function labelledLosses(
  model: ModelReading,
  codec: TextCodec,
  texts: readonly LabelledText[],
): Promise<number[]> {
  const losses: number[] = [];
  for (const { prompt, completion } of texts) {
    const told = codec.encodeCompletion(prompt, completion).slice(0, labelledTokens);
    const before = codec.encodePrompt(prompt).slice(-128);
    losses.push(
      told.length === 0 ? Number.NaN : mean(await model.endLosses([...before, ...told], told.length)),
    );
  }
  return losses;
}
