/** `culprit report`: a study as one page that opens anywhere. */
import { Command, InvalidArgumentError } from 'commander';
import { reportDefaults, runReport } from '../study/report/reportRun.ts';
import { isPage } from '../study/report/studyFolder.ts';
import { staleLines } from './staleLines.ts';
import { pc } from './table.ts';
import { paragraph } from './wrap.ts';

const megabyte = 1e6;

function megabytes(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('Expected a size in MB, above 0.');
  return value * megabyte;
}

interface Options {
  out?: string;
  maxSize?: number;
}

/** What was left out, in a line for each way; the pages of latents, which are many, are counted. */
function shortened(files: Readonly<Record<string, string>>): string[] {
  const byWords = new Map<string, string[]>();
  for (const [file, words] of Object.entries(files))
    byWords.set(words, [...(byWords.get(words) ?? []), file]);
  return Array.from(byWords, ([words, names]) => {
    const others = names.filter((name) => !isPage(name));
    const pages = names.length - others.length;
    const counted = pages > 0 ? [`${pages} files in latents/`] : [];
    return `${[...others, ...counted].join(', ')}: ${words}`;
  });
}

async function report(study: string, others: readonly string[], { out, maxSize }: Options): Promise<void> {
  const studies = [study, ...others];
  const { path, bytes, trimmed, stale } = await runReport({ studies, out, maxBytes: maxSize });
  const left = Object.entries(trimmed).flatMap(([name, files]) =>
    shortened(files).map((line) => (studies.length > 1 ? `${name}: ${line}` : line)),
  );
  const earlier = Object.entries(stale).flatMap(([name, found]) =>
    staleLines(found, ', and marked so').map((line) => (studies.length > 1 ? `${name}: ${line}` : line)),
  );
  process.stdout.write(
    [
      '',
      `${path}: ${(bytes / megabyte).toFixed(1)} MB, opens in any browser, also offline`,
      ...(left.length > 0 ? [pc.dim('Left out to limit its size (--max-size sets the limit):')] : []),
      ...left.flatMap((line) => paragraph(line, '  ')),
      ...earlier.flatMap((line) => paragraph(line)),
      '',
    ].join('\n'),
  );
}

const about = `
The page holds the app and the results, so it can be mailed or archived. It
loads nothing and sends nothing. Of an unfinished study it shows what is there.
It can hold several studies, to compare them.

Example:
  culprit report my-study --out my-study.html`;

export function reportCommand(): Command {
  return new Command('report')
    .summary('write a study as one page')
    .description('Write the results of a study as one page that opens in any browser.')
    .argument('<study>', 'a study, or a folder of `culprit attribute --out`')
    .argument('[others...]', 'more studies, to compare')
    .option('--out <file>', 'file to write (default: report.html in the study)')
    .option(
      '--max-size <megabytes>',
      `leave out the least important parts until the page is this small (default: ${reportDefaults.maxBytes / megabyte})`,
      megabytes,
    )
    .addHelpText('after', about)
    .action(report);
}
