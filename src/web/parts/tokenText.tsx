/**
 * One token as text: what cannot be seen is marked, lightly, by the style sheet, so that text which is
 * selected or read aloud stays what it is.
 */
import { memo } from 'react';

const special =
  /^(?:<\|[^<>]*\|>|<\/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|0x[0-9A-F]{2})>|\[\/?(?:INST|BOS|EOS|PAD|UNK|CLS|SEP|MASK)\])$/;

export const isSpecial = (token: string) => special.test(token);

const marks: Readonly<Record<string, string>> = {
  '\n': '↵',
  '\r': '␍',
  '\t': '⇥',
  '\u00a0': '⍽',
  '\u200b': '∅',
};

/** Characters without a shape, and spaces but for a single one that parts two words. */
const unseen = /([\n\r\t\u00a0\u200b]|^ $| {2,})/;

function markOf(piece: string): string | undefined {
  return piece.startsWith(' ') && piece.trim() === '' ? '·'.repeat(piece.length) : marks[piece];
}

/** A token's text. */
export const TokenText = memo(function TokenText({ text }: { readonly text: string }) {
  if (text === '') return <span className="invisible" data-mark="∅" />;
  return text.split(unseen).map((piece, place) => {
    const mark = markOf(piece);
    if (mark === undefined) return piece;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change places
      <span key={place} className={piece.startsWith(' ') ? 'invisible space' : 'invisible'} data-mark={mark}>
        {piece}
      </span>
    );
  });
});
