/** Python's strftime of a time without a zone, in the C locale of glibc. */
import { JinjaError } from './errors.ts';

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const pad = (number: number, width = 2, fill = '0') => String(number).padStart(width, fill);
const hour12 = (date: Date) => date.getHours() % 12 || 12;
/** Day of the year from 0. */
const yearDay = (date: Date) =>
  Math.round(
    (midnight(date.getFullYear(), date.getMonth(), date.getDate()) - midnight(date.getFullYear(), 0, 1)) /
      dayMs,
  );
const dayMs = 86_400_000;
const midnight = (year: number, month: number, day: number) => new Date(0).setUTCFullYear(year, month, day);

/** Weeks of the year before the one of `date`, which begin on `first` (0: Sunday). */
const week = (date: Date, first: number) =>
  Math.floor((yearDay(date) + 7 - ((date.getDay() + 7 - first) % 7)) / 7);

/** ISO 8601's year and week. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = midnight(
    date.getFullYear(),
    date.getMonth(),
    date.getDate() + 3 - ((date.getDay() + 6) % 7),
  );
  const year = new Date(thursday).getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday - midnight(year, 0, 1)) / (7 * dayMs)) };
}

const directives: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  C: (date) => pad(Math.floor(date.getFullYear() / 100)),
  y: (date) => pad(date.getFullYear() % 100),
  G: (date) => String(isoWeek(date).year),
  g: (date) => pad(isoWeek(date).year % 100),
  V: (date) => pad(isoWeek(date).week),
  U: (date) => pad(week(date, 0)),
  W: (date) => pad(week(date, 1)),
  m: (date) => pad(date.getMonth() + 1),
  d: (date) => pad(date.getDate()),
  e: (date) => pad(date.getDate(), 2, ' '),
  H: (date) => pad(date.getHours()),
  k: (date) => pad(date.getHours(), 2, ' '),
  I: (date) => pad(hour12(date)),
  l: (date) => pad(hour12(date), 2, ' '),
  M: (date) => pad(date.getMinutes()),
  S: (date) => pad(date.getSeconds()),
  f: (date) => `${pad(date.getMilliseconds(), 3)}000`,
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  B: (date) => months[date.getMonth()]!,
  b: (date) => months[date.getMonth()]!.slice(0, 3),
  h: (date) => months[date.getMonth()]!.slice(0, 3),
  A: (date) => days[date.getDay()]!,
  a: (date) => days[date.getDay()]!.slice(0, 3),
  u: (date) => String(date.getDay() || 7),
  w: (date) => String(date.getDay()),
  j: (date) => pad(yearDay(date) + 1, 3),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  z: () => '',
  Z: () => '',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};

/** Directives that stand for several. */
const composed: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  T: '%H:%M:%S',
};

/**
 * `date`, in local time, by `format`; glibc's flags `-` (no padding), `_` (spaces), `0` (zeros) and `^` (upper
 * case) are known. Throws JinjaError for a directive that is not.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%([-_0^]*)([^-_0^]?)/g, (directive, flags: string, letter: string) => {
    if (Object.hasOwn(composed, letter)) return strftime(date, composed[letter]!);
    const text = Object.hasOwn(directives, letter) ? directives[letter]!(date) : undefined;
    if (text === undefined) throw new JinjaError(`strftime_now: ${directive} is not supported`);
    return flagged(text, flags);
  });
}

function flagged(text: string, flags: string): string {
  const lead = /^[0 ]*(?=\d)/.exec(text)?.[0].length ?? 0;
  let result = text;
  if (flags.includes('-')) result = text.slice(lead);
  else if (flags.includes('_')) result = ' '.repeat(lead) + text.slice(lead);
  else if (flags.includes('0')) result = '0'.repeat(lead) + text.slice(lead);
  return flags.includes('^') ? result.toUpperCase() : result;
}
