/** A judge that reads no meaning: regular expressions on the completion. Knows no prompt. */
import { InputError } from '../errors.ts';
import { gradedTogether, labelled } from './grading.ts';
import { free, type Judge, type Verdict } from './judge.ts';

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
 * which have no meaning here.
 */
export function patternJudge(options: PatternJudgeOptions): Judge {
  const { flags = '' } = options;
  const positive = expression('judge.positive', options.positive, flags);
  const incoherent =
    options.incoherent === undefined ? undefined : expression('judge.incoherent', options.incoherent, flags);

  const verdict = (completion: string): Verdict => {
    const shown = positive.exec(completion);
    const broken = incoherent?.exec(completion);
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
    grade: gradedTogether(name, 1, async ({ completion }) => verdict(completion)),
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
      `${field}: expected a regular expression, found one that is none: ${oneLine(error)}`,
    );
  }
}

const oneLine = (error: unknown) => (error as SyntaxError).message.replaceAll(/\s+/g, ' ');

/** What matched, as much as a line can show of it. */
const quoted = ([text]: RegExpExecArray) => JSON.stringify(cut(text));

const cut = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}...` : text);
