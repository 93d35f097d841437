/** Pages of the app in a browser, served or from a file, with all that goes wrong in them. Knows no view. */
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { culprit } from '../../support/cli.ts';
import { launch } from './chromium.ts';

const root = resolve(import.meta.dirname, '../../..');

export interface OpenedApp {
  /** A page at a route of the app, in a profile of its own; closed with all others. */
  open(route: string): Promise<Page>;
  /** errors of pages and of their console, what their policy forbids, what they asked for elsewhere */
  readonly troubles: string[];
  close(): Promise<void>;
}

/** The folder of the app as it is now: any command of a checkout builds it first where it is not. */
export async function builtApp(): Promise<string> {
  await culprit(['--version']);
  return resolve(root, 'dist', 'web');
}

/** The app at an address; all that it may ask for begins with `own`. */
export async function openApp(address: string, own: string): Promise<OpenedApp> {
  const browser: Browser = await launch();
  const troubles: string[] = [];
  return {
    troubles,
    async open(route) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const tell = (trouble: string) => troubles.push(`${route}: ${trouble}`);
      page.on('pageerror', ({ message }) => tell(message));
      page.on('console', (message) => {
        if (message.type() === 'error') tell(message.text());
      });
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(own) && !/^(data|blob):/.test(url)) tell(`asked for ${url}`);
      });
      page.on('response', (response) => {
        if (response.status() >= 400) tell(`${response.status()} ${response.url()}`);
      });
      await page.addInitScript(() =>
        document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
          console.error(`policy: ${violatedDirective} ${blockedURI}`),
        ),
      );
      await page.goto(`${address}#${route}`);
      await page.locator('main h1').first().waitFor();
      return page;
    },
    close: () => browser.close(),
  };
}

/** The part of the address after `#`. */
export const hashIn = (page: Page): string => new URL(page.url()).hash;
