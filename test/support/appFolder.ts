/** A small app in place of the built one: a page, a script and a style sheet. */
import { join } from 'node:path';
import { put } from './tinyFolder.ts';

export const appScript = 'document.getElementById("app").textContent = "here";\n';
export const appStyle = 'body { margin: 0 }\n';
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>culprit</title>
    <script type="module" crossorigin src="./app.js"></script>
    <link rel="stylesheet" crossorigin href="./app.css">
  </head>
  <body><div id="app"></div></body>
</html>
`;

/** Writes one; returns its folder. */
export function putApp(folder: string, { script = appScript, style = appStyle } = {}): string {
  put(join(folder, 'index.html'), page);
  put(join(folder, 'app.js'), script);
  put(join(folder, 'app.css'), style);
  return folder;
}
