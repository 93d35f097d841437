/** The built web app: its page, its one script and its one style sheet. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.ts';
import { readTextIfThere } from '../../files/ifThere.ts';

export const appNames = { page: 'index.html', script: 'app.js', style: 'app.css' } as const;

export interface AppFiles {
  readonly page: string;
  readonly script: string;
  readonly style: string;
}

/** Where a build puts it: dist/web. */
export const builtApp = fileURLToPath(new URL('../../web', import.meta.url));

/** Throws InputError where it was not built. */
export async function readApp(folder: string = builtApp): Promise<AppFiles> {
  const part = async (name: string) => {
    const text = await readTextIfThere(join(folder, name));
    if (text !== undefined) return text;
    throw new InputError(
      `${folder}: expected the built web app, found no ${name}: \`npm run build\` makes it`,
    );
  };
  const { page, script, style } = appNames;
  return { page: await part(page), script: await part(script), style: await part(style) };
}
