/** Debian's chromium, where it is installed, and what axe says of a page in it. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);

/** Whether there is a browser: a test that needs one says so by `describe.skipIf(!hasBrowser)`. */
export const hasBrowser = executablePath !== undefined;

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });

/** What axe finds wrong, a line each; of these rules alone, where any are named. */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  // evaluated, for the page's policy lets no other script in
  await page.evaluate(axe.source);
  return page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as {
      axe: {
        run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
    };
    // of what is in order axe would otherwise write a selector for each element
    return (await axe.run({ resultTypes: ['violations'], ...(runOnly && { runOnly }) })).violations.map(
      ({ id, nodes }) => `${id}: ${nodes[0]!.html}`,
    );
  }, rules);
}

const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

/**
 * What is wrong with a page that is open, on a desktop and a phone, light and dark: rules of accessibility, and what is
 * wider than the screen. Another theme has other colours, and nothing else.
 */
export async function wrongInAnyLook(page: Page): Promise<string[]> {
  const wrong: string[] = [];
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    const tell = (theme: string, lines: readonly string[]) =>
      wrong.push(...lines.map((line) => `${size}, ${theme}: ${line}`));
    await page.emulateMedia({ colorScheme: 'light' });
    tell('light', await violations(page));
    await page.emulateMedia({ colorScheme: 'dark' });
    tell('dark', await violations(page, ['color-contrast']));
    const beyond = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (beyond > 0) wrong.push(`${size}: ${beyond} pixels wider than the screen`);
  }
  return wrong;
}
