/** One who has a keyboard and nothing else: presses are counted, and the focus must be seen after each. Knows no view. */
import type { Page } from 'playwright-core';

type Key = 'Tab' | 'Shift+Tab' | 'Enter' | 'Space' | 'Escape' | `Arrow${'Up' | 'Down' | 'Left' | 'Right'}`;

/** What is wrong with where the focus is; undefined where nothing is. The content as a whole needs no mark. */
function unseen(): string | undefined {
  const at = document.activeElement;
  if (!at || at === document.body) return 'nothing has the focus';
  if (at.matches('main')) return undefined;
  const name = `${at.tagName.toLowerCase()} "${(at.textContent || at.getAttribute('aria-label'))?.trim().slice(0, 40)}"`;
  const box = at.getBoundingClientRect();
  const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
  const [right, bottom] = [Math.min(box.right, innerWidth), Math.min(box.bottom, innerHeight)];
  if (right - left < 1 || bottom - top < 1) return `${name} is out of sight`;
  const [x, y] = [(left + right) / 2, Math.min((top + bottom) / 2, bottom - 1)];
  const over = document.elementFromPoint(x, y);
  if (over && !at.contains(over) && !over.contains(at))
    return `${name} is under ${over.outerHTML.slice(0, 60)}`;
  const marked = [at, ...at.querySelectorAll('.target')].some((one) => {
    const { outlineStyle, stroke } = getComputedStyle(one);
    return outlineStyle !== 'none' || (one !== at && stroke !== 'none');
  });
  return marked ? undefined : `${name} has no mark of the focus`;
}

/** Of a tab key's way to one place. */
const most = 60;

export interface Keyboard {
  /** so far */
  readonly presses: number;
  press(key: Key, times?: number): Promise<void>;
  /** Tabs until what has the focus is one of `selector` with this text, or this name where it has none. */
  tabTo(selector: string, text?: string | RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** what has the focus, by its text or its name */
  here(): Promise<string>;
}

export function keyboardOf(page: Page): Keyboard {
  let presses = 0;
  const here = () =>
    page.evaluate(() => {
      const at = document.activeElement!;
      return (at.textContent || at.getAttribute('aria-label') || '').trim();
    });
  const isHere = (selector: string) => page.evaluate((one) => document.activeElement!.matches(one), selector);
  const press = async (key: Key) => {
    await page.keyboard.press(key);
    presses++;
    const wrong = await page.evaluate(unseen);
    if (wrong !== undefined) throw new Error(`after ${key}: ${wrong}`);
  };
  return {
    get presses() {
      return presses;
    },
    here,
    async press(key, times = 1) {
      for (let i = 0; i < times; i++) await press(key);
    },
    async tabTo(selector, text = '', key = 'Tab') {
      const wanted = (found: string) => (typeof text === 'string' ? found.includes(text) : text.test(found));
      for (let i = 0; i < most; i++) {
        await press(key);
        if ((await isHere(selector)) && wanted(await here())) return;
      }
      throw new Error(`${most} times ${key} do not lead to ${selector} ${text}`);
    },
  };
}
