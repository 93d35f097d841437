/** The built web app: its page, its one script and its one style sheet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.ts';
import { readText } from '../../files/jsonFile.ts';

export const appNames = { page: 'index.html', script: 'app.js', style: 'app.css' } as const;

export interface App {
  readonly page: string;
  readonly script: string;
  readonly style: string;
}

/** Where a build puts it: dist/web. */
export const builtApp = fileURLToPath(new URL('../../web', import.meta.url));

/** Throws InputError where it was not built. */
export async function readApp(folder: string = builtApp): Promise<App> {
  const missing = Object.values(appNames).find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined)
    throw new InputError(
      `${folder}: expected the built web app, found no ${missing}: \`npm run build\` makes it`,
    );
  const [page, script, style] = await Promise.all(
    [appNames.page, appNames.script, appNames.style].map((name) => readText(join(folder, name))),
  );
  return { page: page!, script: script!, style: style! };
}
