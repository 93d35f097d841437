/** Lines about tokens: the round trip, the chat template, the token that begins a text. */
import type { TextCodec } from '../../files/textCodec.ts';
import { type CheckLine, messageText, type Prompt } from '../../results.ts';
import { fails, found, type Look, skipped, warns } from './lines.ts';

const roundTrip: Look = {
  name: 'tokenizer',
  about: 'Texts of prompts and completions, made tokens and text again, are what they were.',
  expected: 'no text changed',
};

/** Texts that come back otherwise than they went in. */
export function roundTripLine(codec: TextCodec, texts: readonly string[]): CheckLine {
  const { tokenizer } = codec;
  const same = (text: string) => tokenizer.decode(tokenizer.encode(text)) === text;
  const space = (text: string) => tokenizer.decode(tokenizer.encode(text)).trim() === text.trim();
  const changed = texts.filter((text) => !same(text));
  const worse = changed.filter((text) => !space(text));
  const numbers = { texts: texts.length, changed: changed.length };
  if (changed.length === 0) return found(roundTrip, numbers);
  const example = JSON.stringify((worse[0] ?? changed[0]!).slice(0, 60));
  if (worse.length === 0)
    return found(roundTrip, numbers, warns(`only spaces at the ends change, as in ${example}`));
  return found(
    roundTrip,
    numbers,
    fails(`the tokenizer loses part of ${example}: use the tokenizer.json that the model was published with`),
  );
}

const templated: Look = {
  name: 'template',
  about:
    "The chat template holds the user's text once, opens the assistant's turn, and its marks are single tokens.",
  expected: 'text once, a header for the answer, no mark in pieces',
};

/** Marks of chat formats, as they stand in a prompt's text. */
const marks = /<\|[^|<>\s]{1,40}\|>|<\/?(?:start|end)_of_turn>|<\/?s>|\[\/?(?:INST|SYS\w*)\]|<<\/?SYS>>/g;

/** The text with what the user said taken out. */
const frameOf = (text: string, prompt: Exclude<Prompt, string>) =>
  prompt.reduce((left, message) => left.replace(messageText(message).trim(), ' '), text);

const countIn = (text: string, part: string) => (part === '' ? 0 : text.split(part).length - 1);

/** Special tokens that look like marks of a chat and have no part in this text. */
function unusedMarks({ tokenizer }: TextCodec, frame: string): string[] {
  const { bos_token, eos_token, pad_token, unk_token } = tokenizer.specialTokens;
  const plain = new Set([pad_token, unk_token]);
  return [...tokenizer.specialIds]
    .map((id) => tokenizer.tokenText(id))
    .filter((text) =>
      /^<\|?(im_|start_|end_of_turn|eot|turn|user|assistant|system)|^\[\/?INST\]$/i.test(text),
    )
    .filter((text) => !plain.has(text) && !frame.includes(text))
    .concat(
      [bos_token, eos_token].filter((text) => text !== undefined && /_start|turn/.test(text)) as string[],
    )
    .filter((text) => !frame.includes(text));
}

/** What is wrong with how the template frames a chat; undefined where nothing is. */
function framing(codec: TextCodec, prompt: Exclude<Prompt, string>) {
  const withHeader = codec.chatText(prompt, { addGenerationPrompt: true });
  const without = codec.chatText(prompt, { addGenerationPrompt: false });
  const asked = prompt.filter(({ role }) => role === 'user').at(-1);
  const said = asked === undefined ? '' : messageText(asked).trim();
  const frame = frameOf(withHeader, prompt);
  const split = [...new Set(frame.match(marks) ?? [])].filter(
    (mark) => codec.tokenizer.encode(mark).length > 1,
  );
  return {
    times: countIn(withHeader, said),
    header: Number(withHeader.length > without.length && withHeader.startsWith(without.trimEnd())),
    split,
    unused: unusedMarks(codec, frame),
  };
}

/** Of the template alone: whether it is the model's, `templateLossLine` tells by the loss. */
export function templateLine(codec: TextCodec, prompts: readonly Prompt[]): CheckLine {
  const chats = prompts.filter((prompt) => typeof prompt !== 'string');
  if (chats.length === 0 && codec.template === undefined)
    return skipped(templated, 'the prompts are texts as they stand, and the model has no chat template');
  if (chats.length === 0)
    return found(
      templated,
      { prompts: prompts.length, chats: 0 },
      warns(
        'the model has a chat template, but the prompts are texts as they stand: name their field as prompts.field to have each taken as a user message, unless this is meant',
      ),
    );
  const looked = chats.map((prompt) => framing(codec, prompt));
  const split = [...new Set(looked.flatMap((one) => one.split))];
  const unused = [...new Set(looked.flatMap((one) => one.unused))];
  const wrongTimes = looked.filter(({ times }) => times !== 1).length;
  const headers = looked.filter(({ header }) => header === 1).length;
  const numbers = {
    chats: chats.length,
    'without text once': wrongTimes,
    'with header': headers,
    'marks in pieces': split.length,
  };
  if (wrongTimes > 0)
    return found(
      templated,
      numbers,
      fails("the template leaves out the user's text or repeats it: use the chat template of this model"),
    );
  if (split.length > 0 && unused.length > 0)
    return found(
      templated,
      numbers,
      fails(
        `${split.join(' ')} fall into pieces while the tokenizer's own ${unused.join(' ')} are not used: this is another model's template; use the one that the model was published with`,
      ),
    );
  if (split.length > 0)
    return found(
      templated,
      numbers,
      warns(`${split.join(' ')} are no single tokens: right for few models; see template-loss`),
    );
  if (headers < chats.length)
    return found(
      templated,
      numbers,
      warns("the template adds no header for the assistant's turn: the model may go on as the user"),
    );
  return found(templated, numbers);
}

const begun: Look = {
  name: 'bos',
  about: "Prompts begin with the token that the tokenizer's settings put first, once.",
  expected: 'none missing, none double',
};

/** By the settings alone; what the model makes of it `bosLossLine` tells. */
export function bosLine(codec: TextCodec, prompts: readonly (readonly number[])[]): CheckLine {
  const { prefixIds, bosId } = codec.tokenizer;
  const [first] = prefixIds;
  const wanted = first ?? bosId;
  if (wanted === undefined) return skipped(begun, 'the tokenizer names no token that begins a text');
  const missing = first === undefined ? 0 : prompts.filter((ids) => ids[0] !== first).length;
  const double = prompts.filter((ids) => ids[0] === wanted && ids[1] === wanted).length;
  const numbers = { prompts: prompts.length, missing, double };
  const mark = codec.tokenizer.tokenText(wanted);
  if (double > 0)
    return found(
      begun,
      numbers,
      fails(`prompts begin with ${mark} twice: take it out of the prompts or of the chat template`),
    );
  if (missing > 0)
    return found(
      begun,
      numbers,
      fails(
        `the tokenizer puts ${mark} before every text, but the prompts lack it: the chat template must write bos_token first`,
      ),
    );
  return found(begun, numbers);
}
