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

/** What axe finds wrong, a line each. */
export async function violations(page: Page): Promise<string[]> {
  // evaluated, for the page's policy lets no other script in
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
    };
    // of what is in order axe would otherwise write a selector for each element
    return (await axe.run({ resultTypes: ['violations'] })).violations.map(
      ({ id, nodes }) => `${id}: ${nodes[0]!.html}`,
    );
  });
}
