/**
 * Which fields a chat server takes. They differ: reasoning models refuse a temperature, some servers know no
 * schemas, the limit of a reply has two names. What is refused is left out, which is learnt from the errors that it answers with. Knows no network.
 */

/** The fields of a request that a server may refuse, beside the model and the messages. */
export const optionalFields = ['temperature', 'response_format', 'max_tokens', 'stream'] as const;
export type OptionalField = (typeof optionalFields)[number];

/** What a server takes, as far as is known. */
export interface Dialect {
  readonly without: readonly OptionalField[];
  readonly limit: 'max_tokens' | 'max_completion_tokens';
}

export interface Sent {
  readonly model: string;
  readonly temperature: number;
  readonly content: string;
  readonly schema: object;
  readonly schemaName: string;
  /** greatest number of tokens of the reply */
  readonly replyTokens: number;
}

/**
 * The body of a request. It says that the reply is to come whole: several servers stream where nothing is
 * said.
 */
export function bodyOf({ without, limit }: Dialect, sent: Sent): object {
  const { model, temperature, content, schema, schemaName, replyTokens } = sent;
  const format = { type: 'json_schema', json_schema: { name: schemaName, strict: true, schema } };
  const optional = {
    stream: { stream: false },
    temperature: { temperature },
    max_tokens: { [limit]: replyTokens },
    response_format: { response_format: format },
  } as const;
  const kept = optionalFields.filter((field) => !without.includes(field)).map((field) => optional[field]);
  return Object.assign({ model, messages: [{ role: 'user', content }] }, ...kept);
}

/** How a server that refuses a request may be asked again. */
type Change =
  /** in another dialect, from now on; `told` says what changes */
  | { readonly dialect: Dialect; readonly told: string }
  /** with a lower limit of the reply */
  | 'lower';

/** What says of a field that it is the one that is refused. */
const speaksOf: Readonly<Record<OptionalField, RegExp>> = {
  max_tokens: /max_(?:completion_)?tokens/,
  temperature: /temperature/i,
  response_format: /response_format|schema|structured|grammar|json.mode/i,
  stream: /\bstream\b/i,
};
const tooLarge =
  /too (?:large|big|high|long|many)|at most|exceed|less than|maximum|out of range|reduce|<=|between/i;
const unknownField =
  /unsupported|not supported|unknown|unrecogni[sz]ed|extra|not permitted|not allowed|max_completion_tokens['"`]? instead/i;
const limits = /max_(?:completion_)?tokens|context|(?:completion|output) tokens/i;

/**
 * What to try where a server answered with an error; undefined where nothing is left. Where it has taken
 * requests of this dialect before (`proven`), only an error that names a field itself counts: another may
 * quote the question.
 */
function changeAfter(
  spoken: Dialect,
  { status, said, proven }: { readonly status: number; readonly said: string; readonly proven: boolean },
): Change | undefined {
  const { without, limit } = spoken;
  const left = (field: OptionalField) => !without.includes(field);
  const isRequests = status === 400 || status === 422;
  if (!isRequests && status < 500) return undefined;
  if (
    isRequests &&
    left('max_tokens') &&
    limits.test(said) &&
    tooLarge.test(said) &&
    !unknownField.test(said)
  )
    return 'lower';
  const names = (field: OptionalField) =>
    proven
      ? new RegExp(`["'\`]${field === 'max_tokens' ? 'max_(?:completion_)?tokens' : field}["'\`.]`).test(said)
      : speaksOf[field].test(said);
  if (left('max_tokens') && names('max_tokens')) {
    if (limit === 'max_tokens')
      return {
        dialect: { ...spoken, limit: 'max_completion_tokens' },
        told: 'takes max_completion_tokens in place of max_tokens',
      };
    return withoutField(spoken, 'max_tokens');
  }
  const field = optionalFields.find((one) => left(one) && names(one));
  return field === undefined ? undefined : withoutField(spoken, field);
}

function withoutField(spoken: Dialect, field: OptionalField): Change {
  return {
    dialect: { ...spoken, without: [...spoken.without, field] },
    told: `does not take ${field}: it is left out`,
  };
}

/** The dialect of one server, as it is learnt. */
export interface LearntDialect {
  now(): Dialect;
  /** The server has taken a request in this dialect. */
  taken(spoken: Dialect): void;
  /**
   * What to do where it answered a request with an error: send it again as it is said now, with a lower
   * limit of the reply, or nothing.
   */
  refused(spoken: Dialect, status: number, said: string): 'again' | 'lower' | undefined;
}

/**
 * Begins with the dialect `first`. A server that refuses its first request with status 400 or
 * 422 and does not say why is asked once without any of them. `tell` gets a line for each change.
 */
export function learntDialect(first: Dialect, tell: (what: string) => void): LearntDialect {
  let dialect = first;
  /** whether the server has taken a request in it */
  let proven = false;
  /** What was spoken before all fields are left out to see; false once that was of no use. */
  let before: Dialect | false | undefined;
  return {
    now: () => dialect,
    taken(spoken) {
      if (spoken !== dialect) return;
      proven = true;
      if (before) tell(`does not take all of ${optionalFields.join(', ')}: they are left out`);
      before = undefined;
    },
    refused(spoken, status, said) {
      if (before && spoken === dialect) {
        dialect = before;
        before = false;
        return undefined;
      }
      const change = changeAfter(spoken, { status, said, proven });
      if (change === 'lower') return 'lower';
      // Another question that was under way has found something out meanwhile.
      if (spoken !== dialect && change !== undefined) return 'again';
      if (change !== undefined) {
        dialect = change.dialect;
        proven = false;
        tell(change.told);
        return 'again';
      }
      if (proven || before !== undefined || (status !== 400 && status !== 422)) return undefined;
      if (optionalFields.every((field) => spoken.without.includes(field))) return undefined;
      before = dialect;
      dialect = { ...spoken, without: optionalFields };
      return 'again';
    },
  };
}
