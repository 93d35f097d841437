/** The app as a browser shows it: built, with studies in one page, opened from a file. Knows no view. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { type ReportData, reportDataId } from '../../../src/results.ts';
import { launch } from './chromium.ts';
import { builtApp } from './servedPage.ts';

export type StudyFiles = Readonly<Record<string, string | ArrayBuffer>>;

const packed = (content: string | ArrayBuffer) => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  return { size: bytes.length, data: gzipSync(bytes).toString('base64') };
};

function dataOf(studies: Readonly<Record<string, StudyFiles>>): string {
  const held = Object.entries(studies).map(([id, files]) => ({
    id,
    name: id,
    files: Object.fromEntries(Object.entries(files).map(([path, content]) => [path, packed(content)])),
    trimmed: {},
    stale: {},
  }));
  const data: ReportData = { version: '0.1.0', created: '2026-01-01T00:00:00.000Z', studies: held };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** index.html with what it links to inside. */
function pageOf(folder: string, data: string): string {
  const [html, script, style] = ['index.html', 'app.js', 'app.css'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  ) as [string, string, string];
  return html
    .replace(/<script [^>]*src=[^>]*><\/script>/, '')
    .replace(/<link [^>]*app\.css[^>]*>/, () => `<style>${style}</style>`)
    .replace('</body>', () => {
      const code = script.replaceAll('</script', '<\\/script');
      return [
        `<script type="application/json" id="${reportDataId}">${data}</script><script`,
        `type="module">${code}</script></body>`,
      ].join(' ');
    });
}

export interface Look {
  readonly width?: number;
  readonly dark?: boolean;
  /** a screen that is touched */
  readonly touch?: boolean;
}

export interface OpenedReport {
  /** A page at a route; what it asked of the network, and what went wrong in it, is added to `troubles`. */
  open(route: string, look?: Look): Promise<Page>;
  readonly troubles: string[];
  close(): Promise<void>;
}

export async function openReport(studies: Readonly<Record<string, StudyFiles>>): Promise<OpenedReport> {
  const folder = mkdtempSync(join(tmpdir(), 'culprit-web-'));
  const file = join(folder, 'report.html');
  writeFileSync(file, pageOf(await builtApp(), dataOf(studies)));
  const browser: Browser = await launch();
  const troubles: string[] = [];
  return {
    troubles,
    async open(route, { width = 1280, dark = false, touch = false } = {}) {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: dark ? 'dark' : 'light',
        hasTouch: touch,
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => troubles.push(`${route}: ${error.message}`));
      page.on('dialog', (dialog) => troubles.push(`${route}: dialog ${dialog.message()}`));
      page.on(
        'console',
        (message) => message.type() === 'error' && troubles.push(`${route}: ${message.text()}`),
      );
      page.on('request', (request) => {
        if (/^(?!file:|data:|blob:)/.test(request.url()))
          troubles.push(`${route}: asked for ${request.url()}`);
      });
      await page.goto(`${pathToFileURL(file)}#${route}`);
      await page.locator('main h1').first().waitFor();
      return page;
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
