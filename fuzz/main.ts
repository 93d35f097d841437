/**
 * Damaged files of every format, made from valid ones by a seed, and what the readers make of them.
 *
 * Usage: npm run fuzz [-- --format NAME ... --seed N --inputs N --seconds N --save]
 * For each format: at most so many inputs and seconds (default 2000 and 60); as many formats side by side as
 * there are processors. Exit code 1 where a reader throws anything but an InputError, does not end, takes too
 * much memory, or gives what it promises not to; --save keeps what shows it in test/fuzz/corpus.
 */
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, workerData } from 'node:worker_threads';
import PQueue from 'p-queue';
import { saveCase } from './corpus.ts';
import { formatNamed, formats } from './formats.ts';
import { filesOf, inputOf } from './mutate.ts';
import { fuzz } from './run.ts';
import { worker } from './worker.ts';

if (isMainThread) await main();
else await worker(workerData);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      format: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
      inputs: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '60' },
      save: { type: 'boolean', default: false },
    },
  });
  const [seed, inputs, seconds] = [values.seed, values.inputs, values.seconds].map(Number) as [
    number,
    number,
    number,
  ];
  if (![seed, inputs, seconds].every(Number.isFinite))
    throw new Error('--seed, --inputs, --seconds: expected numbers');
  let faults = 0;
  const sideBySide = new PQueue({ concurrency: availableParallelism() });
  const asked = (values.format ?? formats.map(({ name }) => name)).map(formatNamed);
  await sideBySide.addAll(
    asked.map((format) => async () => {
      const folder = join(tmpdir(), `culprit-fuzz-${process.pid}-${format.name}`);
      const program = new URL(import.meta.url);
      const done = await fuzz({ format: format.name, seed, inputs, seconds, folder, program, inputOf });
      const rate = Math.round(done.inputs / done.seconds);
      process.stdout.write(
        `${format.name}: ${done.inputs} inputs in ${done.seconds.toFixed(0)} s (${rate}/s), ${done.findings.length} faults\n`,
      );
      const seeds = await format.seeds();
      for (const { input, told, count } of done.findings) {
        const line = told.split('\n')[0]!;
        const path = values.save
          ? ` ${saveCase('test/fuzz/corpus', format.name, line, filesOf(seeds, input))}`
          : '';
        process.stdout.write(
          `  ${count} times: ${told.replaceAll('\n', '\n    ')}\n   ${JSON.stringify(input)}${path}\n`,
        );
      }
      faults += done.findings.length;
    }),
  );
  process.exitCode = faults > 0 ? 1 : 0;
}
