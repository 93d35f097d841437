/** What a command downloads from the Hugging Face hub, with consent: sizes first, then progress in MB. */
import { createInterface } from 'node:readline/promises';
import { InputError } from '../errors.ts';
import { type HubFetch, hubFetch, missingOf, type PlannedDownload } from '../files/hub/fetch.ts';
import { sizeText } from '../files/hub/sizeText.ts';
import { hubParts } from '../study/open/hubParts.ts';
import { readStudy } from '../study/run/ownStudy.ts';
import { progressOn } from './progress.ts';

/** A command that may download what its study lacks. */
export const downloadFlag = [
  '--download',
  'download what study.yaml takes from the Hugging Face hub and is not here yet',
] as const;

const useNames = { model: 'model', adapter: 'adapter', dictionary: 'dictionary', file: 'rows' } as const;

/** `hf:org/name: model, 4 files, 538 MB, 120 MB of them here`. */
export function planLine({ reference, use, files, size, here }: PlannedDownload): string {
  const own = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${sizeText(size)}`;
  const kept = here >= size ? ', here already' : here > 0 ? `, ${sizeText(here)} of them here already` : '';
  return `${reference.given}: ${useNames[use]}, ${own}${kept}`;
}

const megabyte = 1e6;

/** Downloads what is planned, one after another; where each lies. */
export async function downloadAll(hub: HubFetch, planned: readonly PlannedDownload[]): Promise<string[]> {
  const progress = progressOn(process.stderr);
  const paths: string[] = [];
  for (const one of planned) {
    const inMegabytes = (bytes: number) => Math.floor(bytes / megabyte);
    const [total, done] = [Math.max(1, inMegabytes(one.size)), inMegabytes(one.here)];
    const stage = progress.stage(`${one.reference.given}, MB`, total, Math.min(done, total));
    let [bytes, shown] = [one.here, done];
    try {
      paths.push(
        await hub.fetch(one, {
          onBytes(more) {
            bytes += more;
            const now = Math.min(total, inMegabytes(bytes));
            if (now > shown) stage.advance(now - shown);
            shown = Math.max(shown, now);
          },
        }),
      );
    } finally {
      stage.end();
    }
  }
  return paths;
}

async function agreed(): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question('Download it? [y/N] ')).trim());
  } finally {
    asking.close();
  }
}

/**
 * Downloads what a study takes from the hub and the cache lacks, where `consent` is given or a person at the
 * terminal says so. Throws InputError where neither is.
 */
export async function downloadMissing(study: string, consent: boolean): Promise<void> {
  const missing = await missingOf(hubParts((await readStudy(study)).config));
  if (missing.length === 0) return;
  const asks = process.stdin.isTTY && process.stderr.isTTY;
  const names = missing.map(({ given }) => given).join(', ');
  const remedy = `run \`culprit fetch ${study}\`, or \`culprit run ${study} --download\``;
  if (!consent && !asks) throw new InputError(`${names}: not in the Hugging Face cache: ${remedy}`);
  const hub = await hubFetch(process.env);
  const planned = await hub.plan(missing);
  const { note } = progressOn(process.stderr);
  for (const one of planned) note(planLine(one));
  if (!consent && !(await agreed())) throw new InputError(`${names}: not downloaded: ${remedy}`);
  await downloadAll(hub, planned);
}
