/** The files of a trace: every example that was read, and what they come to. */
import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { resultFiles, type TraceRecord, type TraceRow } from '../../results.ts';
import type { TracedExamples } from './readExamples.ts';
import { labelOf } from './tracedLatents.ts';
import type { TrainingExample } from './trainingExamples.ts';

/** trace.jsonl, a line for each example, in the order of the data; then trace.json, which says that it is there. */
export async function writeTrace(
  folder: string,
  record: TraceRecord,
  examples: readonly TrainingExample[],
  { read }: TracedExamples,
): Promise<string[]> {
  const [rows, about] = [resultFiles.traceRows, resultFiles.trace].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  await replaceFile(rows, async (file) => {
    for (const [n, example] of examples.entries()) {
      const { loss, tokens, values } = read[n]!;
      const row: TraceRow = {
        id: example.id,
        row: example.row,
        label: labelOf(example),
        tokens,
        loss,
        latents: record.latents.map(({ latent }, k) => {
          const { push, activation } = values[k]!;
          return { latent, push, activation: Number.isNaN(activation) ? null : activation };
        }),
      };
      await file.appendFile(`${JSON.stringify(row)}\n`);
    }
  });
  await replaceFile(about, (file) => file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`));
  return [about, rows];
}
