/** A judge that reads no meaning: regular expressions on the completion. Knows no prompt. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InputError, inOneLine } from '../errors.ts';
import { matchIn } from '../timeLimit.ts';
import { gradedTogether, labelled } from './grading.ts';
import { free, type Judge, type JudgeItem, type Verdict } from './judge.ts';

export interface PatternJudgeOptions {
  /** source of the regular expression that a positive completion matches somewhere */
  readonly positive: string;
  /** of both expressions: any of d, i, m, s, u, v; default none */
  readonly flags?: string | undefined;
  /** source of one that an incoherent completion matches somewhere; default: all are coherent */
  readonly incoherent?: string | undefined;
}

/**
 * Score 1 and positive where `positive` matches, else 0; coherence 0 where `incoherent` matches, else 1.
 * Throws InputError for an expression or a flag that JavaScript does not know, and for the flags g and y,
 * which have no meaning here; `grade` rejects with InputError, which names the completion, where an
 * expression takes more than 5 s on one.
 */
export function patternJudge(options: PatternJudgeOptions): Judge {
  const { flags = '' } = options;
  const positive = expression('judge.positive', options.positive, flags);
  const incoherent =
    options.incoherent === undefined ? undefined : expression('judge.incoherent', options.incoherent, flags);

  const verdict = ({ id, completion }: JudgeItem): Verdict => {
    const shown = matchIn(positive, completion, `judge.positive: completion ${id}`);
    const broken = incoherent && matchIn(incoherent, completion, `judge.incoherent: completion ${id}`);
    return {
      ...labelled(shown ? 1 : 0, broken ? 0 : 1, 1),
      reason: `${shown ? `matches ${quoted(shown)}` : 'no match'}${broken ? `; incoherent: ${quoted(broken)}` : ''}`,
      raw: '',
      cost: free,
    };
  };
  const name = `pattern ${cut(`${positive}`)}`;
  return {
    name,
    identity: {
      kind: 'pattern',
      positive: options.positive,
      flags,
      incoherent: options.incoherent ?? null,
    },
    grade: gradedTogether(name, 1, async (item) => {
      // between two completions signals are heard
      await nextTurn();
      return verdict(item);
    }),
    close: async () => undefined,
  };
}

function expression(field: string, source: string, flags: string): RegExp {
  const odd = /[^dimsuv]/.exec(flags)?.[0];
  if (odd !== undefined)
    throw new InputError(`judge.flags: expected any of d, i, m, s, u, v, found ${JSON.stringify(odd)}`);
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new InputError(
      `${field}: expected a regular expression, found one that is none: ${inOneLine((error as SyntaxError).message)}`,
    );
  }
}

/** What matched, as much as a line can show of it. */
const quoted = ([text]: RegExpExecArray) => JSON.stringify(cut(text));

const cut = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}...` : text);
