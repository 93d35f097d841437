/**
 * What must not be shown: keys, and addresses that hold them. Whatever comes back from an endpoint may echo
 * the key it was sent, in any escape. Knows no server.
 */

/** A key shorter than this is a placeholder, such as `none`, and no secret. */
const shortest = 6;
/** Characters of a key that are hidden where they stand without the rest. */
const piece = 8;
const hidden = '***';

/** One character as text, JSON, URLs, HTML and JavaScript write it, escaped several times over too. */
const written =
  /\\{1,16}u\{0{0,16}([\da-f]{1,6})\}|\\{1,16}u([\da-f]{4})|\\{1,16}x([\da-f]{2})|%(?:25){0,16}([\da-f]{2})|&(?:amp;){0,16}#x0{0,16}([\da-f]{1,6});?|&(?:amp;){0,16}#0{0,16}(\d{1,7});?|&(?:amp;){0,16}([a-z]{2,8});|\\{1,16}([^\\])|[\s\S]/gi;
const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  sol: '/',
  bsol: '\\',
  plus: '+',
  equals: '=',
  lowbar: '_',
  hyphen: '-',
  dash: '-',
  period: '.',
  colon: ':',
  comma: ',',
  excl: '!',
  num: '#',
  percnt: '%',
  ast: '*',
  commat: '@',
  tilde: '~',
};

function characterOf(one: RegExpExecArray): string {
  const [whole, braced, unicode, byte, url, hex, decimal, name, escaped] = one;
  const code = braced ?? unicode ?? byte ?? url ?? hex;
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  if (decimal !== undefined) return String.fromCharCode(Number(decimal));
  if (name !== undefined) return named[name.toLowerCase()] ?? ' ';
  return escaped ?? whole;
}

/** As keys are compared: small letters, of what keys are made of, one for one. */
const plain = (character: string) => (/^[\x21-\x7e]$/.test(character) ? character.toLowerCase() : ' ');

/** Whether characters look drawn by chance: a word of a placeholder key such as `not-needed` does not. */
const isRandom = (text: string) => /\d/.test(text) || (/[a-z]/.test(text) && /[A-Z]/.test(text.slice(1)));

/** The key in base 64, wherever in the encoded text it begins, without the digits that its neighbours share. */
function encodings(key: string): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const digits = Buffer.from(' '.repeat(before) + key, 'utf8').toString('base64');
    return digits.slice([0, 2, 3][before]!).replace(/.?=*$/, '');
  });
  return [...base64, ...base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')), hexOf(key)];
}
const hexOf = (key: string) => Buffer.from(key, 'utf8').toString('hex');

/**
 * A function that puts `***` in place of a key wherever a text holds it: as it stands, escaped for JSON,
 * URLs or HTML, in base 64, in hexadecimal digits, in capitals; and of pieces of it that look drawn by
 * chance, from 8 characters on. Takes time in proportion to the text. A key of under 6 characters is not
 * looked for.
 */
export function withoutKey(key: string | undefined): (text: string) => string {
  if (key === undefined || key.length < shortest) return (text) => text;
  const needles = [key, ...encodings(key)].filter((one) => one.length >= shortest);
  const wholes = [...new Set(needles.map((one) => one.toLowerCase()))];
  const pieces = new Set(
    needles
      .flatMap((one) => Array.from({ length: one.length - piece + 1 }, (_, i) => one.slice(i, i + piece)))
      .filter(isRandom)
      .map((one) => one.toLowerCase()),
  );

  return (text) => {
    const characters: string[] = [];
    const starts: number[] = [];
    for (const one of text.matchAll(written)) {
      characters.push(plain(characterOf(one)));
      starts.push(one.index);
    }
    starts.push(text.length);
    const said = characters.join('');
    const spans: [from: number, to: number][] = [];
    for (const whole of wholes)
      for (let at = said.indexOf(whole); at >= 0; at = said.indexOf(whole, at + 1))
        spans.push([at, at + whole.length]);
    for (let at = 0; at + piece <= said.length; at++)
      if (pieces.has(said.slice(at, at + piece))) spans.push([at, at + piece]);
    return replaced(text, spans, starts);
  };
}

/** `spans` are of characters, `starts` where each stands in the text. */
function replaced(
  text: string,
  spans: readonly (readonly [number, number])[],
  starts: readonly number[],
): string {
  let found = '';
  let from = 0;
  for (const [first, last] of [...spans].sort(([a], [b]) => a - b)) {
    const [start, end] = [starts[first]!, starts[last]!];
    if (start > from || found === '') found += text.slice(from, start) + hidden;
    from = Math.max(from, end);
  }
  return found + text.slice(from);
}

/** A part of a path that is a key rather than a name: a known beginning, or a run of letters and digits. */
const keyLike = /^(?:sk|pk|rk|key|hf|gsk|xai|ghp|AIza|Bearer)[-_. ]?\w{8}|(?=\w*\d)(?=\w*[A-Za-z])\w{20}/;

/** An address that may be shown: without a user, a password, the values of its query, and keys in its path. */
export function shownAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.protocol.startsWith('http'))
    return address.replace(/^[^?#]*@/, `${hidden}@`).replace(/[?#][\s\S]*/, '?...');
  const user = url.username || url.password ? `${hidden}@` : '';
  const path = url.pathname
    .split('/')
    .map((part) => (keyLike.test(part) ? hidden : part))
    .join('/');
  const names = [...url.searchParams.keys()].map((name) => `${keyLike.test(name) ? hidden : name}=${hidden}`);
  const query = names.length === 0 ? '' : `?${names.join('&')}`;
  const isBare = path === '/' && !address.endsWith('/');
  return `${url.protocol}//${user}${url.host}${isBare ? '' : path}${query}`;
}
