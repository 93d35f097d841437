/** The file of a comparison of subjects. */
import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { type CheckpointsRecord, resultFiles } from '../../results.ts';

export async function writeCheckpoints(folder: string, record: CheckpointsRecord): Promise<string> {
  const path = join(folder, resultFiles.checkpoints);
  await replaceFile(path, (file) => file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`));
  return path;
}
