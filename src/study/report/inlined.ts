/**
 * One page that holds everything: the app, its styles and the data, under a policy that lets nothing else
 * run or load. Knows no study.
 */
import { createHash } from 'node:crypto';
import { parseHTML } from 'linkedom';
import { type ReportData, reportDataId } from '../../results.ts';
import type { AppFiles } from './app.ts';

/**
 * No text inside a script element may end it, or begin what a parser takes for a comment; `\x3c` is the
 * same character in every literal.
 */
const safeScript = (text: string) => text.replaceAll('\r\n', '\n').replaceAll(/<(?=\/script|!--)/gi, '\\x3c');
const safeStyle = (text: string) => text.replaceAll(/<(?=\/style|!--)/gi, '\\3c ');
const safeJson = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');
const safeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const sourceHash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Styles are inline too: plots and lists set them on elements. */
const policy = (script: string) =>
  [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/** What the app's page itself says: its language, its meta elements, and its body without scripts. */
function partsOf(page: string) {
  const { document } = parseHTML(page);
  for (const script of document.querySelectorAll('script')) script.remove();
  const named = [...document.head.querySelectorAll('meta[name]')];
  return {
    language: (document.documentElement.getAttribute('lang') ?? 'en').replaceAll(/[^A-Za-z-]/g, ''),
    metas: named.map((meta) => meta.toString()).join('\n'),
    body: document.body.innerHTML.trim(),
  };
}

export function inlinedPage({ page, script, style }: AppFiles, title: string, data: ReportData): string {
  const code = safeScript(script);
  const { language, metas, body } = partsOf(page);
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(code)}">
<meta name="referrer" content="no-referrer">
${metas}
<title>${safeText(title)}</title>
<style>${safeStyle(style)}</style>
</head>
<body>
${body}
<script type="application/json" id="${reportDataId}">${safeJson(data)}</script>
<script type="module">${code}</script>
</body>
</html>
`;
}
